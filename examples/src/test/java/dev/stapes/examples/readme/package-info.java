/** The samples of the README, compiled and run. */
@NullMarked
package dev.stapes.examples.readme;

import org.jspecify.annotations.NullMarked;
