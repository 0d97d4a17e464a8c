@NullMarked
package dev.stapes.internal.operation;

import org.jspecify.annotations.NullMarked;
