/** The driver of virtual machines: QEMU, controlled by QMP and the QEMU guest agent. */
@NullMarked
package dev.stapes.qemu.driver;

import org.jspecify.annotations.NullMarked;
