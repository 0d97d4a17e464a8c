/**
 * What a driver implements: the host, instance drivers, storage drivers, image sources, decoders,
 * state stores. Each has a provider that is found by name, explicitly or through {@link
 * java.util.ServiceLoader}.
 *
 * <p>No argument may be null and no result is, unless it says so.
 */
@NullMarked
package dev.stapes.spi;

import org.jspecify.annotations.NullMarked;
