@NullMarked
package dev.stapes.internal.template;

import org.jspecify.annotations.NullMarked;
