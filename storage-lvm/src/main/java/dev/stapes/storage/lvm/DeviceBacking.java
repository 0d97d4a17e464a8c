package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.BlankDevice;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** A whole block device. */
final class DeviceBacking implements Backing {
  private static final Set<OpenFlag> EXCLUSIVELY =
      Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.EXCLUSIVE);

  private final PoolContext pool;
  private final Path device;

  /** What the device had when the pool took all of it; 0: not known. */
  private long taken;

  DeviceBacking(PoolContext pool, Path device) {
    this.pool = pool;
    this.device = device;
  }

  @Override
  public void requireFree() {
    try (Fd open = openExclusively()) {
      if (open.stat().kind() != FileKind.BLOCK_DEVICE) {
        throw StapesException.invalid(pool.subject(), "no block device: \"" + device + "\"");
      }
      Optional<String> problem = BlankDevice.problem(open);
      if (problem.isPresent()) {
        throw pool.failure(Kind.CONFLICT, device + ": " + problem.get());
      }
    }
  }

  @Override
  public PoolVolumes create(String mark) {
    return new OwnGroup(pool).create(attach(), device.toString(), deviceSize(), mark);
  }

  /**
   * The device was blank when the mark was written. A label of LVM without a group is what is left
   * between the removal of the group and the end of the wiping, and holds nothing.
   */
  @Override
  public void sweep(String mark) {
    Lvm lvm = attach();
    OwnGroup.sweep(lvm, mark);
    wipeIfSpare();
  }

  /** Leaves the device as it was found, where no group has it. */
  void wipeIfSpare() {
    if (attach().hasSpareDevice()) {
      wipe();
    }
  }

  /** There is one device of a name: a copy of the pool's directory is told by its mark. */
  @Override
  public void requireOwn(PoolVolumes volumes) {
    // nothing to compare
  }

  @Override
  public boolean isInDirectory() {
    return false;
  }

  /** For a block device, O_EXCL of open(2) means that nobody has mounted or claimed it. */
  private Fd openExclusively() {
    try {
      return Fd.open(pool.sys(), device, EXCLUSIVELY);
    } catch (LinuxException e) {
      if (e.is(Errno.EBUSY)) {
        throw pool.failure(Kind.CONFLICT, device + ": somebody uses it", e);
      }
      if (e.is(Errno.EISDIR)) {
        throw pool.failure(
            Kind.CONFLICT, device + ": a directory, but LVM wants a block device", e);
      }
      throw pool.failure(
          Kind.INVALID, "no block device to use: \"" + device + "\": " + e.getMessage(), e);
    }
  }

  @Override
  public Lvm attach() {
    if (Files.notExists(device)) {
      throw pool.failure(Kind.UNAVAILABLE, device + ": the device is gone");
    }
    return pool.lvm(Optional.of(device.toString()));
  }

  @Override
  public void detach() {
    // The device is there by itself.
  }

  @Override
  public void remove(PoolVolumes volumes) {
    OwnGroup.remove(volumes.lvm(), volumes.group());
    wipe();
  }

  /** Leaves it as it was found. */
  private void wipe() {
    pool.awaitUdev();
    try (Fd open = openExclusively()) {
      BlankDevice.wipe(pool.sys(), open);
    }
  }

  /** A device grows elsewhere; this takes what it has more by now, all of it. */
  @Override
  public Optional<Resize> resize() {
    return Optional.of(this::growTo);
  }

  private void growTo(PoolVolumes volumes, Space space, Size size) {
    Size now = Size.ofBytes(space.size());
    if (size.compareTo(now) < 0) {
      throw StapesException.invalid(
          pool.subject(), "a pool does not shrink: it has " + now + ", asked for " + size);
    }
    Size has = Size.ofBytes(deviceSize());
    if (size.compareTo(has) > 0) {
      throw pool.failure(
          Kind.EXHAUSTED,
          device
              + ": the device has "
              + has.toDisplay()
              + ", asked for "
              + size.toDisplay()
              + ": make the device larger first");
    }
    take(volumes.lvm(), has.bytes());
    boolean unusedMore = space.fill();
  }

  @Override
  public Optional<Growth> growth() {
    return Optional.of((thin, now) -> step(thin));
  }

  private boolean step(ThinPool thin) {
    long has = deviceSize();
    synchronized (this) {
      if (has == taken) {
        return false;
      }
    }
    take(thin.lvm(), has);
    return thin.fill();
  }

  private synchronized void take(Lvm lvm, long has) {
    taken = has;
    OwnGroup.grow(lvm, device.toString());
  }

  private long deviceSize() {
    try (Fd open = Fd.open(pool.sys(), device, Set.of(OpenFlag.READ))) {
      return LoopDevice.sizeOf(pool.sys(), open);
    }
  }
}
