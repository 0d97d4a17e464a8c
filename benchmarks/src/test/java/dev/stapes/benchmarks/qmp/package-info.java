@NullMarked
package dev.stapes.benchmarks.qmp;

import org.jspecify.annotations.NullMarked;
