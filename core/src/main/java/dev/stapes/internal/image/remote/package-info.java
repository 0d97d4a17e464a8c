/** Images that come from servers, and what is kept of them for the next time. */
@org.jspecify.annotations.NullMarked
package dev.stapes.internal.image.remote;
