/** What every operation of the engine stands on: locks, rollback, and the list of what runs. */
@NullMarked
package dev.stapes.internal.operation;

import org.jspecify.annotations.NullMarked;
