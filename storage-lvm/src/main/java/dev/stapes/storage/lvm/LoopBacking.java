package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileSystemInfo;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.FileFlags;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A sparse file with a loop device over it. The device goes by itself with its last user: the
 * active thin pool is one, and this as long as it is attached.
 */
final class LoopBacking implements Backing {
  /** Metadata, its spare, room for it to grow, and some data. */
  private static final Size LEAST = Size.ofMebibytes(64);

  private static final long MIB = 1L << 20;
  private static final Size USUAL_LEAST = Size.ofGibibytes(5);
  private static final Size USUAL_MOST = Size.ofGibibytes(30);

  private final PoolContext pool;
  private final Path file;
  private @Nullable LoopDevice device;

  LoopBacking(PoolContext pool) {
    this.pool = pool;
    this.file = pool.directory().resolve("disk.img");
  }

  @Override
  public ThinPool create(String mark) {
    Size size = pool.get(LvmKeys.SIZE).orElseGet(this::usualSize);
    if (size.compareTo(LEAST) < 0) {
      throw StapesException.invalid(
          pool.subject(), "size must be at least " + LEAST + ": \"" + size + "\"");
    }
    Set<OpenFlag> anew = Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE);
    try (Fd made = Fd.open(pool.sys(), file, anew)) {
      new FileFlags(pool.sys()).noCopyOnWriteIfPossible(made);
      made.truncate(size.bytes());
    }
    try {
      Lvm lvm = attach();
      return new OwnGroup(pool).create(lvm, path(), size.bytes(), mark);
    } catch (RuntimeException e) {
      Undo.after(e, this::freeIfAttached);
      Undo.after(e, this::delete);
      throw e;
    }
  }

  /** Incus's rule: 20 % of what is free, from 5 to 30 GiB, and never more than there is. */
  private Size usualSize() {
    FileSystemInfo below = new Kernel(pool.sys()).fileSystem(pool.directory());
    long wanted = below.available() / 5;
    long bounded = Math.min(Math.max(wanted, USUAL_LEAST.bytes()), USUAL_MOST.bytes());
    long size = Math.min(bounded, below.available());
    if (size < LEAST.bytes()) {
      throw pool.failure(
          Kind.EXHAUSTED,
          "no room for a loop file: "
              + Size.ofBytes(below.available()).toDisplay()
              + " free in "
              + pool.directory());
    }
    return Size.ofBytes(size & -MIB);
  }

  @Override
  public synchronized Lvm attach() {
    if (device == null) {
      try (Fd backing = Fd.open(pool.sys(), file, Set.of(OpenFlag.READ, OpenFlag.WRITE))) {
        awaitLock(backing);
        device = LoopDevice.of(pool.sys(), file, true);
      } catch (LinuxException e) {
        String problem =
            e.is(Errno.ENOENT) && Files.notExists(file)
                ? file + ": the loop file is gone"
                : "cannot be attached: " + e.getMessage();
        throw pool.failure(Kind.UNAVAILABLE, problem, e);
      }
    }
    return pool.lvm(Optional.of(path()));
  }

  /** Two processes that attach one file at once would make two devices of it. */
  private void awaitLock(Fd backing) {
    int result;
    do {
      result = pool.sys().libc().flock(backing.number(), Constants.LOCK_EX);
    } while (pool.sys().interrupted(result));
    pool.sys().check(result, "flock", file);
  }

  private synchronized LoopDevice device() {
    if (device == null) {
      throw pool.failure(Kind.INTERNAL, file + ": not attached");
    }
    return device;
  }

  private String path() {
    return device().path().toString();
  }

  @Override
  public synchronized void detach() {
    if (device != null) {
      device.close();
      device = null;
    }
  }

  @Override
  public void remove(ThinPool thin) {
    attach();
    try {
      new OwnGroup(pool).remove(thin.lvm(), thin.group(), path());
    } finally {
      free();
    }
    delete();
  }

  private synchronized void freeIfAttached() {
    if (device != null) {
      free();
    }
  }

  /** Lets the device go, and waits for udev, which may be its last user. */
  private void free() {
    pool.awaitUdev();
    Path binding = Path.of(path().replaceFirst("^/dev/", "/sys/block/"), "loop");
    detach();
    if (Files.exists(binding)) {
      pool.awaitUdev();
    }
  }

  private void delete() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  @Override
  public Optional<Resize> resize() {
    return Optional.of(this::growTo);
  }

  @Override
  public Optional<Growth> growth() {
    return pool.get(LvmKeys.MOST).map(most -> (thin, now) -> step(thin, most.bytes()));
  }

  /** The file is sparse, but what is below it must have room for what may come into it. */
  private boolean step(ThinPool thin, long most) {
    long size;
    try (Fd backing = Fd.open(pool.sys(), file, Set.of(OpenFlag.READ))) {
      size = backing.stat().size();
    }
    long below = new Kernel(pool.sys()).fileSystem(pool.directory()).available();
    long wanted = Math.min(Growth.next(size, most), size + below) & -MIB;
    if (wanted <= size) {
      return false;
    }
    growTo(thin, Size.ofBytes(wanted));
    return true;
  }

  private void growTo(ThinPool thin, Size size) {
    try (Fd backing = Fd.open(pool.sys(), file, Set.of(OpenFlag.READ, OpenFlag.WRITE))) {
      long before = backing.stat().size();
      if (size.bytes() < before) {
        throw StapesException.invalid(
            pool.subject(),
            "a pool does not shrink: it has " + Size.ofBytes(before) + ", asked for " + size);
      }
      backing.truncate(size.bytes());
      attach();
      device().refreshSize();
      OwnGroup.fill(thin, path());
    } finally {
      detach();
    }
  }
}
