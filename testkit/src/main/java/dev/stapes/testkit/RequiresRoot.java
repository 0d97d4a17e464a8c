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
 * The test needs root; without it the test is skipped. The requirement's name is {@code root}.
 *
 * <p>A requirement that {@code -Dstapes.required=} or, where that is absent, the environment
 * variable {@code STAPES_REQUIRED} lists, is not skipped but fails, with the same reason. The list
 * is separated by commas; a name covers the ones that begin with it and a dash ({@code lxc} covers
 * {@code lxc-start}).
 *
 * <p>All requirements work on classes (inherited by subclasses, so a driver's run of a contract can
 * state them) and on methods, for JUnit Jupiter and jqwik alike.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@ExtendWith(RequirementCondition.class)
@AddLifecycleHook(RequirementHook.class)
public @interface RequiresRoot {}
