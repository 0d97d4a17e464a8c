/**
 * Network interfaces. Works over a {@link dev.stapes.linux.ffi.Syscalls}, and fails with a {@link
 * dev.stapes.linux.ffi.LinuxException}.
 */
@NullMarked
package dev.stapes.linux.net;

import org.jspecify.annotations.NullMarked;
