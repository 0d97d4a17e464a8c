/** The engine of core over fakes: what it keeps, undoes and tells, whatever fails below it. */
@NullMarked
package dev.stapes.testkit.engine;

import org.jspecify.annotations.NullMarked;
