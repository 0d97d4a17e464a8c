package dev.stapes.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The test needs a program on the PATH or in an sbin directory; without it the test is skipped. The
 * requirement's name is the program's. See {@link RequiresRoot} for what turns a skip into a
 * failure.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@Repeatable(RequiresTool.All.class)
@ExtendWith(RequirementCondition.class)
@AddLifecycleHook(RequirementHook.class)
public @interface RequiresTool {
  /** The program's name, such as {@code btrfs}. */
  String value();

  /** Several programs. */
  @Target({ElementType.TYPE, ElementType.METHOD})
  @Retention(RetentionPolicy.RUNTIME)
  @Inherited
  @Documented
  @ExtendWith(RequirementCondition.class)
  @AddLifecycleHook(RequirementHook.class)
  @interface All {
    /** Each of them. */
    RequiresTool[] value();
  }
}
