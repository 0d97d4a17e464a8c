/**
 * What lies between files and disks: loop devices, shared extents, copies and sizes of whole trees,
 * project quotas. Works over a {@link dev.stapes.linux.ffi.Syscalls}, and fails with a {@link
 * dev.stapes.linux.ffi.LinuxException}.
 */
@NullMarked
package dev.stapes.linux.block;

import org.jspecify.annotations.NullMarked;
