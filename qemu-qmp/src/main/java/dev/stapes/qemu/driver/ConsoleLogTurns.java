package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the log of a console from growing without end. QEMU has the file open and appends to it, so
 * it must stay the same file: what is in it is copied beside it, with {@code .1} after its name,
 * and taken out of it. Links are not followed.
 */
final class ConsoleLogTurns {
  /** As much as a container's monitor writes before it puts a log aside. */
  static final long FULL = 1 << 20;

  /** Of more than that, which is written where nobody looks, the end is kept. */
  static final long MOST = 16 * FULL;

  private static final Logger LOG = LoggerFactory.getLogger(ConsoleLogTurns.class);
  private static final long AGAIN_MILLIS = 1000;
  private static final int CHUNK = 1 << 16;

  private final Syscalls sys;
  private final Path current;
  private volatile boolean ended;

  ConsoleLogTurns(Syscalls sys, Path current) {
    this.sys = sys;
    this.current = current;
  }

  private Path beside(String suffix) {
    return current.resolveSibling(current.getFileName() + suffix);
  }

  /** Looks at it now, and once a second until the {@link #end}. */
  void watch(Executor behind) {
    behind.execute(
        () -> {
          ignoring(this::mend);
          look(behind);
        });
  }

  private void look(Executor behind) {
    if (ended) {
      return;
    }
    ignoring(this::turn);
    // Where the driver is closed by then nobody hears that it is refused.
    CompletableFuture.delayedExecutor(AGAIN_MILLIS, TimeUnit.MILLISECONDS, behind)
        .execute(() -> look(behind));
  }

  /** Leaves it as it is from now on. Waits where it is just being put aside; idempotent. */
  synchronized void end() {
    ended = true;
  }

  private interface Step {
    void run() throws IOException;
  }

  /** It is tried again. */
  private void ignoring(Step step) {
    try {
      step.run();
    } catch (IOException | LinuxException e) {
      LOG.debug("the log {} is not put aside", current, e);
    }
  }

  /** Makes up for a JVM that died at it: what had been copied was taken out, or was not yet. */
  synchronized void mend() throws IOException {
    Path copy = beside(".new");
    long copied = ended ? -1 : size(copy);
    if (copied >= 0 && size(current) >= copied) {
      Files.delete(copy);
    } else if (copied >= 0) {
      Files.move(copy, beside(".1"), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Puts its content aside, if it is full. What is written at that very moment may be missing. */
  synchronized void turn() throws IOException {
    if (ended || size(current) <= FULL) {
      return;
    }
    Path copy = beside(".new");
    Files.deleteIfExists(copy);
    boolean done = false;
    try (Fd from =
        Fd.openWithoutWaiting(
            sys, current, Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.NO_FOLLOW))) {
      FileStat found = from.stat();
      if (found.kind() != FileKind.FILE || found.links() != 1) {
        return; // QEMU, whose directory that of a throwaway is, has put something else there
      }
      copy(from, copy);
      from.truncate(0);
      done = true;
    } finally {
      if (!done) {
        Files.deleteIfExists(copy);
      }
    }
    Files.move(copy, beside(".1"), StandardCopyOption.REPLACE_EXISTING);
  }

  /** To its end, which moves. */
  private void copy(Fd from, Path copy) {
    try (Fd to =
        Fd.open(
            sys,
            copy,
            Set.of(OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE, OpenFlag.NO_FOLLOW))) {
      ByteBuffer buffer = Syscalls.buffer(CHUNK);
      long size = from.stat().size();
      long at = size > MOST ? size - FULL : 0;
      long most = at + MOST; // else a guest that writes faster than we would hold us
      while (at < most && from.read(buffer.clear(), at) > 0) {
        buffer.flip();
        at += buffer.remaining();
        to.write(buffer);
      }
    }
  }

  /** Of a file; -1: there is none. */
  private static long size(Path file) throws IOException {
    try {
      BasicFileAttributes found =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return found.isRegularFile() ? found.size() : -1;
    } catch (NoSuchFileException e) {
      return -1;
    }
  }
}
