/** The container driver: liblxc, a resident shell in each container, and the host's SPI. */
@NullMarked
package dev.stapes.lxc.driver;

import org.jspecify.annotations.NullMarked;
