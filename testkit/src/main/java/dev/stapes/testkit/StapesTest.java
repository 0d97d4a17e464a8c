package dev.stapes.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that uses instances. All such classes of a JVM share one {@code Stapes}, opened when
 * the first needs it and closed with the launcher session, when its root directory is removed.
 * Fields and parameters annotated with {@link Throwaway} get instances; parameters of type {@code
 * Stapes} get the shared one, those of type {@code Instance} a throwaway instance with the
 * defaults.
 *
 * <pre>{@code
 * @StapesTest
 * class NginxIT {
 *   @Throwaway Instance box;
 *
 *   @Test
 *   void boots() {
 *     assertEquals(0, box.exec("true").exitCode());
 *   }
 * }
 * }</pre>
 *
 * <p>The root directory is below {@code -Dstapes.testkit.root=}, or else below the build directory
 * ({@code target}, {@code build}), or {@code /var/tmp} where other users could not pass through
 * that. What a JVM that was killed left there is removed by the next one.
 *
 * <p>When a test fails, console log, state, mounts and cgroups of its instances are written to a
 * file in {@code stapes-reports} of the build directory, and the file's name is published as a
 * report entry.
 *
 * <p>Classes and methods may run in parallel. Without root a class with the usual opener is skipped
 * (see {@link RequiresRoot} for what turns that into a failure).
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@ExtendWith(StapesExtension.class)
public @interface StapesTest {
  /** Opens the shared {@code Stapes}; classes with the same opener share one. */
  Class<? extends StapesOpener> opener() default StapesOpener.Usual.class;
}
