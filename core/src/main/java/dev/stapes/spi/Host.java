package dev.stapes.spi;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * The machine, as the core and the drivers see it. Everything with an effect outside of the JVM and
 * plain files goes through it or through the bindings that a driver brings, so that tests can make
 * any of it fail.
 *
 * <p>A host has a mount namespace of its own: what it mounts is seen by the programs that it starts
 * and by nobody else, and is gone when the last of them and the JVM have ended. Paths of that
 * namespace become paths for this JVM's own I/O through {@link Mounts#local}.
 *
 * <p>All methods may be called from any thread.
 */
public interface Host extends AutoCloseable {
  /** Facts that do not change while it is open. */
  Facts facts();

  /** Programs that run to their end. */
  Programs programs();

  /** Programs that go on. */
  Processes processes();

  /** The mount namespace. */
  Mounts mounts();

  /**
   * Opens a directory for access below it, with owners as this JVM sees them.
   *
   * @param directory a path of this JVM's namespace (see {@link Mounts#local})
   * @throws dev.stapes.model.StapesException NOT_FOUND where there is no such directory
   */
  default Tree tree(Path directory, Tree.Resolution resolution) {
    return tree(directory, resolution, Optional.empty());
  }

  /**
   * Opens a directory for access below it.
   *
   * @param mapping where given, owners in arguments and answers are ids inside of it: what is
   *     created belongs to the inside's root until it is given away, uid 0 means the host uid that
   *     the map has for 0 (so that files can be made below an idmapped mount, where the host's own
   *     ids do not exist), and an owner that the map does not have appears as 65534
   */
  Tree tree(Path directory, Tree.Resolution resolution, Optional<IdMapping> mapping);

  /**
   * Says that an operation is in flight until the answer is closed. A host uses it to keep the
   * kernel's slow paths away meanwhile; it costs microseconds.
   */
  Busy busy();

  /** Kills what must not outlive it, joins its threads. Idempotent. */
  @Override
  void close();

  /** An operation in flight. */
  interface Busy extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Facts about the machine.
   *
   * @param kernel release, such as {@code 6.1.0-25-amd64}
   * @param architecture the kernel's name, such as {@code x86_64}
   * @param onlineCpus numbers of the CPUs that this JVM may use; copied
   * @param memory physical memory
   * @param root whether this JVM runs as root
   */
  record Facts(
      String kernel, String architecture, Set<Integer> onlineCpus, Size memory, boolean root) {
    /** Copies. */
    public Facts {
      onlineCpus = Set.copyOf(onlineCpus);
    }
  }

  /** Programs that run to their end. */
  interface Programs {
    /** Where a program is on this host's PATH (with the sbin directories), or empty. */
    Optional<Path> find(String name);

    /**
     * Runs a program and waits; it sees the host's mount namespace and {@code LC_ALL=C}.
     * Interrupting the caller kills it.
     *
     * @throws dev.stapes.model.StapesException UNAVAILABLE where the program does not exist;
     *     TIMED_OUT; INTERNAL where it ends with another exit code than 0, with the end of its
     *     stderr
     */
    Output run(Command command);
  }
}
