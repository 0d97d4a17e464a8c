@NullMarked
package dev.stapes.benchmarks.storage;

import org.jspecify.annotations.NullMarked;
