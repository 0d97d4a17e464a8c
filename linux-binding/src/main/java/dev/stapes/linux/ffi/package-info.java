/**
 * The C library as it is: {@link dev.stapes.linux.ffi.LibC} has its functions, {@link
 * dev.stapes.linux.ffi.Constants} and {@link dev.stapes.linux.ffi.Layout} its numbers, {@link
 * dev.stapes.linux.ffi.Syscalls} its error handling. Nothing here decides anything.
 */
@NullMarked
package dev.stapes.linux.ffi;

import org.jspecify.annotations.NullMarked;
