/** The engine: records, operations, and what they do to drivers and pools. */
@NullMarked
package dev.stapes.internal.engine;

import org.jspecify.annotations.NullMarked;
