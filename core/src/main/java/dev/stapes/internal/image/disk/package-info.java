/** Files that hold the disk of a machine: what they say of themselves, and how they become raw. */
@NullMarked
package dev.stapes.internal.image.disk;

import org.jspecify.annotations.NullMarked;
