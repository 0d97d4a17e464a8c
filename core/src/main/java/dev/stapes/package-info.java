/**
 * The API: open a {@code Stapes}, launch instances, snapshot, clone, delete.
 *
 * <p>No argument may be null and no result is, unless it says so; what may be absent is an {@code
 * Optional}. A null argument is a {@code NullPointerException}; every other failure is a {@link
 * dev.stapes.model.StapesException}. All types but builders may be used by any number of threads.
 */
@NullMarked
package dev.stapes;

import org.jspecify.annotations.NullMarked;
