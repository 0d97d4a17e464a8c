/** Requests to servers that images come from, with the JDK's HTTP client. */
@org.jspecify.annotations.NullMarked
package dev.stapes.internal.http;
