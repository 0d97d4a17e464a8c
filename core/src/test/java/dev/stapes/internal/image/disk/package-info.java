@NullMarked
package dev.stapes.internal.image.disk;

import org.jspecify.annotations.NullMarked;
