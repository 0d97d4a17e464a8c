/**
 * What virtual machines take: Stapes and the bare command that does the same by hand. {@link
 * dev.stapes.benchmarks.vm.Comparison} is the program; {@code ./bench vm} starts it.
 */
@NullMarked
package dev.stapes.benchmarks.vm;

import org.jspecify.annotations.NullMarked;
