package dev.stapes.lxc.ffi;

import com.sun.jna.Pointer;
import com.sun.jna.StringArray;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Calls of liblxc that <b>fork the calling process</b>. In a JVM that costs 50 to 300 milliseconds
 * by the size of the heap, and moves or doubles the JVM itself; a driver runs the packaged {@code
 * lxc-attach} and {@code lxc-checkpoint} instead, and never this class. It is here for small
 * programs that know what they do.
 *
 * <p>Not guarded against use by several threads.
 */
public final class ForkingCalls {
  /** All that this class ever calls; a test pins the list. */
  static final Set<Member> ALLOWED =
      Collections.unmodifiableSet(
          EnumSet.of(Member.ATTACH_RUN_WAIT, Member.CHECKPOINT, Member.RESTORE, Member.MIGRATE));

  private final Pointer container;

  private ForkingCalls(Pointer container) {
    this.container = container;
  }

  /**
   * The calls on a container.
   *
   * @param container stays open while these calls are used
   */
  public static ForkingCalls of(ContainerCalls container) {
    return new ForkingCalls(container.pointer());
  }

  /**
   * Forks; runs a program in the container and waits for it.
   *
   * @return its wait status, wait(2); -1: it did not start
   */
  public int attachRunWait(AttachOptions options, List<String> command) {
    StringArray argv = new StringArray(command.toArray(new String[0]), "UTF-8");
    return Member.ATTACH_RUN_WAIT
        .of(container)
        .invokeInt(new Object[] {container, options, command.get(0), argv});
  }

  /** Forks; writes the container's processes to a directory with CRIU. */
  public boolean checkpoint(String directory, boolean stop, boolean verbose) {
    Object[] arguments = {container, directory, bool(stop), bool(verbose)};
    return isTrue(Member.CHECKPOINT.of(container).invokeInt(arguments));
  }

  /** Forks; starts the container from a directory that {@link #checkpoint} wrote. */
  public boolean restore(String directory, boolean verbose) {
    Object[] arguments = {container, directory, bool(verbose)};
    return isTrue(Member.RESTORE.of(container).invokeInt(arguments));
  }

  /**
   * Forks; one step of a migration with CRIU.
   *
   * @return 0, or a negative errno
   */
  public int migrate(MigrateCommand command, MigrateOptions options) {
    Object[] arguments = {container, command.ordinal(), options, options.size()};
    return Member.MIGRATE.of(container).invokeInt(arguments);
  }

  private static int bool(boolean value) {
    return value ? 1 : 0;
  }

  private static boolean isTrue(int returned) {
    return (returned & 0xff) != 0;
  }
}
