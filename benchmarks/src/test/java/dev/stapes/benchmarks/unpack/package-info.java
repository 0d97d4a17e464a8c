@NullMarked
package dev.stapes.benchmarks.unpack;

import org.jspecify.annotations.NullMarked;
