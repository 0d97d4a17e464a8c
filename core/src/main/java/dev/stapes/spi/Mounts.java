package dev.stapes.spi;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * The host's own mount namespace (mount_namespaces(7)); mounts of the machine appear in it, none of
 * its own appear on the machine. Source and target paths are those of the namespace. Errors are
 * StapesExceptions that name the call, the paths and the errno.
 */
public interface Mounts {
  /**
   * Mounts a file system, mount(2).
   *
   * @param source a device, or any word for a file system without one
   * @param type such as {@code btrfs}, {@code overlay}, {@code tmpfs}
   * @param options the file system's own, such as {@code size=64m}; empty for none
   */
  void mount(String source, Path target, String type, Set<Flag> flags, String options);

  /**
   * Mounts as {@link #mount} does, and lets nobody but the caller wait: for a file system whose
   * disk may not answer any more, as mount(2) cannot be interrupted then. Who does not want to wait
   * so long calls it on a thread of his own.
   */
  default void mountApart(
      String source, Path target, String type, Set<Flag> flags, String options) {
    mount(source, target, type, flags, options);
  }

  /** Makes a directory or file appear at a second place. */
  void bind(Path source, Path target, Set<Flag> flags);

  /**
   * Makes a directory below another one appear at a second place. Who writes to the other one is
   * not trusted: a link on the way is not followed, also where it was put there just now.
   *
   * @param below names with slashes between
   * @throws dev.stapes.model.StapesException NOT_FOUND; INVALID where there is a link, or anything
   *     but a directory, on the way; UNSUPPORTED where the host cannot do it
   */
  default void bindBelow(Path source, String below, Path target, Set<Flag> flags) {
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED,
        source + "/" + below,
        "directories of volumes cannot be mounted");
  }

  /**
   * The same with the owners of its files mapped: a file of uid 0 on disk appears with the host uid
   * that the map gives for 0 (mount_setattr(2), MOUNT_ATTR_IDMAP).
   */
  void bindIdmapped(Path source, Path target, IdMapping mapping, Set<Flag> flags);

  /**
   * Detaches a mount (MNT_DETACH): it is gone for new users at once, and frees itself after the
   * old.
   */
  void unmount(Path target);

  /**
   * Detaches a mount, with those on it, that a host which is gone made in its namespace, and which
   * is still there because a program that it started goes on. Does nothing where there is none.
   *
   * @param type and source: as it was mounted; another mount at the target is left alone
   */
  void detachAbandoned(Path target, String type, String source);

  /**
   * Gives the processes of another mount namespace a new root directory. Where it fails they have
   * the old one, but the namespace is good for nothing any more.
   *
   * @throws dev.stapes.model.StapesException UNSUPPORTED where the host cannot do it
   */
  default void changeRoot(RootChange change) {
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED, "root of process " + change.pid(), "cannot be changed");
  }

  /**
   * Mounts a directory in the mount namespace of another process. Who is there is not trusted: a
   * link on the way to the place is not followed.
   *
   * @param alive asked once the namespace is held: whether the process is the one that is meant
   * @throws dev.stapes.model.StapesException NOT_FOUND; INVALID where there is a link, or anything
   *     but a directory, on the way; UNSUPPORTED where the host cannot do it
   */
  default void mountInside(InsideMount mount, BooleanSupplier alive) {
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED, "mount " + mount.path(), "cannot be made inside");
  }

  /**
   * Unmounts what was mounted last at a path of the mount namespace of another process.
   *
   * @return false where nothing is mounted there
   * @throws dev.stapes.model.StapesException BUSY where somebody uses it; UNSUPPORTED where the
   *     host cannot do it
   */
  default boolean unmountInside(long pid, String path, BooleanSupplier alive) {
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED, "mount " + path, "cannot be removed inside");
  }

  /** The mounts at or below a path, in the order in which they were made. */
  List<Entry> below(Path path);

  /** The path by which this JVM's own I/O reaches a path of the namespace, from any thread. */
  Path local(Path path);

  /**
   * Another root for the processes of a mount namespace.
   *
   * @param pid one of them, which the caller keeps from ending
   * @param root a directory of this host's namespace
   * @param mapping of its owners, as with {@link #bindIdmapped}; empty: as they are there
   * @param carried directories of the old root, mount points all of them, that are moved to the
   *     directories of these names in the new one, with all that is mounted below; copied
   * @param hostName for the processes' UTS namespace
   */
  record RootChange(
      long pid, Path root, Optional<IdMapping> mapping, List<String> carried, String hostName) {
    /** Copies. */
    public RootChange {
      carried = List.copyOf(carried);
    }
  }

  /**
   * A mount for the processes of another mount namespace.
   *
   * @param pid one of them
   * @param source a directory of this host's namespace
   * @param path a directory as they see it, absolute
   * @param mapping of its owners, as with {@link #bindIdmapped}; empty: as they are there
   * @param flags of the mount: {@link Flag#READ_ONLY}, {@link Flag#RECURSIVE}; copied
   */
  record InsideMount(
      long pid, Path source, String path, Optional<IdMapping> mapping, Set<Flag> flags) {
    /** Copies. */
    public InsideMount {
      flags = Set.copyOf(flags);
    }
  }

  /** Mount flags. */
  enum Flag {
    /** Nothing is written. */
    READ_ONLY,
    /** Set-user-id bits are ignored. */
    NOSUID,
    /** Device nodes do not work. */
    NODEV,
    /** Programs do not start. */
    NOEXEC,
    /** Access times are not written. */
    NOATIME,
    /** With everything mounted below, for binds. */
    RECURSIVE
  }

  /**
   * One mount.
   *
   * @param target where
   * @param type of the file system
   * @param source the device or word
   * @param options of the mount and the file system, separated by commas
   */
  record Entry(Path target, String type, String source, String options) {}
}
