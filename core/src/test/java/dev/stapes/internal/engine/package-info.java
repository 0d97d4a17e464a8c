@NullMarked
package dev.stapes.internal.engine;

import org.jspecify.annotations.NullMarked;
