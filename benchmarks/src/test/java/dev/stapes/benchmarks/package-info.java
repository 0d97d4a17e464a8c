@NullMarked
package dev.stapes.benchmarks;

import org.jspecify.annotations.NullMarked;
