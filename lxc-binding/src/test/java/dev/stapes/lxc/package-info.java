@NullMarked
package dev.stapes.lxc;

import org.jspecify.annotations.NullMarked;
