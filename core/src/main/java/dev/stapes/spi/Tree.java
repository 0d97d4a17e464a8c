package dev.stapes.spi;

import dev.stapes.model.StapesException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A directory and all access below it. Every path is resolved by the kernel from the directory's
 * descriptor (openat2(2)), so nothing outside can be reached whatever links it holds and whoever
 * changes it meanwhile. Paths are relative or absolute to the tree; both mean the same.
 *
 * <p>Errors: NOT_FOUND, CONFLICT (exists), INVALID (not a directory, a loop of links, a path that
 * leaves the tree), DENIED, EXHAUSTED (space), each with the path.
 */
public interface Tree extends AutoCloseable {
  /** What links mean. */
  enum Resolution {
    /** A link or {@code ..} that leaves the tree is an error (unpacking an archive). */
    BENEATH,
    /** As if the tree were the root directory of the reader (files of an instance). */
    IN_ROOT
  }

  /** What a thing in the tree is. */
  enum Type {
    /** A regular file. */
    FILE,
    /** A directory. */
    DIRECTORY,
    /** A symbolic link. */
    SYMLINK,
    /** A named pipe. */
    FIFO,
    /** A socket. */
    SOCKET,
    /** A character device. */
    CHARACTER_DEVICE,
    /** A block device. */
    BLOCK_DEVICE
  }

  /**
   * Of a thing in the tree, lstat(2).
   *
   * @param type what it is
   * @param mode permission bits with set-user-id, set-group-id and sticky, octal 0 to 07777
   * @param uid owner as this JVM sees it
   * @param gid group as this JVM sees it
   * @param size of a file, in bytes
   * @param modifiedAt with nanoseconds
   * @param deviceMajor of a device
   * @param deviceMinor of a device
   * @param links names that it has
   * @param inode its number
   */
  record Stat(
      Type type,
      int mode,
      long uid,
      long gid,
      long size,
      Instant modifiedAt,
      int deviceMajor,
      int deviceMinor,
      long links,
      long inode) {}

  /**
   * What a new file gets when its content is complete.
   *
   * @param uid owner as this JVM sees it, 0 to 2^32 - 2
   * @param gid likewise
   * @param mode permission bits, 0 to 07777, exactly
   * @param xattrs extended attributes by full name
   * @param modifiedAt with nanoseconds; the time of the last access, too
   */
  record Attributes(long uid, long gid, int mode, Map<String, byte[]> xattrs, Instant modifiedAt) {}

  /**
   * A regular file that is being made, see {@link #newFile}: nobody but its owner can open it
   * before it is finished. For one thread at a time, which need not be the one that made it.
   */
  interface NewFile extends AutoCloseable {
    /**
     * Whether it does not matter any more what becomes of its path and its tree: then it may be
     * finished when they are gone.
     */
    default boolean isIndependent() {
      return false;
    }

    /** Writes bytes behind those before. */
    void write(byte[] bytes, int offset, int length);

    /** Leaves out so many bytes, which read as zeros: a hole where the file system has them. */
    void skip(long length);

    /** Gives the file its attributes; nothing is written behind that. */
    void finish(Attributes attributes);

    /** Without {@link #finish} the file stays as it is. Idempotent. */
    @Override
    void close();
  }

  /** Attributes of a thing, links not followed; empty where it does not exist. */
  Optional<Stat> stat(String path);

  /** The names in a directory, sorted, without {@code .} and {@code ..}. */
  List<String> list(String path);

  /** Reads a regular file, following links; anything but a regular file is INVALID. */
  InputStream read(String path);

  /**
   * Writes a regular file, creating or truncating it, following links; an existing thing that is no
   * regular file is INVALID.
   *
   * @param mode permission bits of a new file, 0 to 07777, exactly
   */
  OutputStream write(String path, int mode);

  /**
   * Writes a regular file as {@link #write} does, and gives it this owner and mode whether it was
   * there or not: through the descriptor that is written to, so that nothing which is put at the
   * path meanwhile gets them in its place, and before the first byte, so that nobody reads the
   * content who may not read the result.
   *
   * @param mode permission bits, 0 to 07777, exactly
   */
  OutputStream writeAs(String path, long uid, long gid, int mode);

  /** The same as {@link #write}, but writes at the end. */
  OutputStream append(String path, int mode);

  /** Creates a regular file that must not exist, links not followed. */
  OutputStream create(String path, int mode);

  /**
   * Makes a regular file that must not exist, links not followed, to be filled and finished. A tree
   * that can does that through the file's own descriptor, see {@link NewFile#isIndependent}; by
   * default it is done by the path.
   */
  default NewFile newFile(String path) {
    return new NewFileByPath(this, path);
  }

  /**
   * Gives a regular file another size, links not followed: what is beyond it goes, and what it
   * grows by reads as zeros, a hole where the file system has them.
   *
   * @param size in bytes
   * @throws dev.stapes.model.StapesException INVALID where it is no regular file; by default
   *     UNSUPPORTED
   */
  default void resize(String path, long size) {
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED, "file " + path, "this tree cannot change its size");
  }

  /** Makes a directory that must not exist. */
  void mkdir(String path, int mode);

  /** Makes a symbolic link; the target is any text. */
  void symlink(String target, String path);

  /** Gives a second name to a file; the first is not followed. */
  void hardlink(String existing, String path);

  /** Makes a named pipe. */
  void mkfifo(String path, int mode);

  /** Makes a device node. */
  void mknod(String path, Type type, int mode, int major, int minor);

  /** The target of a symbolic link. */
  String readlink(String path);

  /** Moves within the tree, replacing what a rename(2) replaces. */
  void rename(String from, String to);

  /** Removes a file, link, device or empty directory. */
  void remove(String path);

  /** Removes a thing and everything below it; does nothing where it does not exist. */
  void removeAll(String path);

  /** Sets the owner, links not followed. */
  void chown(String path, long uid, long gid);

  /** Sets the permission bits, 0 to 07777, of a file or directory. */
  void chmod(String path, int mode);

  /** Sets the modification (and access) time, links not followed. */
  void setModified(String path, Instant time);

  /** Extended attributes by full name such as {@code security.capability}, links not followed. */
  Map<String, byte[]> xattrs(String path);

  /** Sets an extended attribute, links not followed. */
  void setXattr(String path, String name, byte[] value);

  /** The same tree, rooted at a directory below; resolution stays. */
  Tree subtree(String path);

  @Override
  void close();
}
