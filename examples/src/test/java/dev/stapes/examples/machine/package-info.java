/** Virtual machines, end to end. */
@NullMarked
package dev.stapes.examples.machine;

import org.jspecify.annotations.NullMarked;
