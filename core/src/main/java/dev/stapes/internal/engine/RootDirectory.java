package dev.stapes.internal.engine;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * A root directory that this JVM holds. The lock is of the kernel's (fcntl(2)), so it is gone with
 * the process, however that ends; the pid in the file is for the message only.
 */
final class RootDirectory implements AutoCloseable {
  private static final int TAG_LENGTH = 8;
  private static final int MOST_PID = 32;

  /**
   * The canonical paths that this JVM holds. It is asked before the file is opened: to close any
   * descriptor of a file gives up all locks that the process has on it (fcntl(2)).
   */
  private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

  /** Never closed, for the same reason: the lock belongs to a copy of this class. */
  private static final ConcurrentLinkedQueue<FileChannel> OF_ANOTHER_LOADER =
      new ConcurrentLinkedQueue<>();

  private final Path path;
  private final FileChannel channel;
  private final AtomicBoolean closed = new AtomicBoolean();

  private RootDirectory(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * Makes the directory where it does not exist, and locks it.
   *
   * @throws StapesException UNAVAILABLE where another Stapes has it open, naming the process
   */
  static RootDirectory lock(Path wanted) {
    String subject = "root directory " + wanted;
    try {
      Path path = make(wanted);
      if (!OPEN.add(path)) {
        throw held(subject, ownPid());
      }
      boolean locked = false;
      try {
        RootDirectory root = new RootDirectory(path, lockFile(path, subject));
        locked = true;
        return root;
      } finally {
        if (!locked) {
          OPEN.remove(path);
        }
      }
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "cannot be opened: " + e, e);
    }
  }

  private static FileChannel lockFile(Path path, String subject) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path.resolve("lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw held(subject, holderOf(channel));
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(ownPid().getBytes(StandardCharsets.US_ASCII)), 0);
      return channel;
    } catch (OverlappingFileLockException e) {
      OF_ANOTHER_LOADER.add(channel);
      throw held(subject, ownPid());
    } catch (IOException | RuntimeException e) {
      closeQuietly(channel, e);
      throw e;
    }
  }

  private static StapesException held(String subject, String holder) {
    return new StapesException(
        Kind.UNAVAILABLE, subject, "another Stapes has it open: process " + holder);
  }

  private static String ownPid() {
    return Long.toString(ProcessHandle.current().pid());
  }

  private static Path make(Path wanted) throws IOException {
    if (Files.exists(wanted) && !Files.isDirectory(wanted)) {
      throw new IOException("not a directory");
    }
    Files.createDirectories(wanted);
    Path path = wanted.toRealPath();
    // Machines search through it with the ids of their user namespaces, nobody lists it.
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x--x"));
    for (String child : new String[] {"pools", "run"}) {
      Files.createDirectories(path.resolve(child));
      Files.setPosixFilePermissions(
          path.resolve(child), PosixFilePermissions.fromString("rwx--x--x"));
    }
    for (String child : new String[] {"images", "logs"}) {
      Files.createDirectories(path.resolve(child));
      Files.setPosixFilePermissions(
          path.resolve(child), PosixFilePermissions.fromString("rwx------"));
    }
    return path;
  }

  private static String holderOf(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(MOST_PID);
    channel.read(text, 0);
    return new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).strip();
  }

  private static void closeQuietly(FileChannel channel, Exception first) {
    try {
      channel.close();
    } catch (IOException e) {
      first.addSuppressed(e);
    }
  }

  /** Absolute and canonical. */
  Path path() {
    return path;
  }

  Path pools() {
    return path.resolve("pools");
  }

  Path images() {
    return path.resolve("images");
  }

  Path run() {
    return path.resolve("run");
  }

  /** What instances have written to their consoles. */
  Path logs() {
    return path.resolve("logs");
  }

  /**
   * Refuses a store that nothing was ever written to where there are pools: their volumes and the
   * machines that run would count as nobody's, and be removed.
   *
   * @throws StapesException UNAVAILABLE
   */
  void requireStateOf(StateStore store) {
    if (store.revision() > 0) {
      return;
    }
    try (Stream<Path> entries = Files.list(pools())) {
      List<String> found =
          entries
              .filter(entry -> !isVacant(entry))
              .map(entry -> "pools/" + entry.getFileName())
              .sorted()
              .toList();
      if (!found.isEmpty()) {
        throw new StapesException(
            Kind.UNAVAILABLE,
            "root directory " + path,
            "its state is gone, but not "
                + found
                + ": put the state back, or move them away to begin anew");
      }
    } catch (IOException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, "root directory " + path, "cannot be opened: " + e, e);
    }
  }

  /** Whether there is nothing at a path, or a directory in which nothing is. */
  static boolean isVacant(Path path) {
    if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      return Files.notExists(path, LinkOption.NOFOLLOW_LINKS);
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.findAny().isEmpty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Names that are global to the machine carry it; no other directory has it. */
  String tag() {
    return Sha256.hex(path.toString()).substring(0, TAG_LENGTH);
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return; // the next one may have it by now
    }
    try {
      channel.close();
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, "root directory " + path, "close: " + e, e);
    } finally {
      OPEN.remove(path);
    }
  }
}
