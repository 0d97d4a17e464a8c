/** The Linux machine as Stapes' core and drivers see it: implements {@code dev.stapes.spi.Host}. */
@NullMarked
package dev.stapes.linux.host;

import org.jspecify.annotations.NullMarked;
