@NullMarked
package dev.stapes.internal.store;

import org.jspecify.annotations.NullMarked;
