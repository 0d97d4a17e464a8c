/**
 * liblxc through JNA, without a fork of the JVM. Knows nothing of Stapes.
 *
 * <p>{@code struct lxc_container} is a table of function pointers behind a few private fields.
 * {@link dev.stapes.lxc.ffi.Member} says where each one is; a test compiles a C program against the
 * installed headers and compares.
 */
@NullMarked
package dev.stapes.lxc.ffi;

import org.jspecify.annotations.NullMarked;
