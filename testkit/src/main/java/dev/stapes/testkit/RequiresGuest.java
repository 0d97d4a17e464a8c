package dev.stapes.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The test needs the {@link TestGuest}; without it the test is skipped. The requirement's name is
 * {@code test-guest}. See {@link RequiresRoot} for what turns a skip into a failure.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@ExtendWith(RequirementCondition.class)
@AddLifecycleHook(RequirementHook.class)
public @interface RequiresGuest {}
