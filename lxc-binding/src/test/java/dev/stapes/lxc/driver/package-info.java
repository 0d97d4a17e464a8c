@NullMarked
package dev.stapes.lxc.driver;

import org.jspecify.annotations.NullMarked;
