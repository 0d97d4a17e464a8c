@NullMarked
package dev.stapes.testkit.contract;

import org.jspecify.annotations.NullMarked;
