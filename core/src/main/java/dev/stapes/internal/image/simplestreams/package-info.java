/** Servers that offer images as simplestreams: a tree of files with indexes in JSON. */
@org.jspecify.annotations.NullMarked
package dev.stapes.internal.image.simplestreams;
