/** Whatever dies, fills up, vanishes or comes at once: nothing is lost and nothing is left. */
@NullMarked
package dev.stapes.examples.survival;

import org.jspecify.annotations.NullMarked;
