/** Tests of the driver of LVM. */
@org.jspecify.annotations.NullMarked
package dev.stapes.storage.lvm;
