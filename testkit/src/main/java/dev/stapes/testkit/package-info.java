/**
 * What tests with Stapes need: conditions that state why a test is skipped, faults at every effect,
 * fakes of the drivers, and a look at what a test left behind. The contracts that drivers must pass
 * are in {@code dev.stapes.testkit.contract}.
 */
@NullMarked
package dev.stapes.testkit;

import org.jspecify.annotations.NullMarked;
