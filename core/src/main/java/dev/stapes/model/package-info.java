/**
 * The data that every layer shares: specs (what is asked for), infos (what is), and errors. Records
 * here validate themselves and copy what they are given; none of them does I/O.
 *
 * <p>No argument and no component may be null, and no result is, unless it says so.
 */
@NullMarked
package dev.stapes.model;

import org.jspecify.annotations.NullMarked;
