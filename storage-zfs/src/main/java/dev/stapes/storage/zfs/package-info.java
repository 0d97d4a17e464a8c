/**
 * The storage driver {@code zfs}: volumes are datasets and snapshots of OpenZFS, which the programs
 * {@code zfs} and {@code zpool} change and mount(2) attaches. Only the provider is public; it is
 * found by name through {@link java.util.ServiceLoader}.
 */
@NullMarked
package dev.stapes.storage.zfs;

import org.jspecify.annotations.NullMarked;
