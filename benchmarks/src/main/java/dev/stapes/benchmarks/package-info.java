/** JMH suites of the hot paths, through the public API, with the storage driver as parameter. */
@NullMarked
package dev.stapes.benchmarks;

import org.jspecify.annotations.NullMarked;
