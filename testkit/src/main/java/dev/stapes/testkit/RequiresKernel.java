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
 * The test needs something of the kernel; without it the test is skipped. The requirement's name is
 * the feature's. See {@link RequiresRoot} for what turns a skip into a failure.
 *
 * <p>A feature is the name of a file system, which the kernel has or has a module for ({@code
 * overlay}, {@code btrfs}, {@code xfs}), or one of
 *
 * <ul>
 *   <li>{@code user-namespaces}: user_namespaces(7), and at least one allowed
 *   <li>{@code loop}: loop(4) with its control device
 *   <li>{@code thin-pool}: device-mapper with thin pools
 *   <li>{@code seccomp}: seccomp(2) filters
 *   <li>{@code idmapped-mounts}: mount_setattr(2) with MOUNT_ATTR_IDMAP, Linux 5.12
 *   <li>{@code squashfs-idmapped}: squashfs file systems with mapped owners, Linux 6.2
 *   <li>{@code steady-clock}: CPUs whose time stamp counter goes as fast as cpuinfo says, which an
 *       emulated machine without PCI is told; those that change their clock have none
 *   <li>{@code cgroup-v1}, {@code cgroup-v2}: controllers that are mounted in this layout; a hybrid
 *       machine whose controllers are all on v1 has the first only
 *   <li>{@code cgroup-v1-throttle}, {@code cgroup-v1-bfq}, {@code cgroup-v1-swap}: I/O throttles,
 *       the scheduler BFQ with its weights, and accounting of swap, on v1
 * </ul>
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@Repeatable(RequiresKernel.All.class)
@ExtendWith(RequirementCondition.class)
@AddLifecycleHook(RequirementHook.class)
public @interface RequiresKernel {
  /** The feature, such as {@code overlay}. */
  String value();

  /** Several features. */
  @Target({ElementType.TYPE, ElementType.METHOD})
  @Retention(RetentionPolicy.RUNTIME)
  @Inherited
  @Documented
  @ExtendWith(RequirementCondition.class)
  @AddLifecycleHook(RequirementHook.class)
  @interface All {
    /** Each of them. */
    RequiresKernel[] value();
  }
}
