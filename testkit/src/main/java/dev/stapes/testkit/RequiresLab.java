package dev.stapes.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The test needs the {@link LabVm}; without it the test is skipped. The requirement's name is
 * {@code lab-vm}. See {@link RequiresRoot} for what turns a skip into a failure. Such tests have
 * the tag {@code lab}: {@code ./verify} runs them last, when the lab VM has been built.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@Tag("lab")
@ExtendWith(RequirementCondition.class)
@AddLifecycleHook(RequirementHook.class)
public @interface RequiresLab {}
