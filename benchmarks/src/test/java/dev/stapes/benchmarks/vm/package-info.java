@NullMarked
package dev.stapes.benchmarks.vm;

import org.jspecify.annotations.NullMarked;
