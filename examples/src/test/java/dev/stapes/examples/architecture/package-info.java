/** The rules of the house as tests: what may see what, and what a source file may look like. */
@NullMarked
package dev.stapes.examples.architecture;

import org.jspecify.annotations.NullMarked;
