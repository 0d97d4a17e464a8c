/**
 * Reads what QEMU says of its own QMP ({@code query-qmp-schema}), gives the types names and writes
 * a Java type for each command, event and type.
 */
@NullMarked
package dev.stapes.qapi;

import org.jspecify.annotations.NullMarked;
