@NullMarked
package dev.stapes.internal.events;

import org.jspecify.annotations.NullMarked;
