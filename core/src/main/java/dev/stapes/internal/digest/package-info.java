/** Hashes by which content is named and checked. */
@NullMarked
package dev.stapes.internal.digest;

import org.jspecify.annotations.NullMarked;
