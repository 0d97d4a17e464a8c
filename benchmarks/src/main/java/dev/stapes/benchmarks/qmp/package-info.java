/**
 * What QMP costs: round trips against QEMU's own client, events, memory. {@link
 * dev.stapes.benchmarks.qmp.Comparison} is the program; {@code ./bench qmp} starts it.
 */
@NullMarked
package dev.stapes.benchmarks.qmp;

import org.jspecify.annotations.NullMarked;
