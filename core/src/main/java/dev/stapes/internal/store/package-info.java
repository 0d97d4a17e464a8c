/** The state stores that live in the process itself: in a SQLite file, or in memory. */
@NullMarked
package dev.stapes.internal.store;

import org.jspecify.annotations.NullMarked;
