/** The lab VM, and what runs in it. */
@NullMarked
package dev.stapes.examples.lab;

import org.jspecify.annotations.NullMarked;
