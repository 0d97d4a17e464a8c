/**
 * The storage driver {@code lvm}: a pool is a thin pool of LVM, a volume is a thin volume with a
 * file system, a copy is a thin snapshot. It runs the packaged programs of LVM and reads their
 * JSON. Only the provider is public; it is found by name through {@link java.util.ServiceLoader}.
 */
@NullMarked
package dev.stapes.storage.lvm;

import org.jspecify.annotations.NullMarked;
