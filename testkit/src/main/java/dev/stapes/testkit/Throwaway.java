package dev.stapes.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A field or parameter of type {@code Instance} of a {@link StapesTest} gets a running throwaway
 * instance. An instance field and a parameter of a method have one of their own for each test
 * method; a static field has one for its class. They are deleted when their time is over, and die
 * with the JVM whatever happens to it.
 */
@Target({ElementType.FIELD, ElementType.PARAMETER})
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface Throwaway {
  /**
   * The image: {@code busybox}, made of this machine's own busybox at its first use; {@code
   * debian/trixie} or another suite, made by debootstrap at its first use; or one that the {@link
   * StapesOpener} imported.
   */
  String image() default "busybox";

  /** What happens to the instance of a static field between two test methods. */
  Reset reset() default Reset.NONE;

  /** CPUs ({@code limits.cpu}); 0: no limit. */
  int cpus() default 0;

  /** Memory ({@code limits.memory}) such as {@code 256MiB}; empty: no limit. */
  String memory() default "";

  /** Processes and threads ({@code limits.processes}); 0: no limit. */
  int processes() default 0;

  /** More config keys, each {@code key=value}. */
  String[] config() default {};
}
