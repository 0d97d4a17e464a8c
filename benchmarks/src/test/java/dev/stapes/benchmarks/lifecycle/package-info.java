@NullMarked
package dev.stapes.benchmarks.lifecycle;

import org.jspecify.annotations.NullMarked;
