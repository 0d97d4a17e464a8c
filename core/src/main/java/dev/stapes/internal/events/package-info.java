/** How events get from the engine to those who listen. */
@NullMarked
package dev.stapes.internal.events;

import org.jspecify.annotations.NullMarked;
