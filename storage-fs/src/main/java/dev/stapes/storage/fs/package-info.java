/**
 * Storage drivers that need no tool but the kernel: {@code btrfs} (subvolumes), {@code dir} (plain
 * directories) and {@code overlay} (layers). Only the providers are public; they are found by name
 * through {@link java.util.ServiceLoader}.
 */
@NullMarked
package dev.stapes.storage.fs;

import org.jspecify.annotations.NullMarked;
