/**
 * What every driver must do, as inherited tests: a driver is done when a class that extends its
 * contract passes.
 */
@NullMarked
package dev.stapes.testkit.contract;

import org.jspecify.annotations.NullMarked;
