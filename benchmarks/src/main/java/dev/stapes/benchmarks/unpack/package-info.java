/**
 * The comparison of how images are unpacked: Stapes and packaged tools, of the same files to the
 * same Btrfs, in one run. {@link dev.stapes.benchmarks.unpack.Comparison} is the program; {@code
 * ./bench unpack} starts it in namespaces of its own.
 */
@NullMarked
package dev.stapes.benchmarks.unpack;

import org.jspecify.annotations.NullMarked;
