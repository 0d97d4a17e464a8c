/**
 * What storage pools take for the same work, each through the SPI of storage drivers, and in
 * containers. {@link dev.stapes.benchmarks.storage.Comparison} is the program; {@code ./bench
 * storage} starts it.
 */
@NullMarked
package dev.stapes.benchmarks.storage;

import org.jspecify.annotations.NullMarked;
