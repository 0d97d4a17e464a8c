/** Tests of the storage driver. */
@org.jspecify.annotations.NullMarked
package dev.stapes.storage.zfs;
