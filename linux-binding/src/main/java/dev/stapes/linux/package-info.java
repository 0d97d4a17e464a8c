/**
 * Kernel interfaces by topic, in Java's terms: paths, durations, enum sets, handles to close. Knows
 * nothing of Stapes. Everything works over a {@link dev.stapes.linux.ffi.Syscalls}, and fails with
 * a {@link dev.stapes.linux.ffi.LinuxException}.
 */
@NullMarked
package dev.stapes.linux;

import org.jspecify.annotations.NullMarked;
