/** The API: open a {@code Stapes}, launch instances, snapshot, clone, delete. */
@NullMarked
package dev.stapes;

import org.jspecify.annotations.NullMarked;
