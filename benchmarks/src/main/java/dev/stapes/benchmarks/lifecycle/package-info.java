/**
 * The comparison: Stapes and its peers on the same paths, with the same root file system, in one
 * run. {@link dev.stapes.benchmarks.lifecycle.Comparison} is the program; {@code ./bench lifecycle}
 * gets the peers and starts it in namespaces of its own.
 */
@NullMarked
package dev.stapes.benchmarks.lifecycle;

import org.jspecify.annotations.NullMarked;
