/** Images: archives, their store, the sources they come from, and their way into a pool. */
@NullMarked
package dev.stapes.internal.image;

import org.jspecify.annotations.NullMarked;
