package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.BlankDevice;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** A whole block device. */
final class DeviceBacking implements Backing {
  private static final long WORTH_GROWING = 1 << 24;
  private static final Set<OpenFlag> EXCLUSIVELY =
      Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.EXCLUSIVE);

  private final PoolContext pool;
  private final Path device;
  private final BlockMount mount;
  private boolean grown;

  DeviceBacking(PoolContext pool, Path device) {
    this.pool = pool;
    this.device = device;
    this.mount = new BlockMount(pool);
  }

  /** For a block device, O_EXCL of open(2) means that nobody has mounted or claimed it. */
  private Fd openExclusively() {
    try {
      return Fd.open(pool.sys(), device, EXCLUSIVELY);
    } catch (LinuxException e) {
      if (e.is(Errno.EBUSY)) {
        throw pool.failure(Kind.CONFLICT, device + ": somebody uses it");
      }
      throw e;
    }
  }

  @Override
  public void format() {
    try (Fd open = openExclusively()) {
      if (open.stat().kind() != FileKind.BLOCK_DEVICE) {
        throw StapesException.invalid(pool.subject(), "no block device: \"" + device + "\"");
      }
      requireBlank(open);
    }
    try {
      mount.format(device);
      mount.prepare();
    } catch (RuntimeException e) {
      boolean untouched = e instanceof StapesException s && s.kind() == Kind.CONFLICT;
      if (!untouched) {
        Undo.after(e, this::remove);
      }
      throw e;
    }
  }

  /** mkfs.btrfs itself refuses known signatures only; what else there is, is somebody's data. */
  private void requireBlank(Fd open) {
    Optional<String> problem = BlankDevice.problem(open);
    if (problem.isPresent()) {
      throw pool.failure(Kind.CONFLICT, device + ": " + problem.get());
    }
  }

  @Override
  public Path mount() {
    try (Fd open = mount.open(device)) {
      long size = LoopDevice.sizeOf(pool.sys(), open);
      grown = size - mount.requireFileSystem(device, open, size) >= WORTH_GROWING;
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, pool.subject(), "cannot be opened: " + e.getMessage(), e);
    }
    return mount.mount(device);
  }

  @Override
  public boolean hasGrown() {
    return grown;
  }

  @Override
  public void unmount() {
    mount.unmount();
  }

  /** Leaves the device blank: superblocks are what makes it a file system. */
  @Override
  public void remove() {
    mount.remove();
    try (Fd open = openExclusively()) {
      long size = LoopDevice.sizeOf(pool.sys(), open);
      BlankDevice.wipe(pool.sys(), open);
      for (long at : BlockMount.SUPERBLOCKS) {
        if (at + BlockMount.SUPERBLOCK_SIZE <= size) {
          open.write(ByteBuffer.allocateDirect(BlockMount.SUPERBLOCK_SIZE), at);
        }
      }
      open.sync();
    }
  }

  /** A device grows elsewhere; the pool follows when it is opened. */
  @Override
  public Optional<Resize> resize() {
    return Optional.empty();
  }
}
