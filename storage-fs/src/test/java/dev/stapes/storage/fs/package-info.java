/** Tests of the storage drivers. */
@org.jspecify.annotations.NullMarked
package dev.stapes.storage.fs;
