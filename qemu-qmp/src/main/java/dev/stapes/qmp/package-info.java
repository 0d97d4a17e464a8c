/**
 * A client of QMP, the protocol of QEMU's monitor, of its storage daemon and of its guest agent.
 * Nothing in here knows of Stapes.
 */
@NullMarked
package dev.stapes.qmp;

import org.jspecify.annotations.NullMarked;
