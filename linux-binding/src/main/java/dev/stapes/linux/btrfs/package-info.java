/**
 * Btrfs by its ioctls: subvolumes, quota groups, streams and the file system as a whole. Works over
 * a {@link dev.stapes.linux.ffi.Syscalls}, and fails with a {@link
 * dev.stapes.linux.ffi.LinuxException}.
 */
@NullMarked
package dev.stapes.linux.btrfs;

import org.jspecify.annotations.NullMarked;
