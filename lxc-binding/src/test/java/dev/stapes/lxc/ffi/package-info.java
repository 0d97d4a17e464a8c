@NullMarked
package dev.stapes.lxc.ffi;

import org.jspecify.annotations.NullMarked;
