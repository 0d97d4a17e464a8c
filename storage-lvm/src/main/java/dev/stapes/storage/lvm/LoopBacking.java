package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.FileFlags;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.host.LoopFileSize;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A sparse file with a loop device over it. The device goes by itself with its last user: the one
 * with the mark is one while it is active, and this as long as it is attached.
 */
final class LoopBacking implements Backing {
  /** Metadata, its spare, room for it to grow, and some data. */
  private static final Size LEAST = Size.ofMebibytes(64);

  private static final long MIB = 1L << 20;
  private static final Path SYSFS = Path.of("/sys");

  /** What may be written at any time. */
  private static final long RESERVE = 32 * MIB;

  private final PoolContext pool;
  private final Path file;
  private @Nullable LoopDevice device;

  LoopBacking(PoolContext pool) {
    this.pool = pool;
    this.file = pool.directory().resolve("disk.img");
  }

  @Override
  public void requireFree() {
    size();
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      throw pool.failure(Kind.CONFLICT, file + ": exists already");
    }
  }

  private Size size() {
    return LoopFileSize.of(
        pool.sys(), pool.subject(), pool.directory(), pool.get(LvmKeys.SIZE), LEAST);
  }

  @Override
  public PoolVolumes create(String mark) {
    Size size = size();
    Set<OpenFlag> anew = Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE);
    try (Fd made = Fd.open(pool.sys(), file, anew)) {
      new FileFlags(pool.sys()).noCopyOnWriteIfPossible(made);
      made.truncate(size.bytes());
    }
    return new OwnGroup(pool).create(attach(), path(), size.bytes(), mark);
  }

  /** The file is in the pool's directory: it was made for the mark. */
  @Override
  public void sweep(String mark) {
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      Lvm lvm = attach();
      try {
        PoolVolumes.find(lvm, mark).ifPresent(found -> requireOwn(found.pool()));
        OwnGroup.sweep(lvm, mark);
      } finally {
        free();
      }
      delete();
    }
  }

  @Override
  public synchronized void requireOwn(PoolVolumes volumes) {
    Optional<Set<String>> below = DmDevices.below(SYSFS, volumes.lowest());
    String own = String.valueOf(device().path().getFileName());
    if (below.isPresent() && !below.get().equals(Set.of(own))) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          "its devices are active and lie on "
              + below.get()
              + ", not on "
              + own
              + " of "
              + file
              + ": one of the two is a copy, and both have the same names: close the other one");
    }
  }

  /** Where nothing is left, all who write into the pool get errors of the device. */
  @Override
  public void requireRoom() {
    long below = new Kernel(pool.sys()).fileSystem(pool.directory()).available();
    if (below >= RESERVE) {
      return;
    }
    try (Fd backing = Fd.open(pool.sys(), file, Set.of(OpenFlag.READ))) {
      FileStat now = backing.stat();
      if (now.allocated() + below < now.size()) {
        throw pool.failure(
            Kind.EXHAUSTED,
            "the disk that its file is on has "
                + Size.ofBytes(below).toDisplay()
                + " free: "
                + file);
      }
    }
  }

  @Override
  public boolean isInDirectory() {
    return true;
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
  public void remove(PoolVolumes volumes) {
    attach();
    try {
      OwnGroup.remove(volumes.lvm(), volumes.group());
    } finally {
      free();
    }
    delete();
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
    FileStat now;
    try (Fd backing = Fd.open(pool.sys(), file, Set.of(OpenFlag.READ))) {
      now = backing.stat();
    }
    long below = new Kernel(pool.sys()).fileSystem(pool.directory()).available();
    long wanted = next(now.size(), now.allocated(), below, most);
    if (wanted <= now.size()) {
      return false;
    }
    grow(thin.lvm(), Size.ofBytes(wanted));
    return thin.fill();
  }

  /**
   * The size after a step, in whole MiB.
   *
   * @param allocated bytes that the file takes already
   * @param below bytes that are free where the file is
   */
  static long next(long size, long allocated, long below, long most) {
    return Math.min(Growth.next(size, most), allocated + below) & -MIB;
  }

  private void growTo(PoolVolumes volumes, Space space, Size size) {
    grow(volumes.lvm(), size);
    boolean unusedMore = space.fill();
  }

  private void grow(Lvm lvm, Size size) {
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
      OwnGroup.grow(lvm, path());
    } finally {
      detach();
    }
  }
}
