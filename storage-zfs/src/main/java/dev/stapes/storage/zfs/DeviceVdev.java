package dev.stapes.storage.zfs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.BlankDevice;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A whole block device, with a partition table of ZFS. */
final class DeviceVdev implements Vdev {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceVdev.class);

  /** A partition table of GPT, with sectors of 512 or 4096 bytes. */
  private static final int TABLE = 24 << 10;

  /** The partitions of ZFS begin behind it. */
  private static final int START = 1 << 20;

  private static final Set<OpenFlag> EXCLUSIVELY =
      Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.EXCLUSIVE);

  private static final int MAGIC_AT = (16 << 10) - 40;
  private static final long MAGIC = 0x0210da7ab10c7a11L;

  private static final int LOOKED_AT = 1 << 20;
  private static final int TYPE_BITS = 0170000;
  private static final int BLOCK_DEVICE = 0060000;

  private final PoolContext pool;
  private final Path device;
  private final Syscalls sys = Syscalls.system();

  DeviceVdev(PoolContext pool, Path device) {
    this.pool = pool;
    this.device = device;
  }

  @Override
  public Path path() {
    return device;
  }

  @Override
  public void prepare() {
    // zpool makes the partitions
  }

  @Override
  public boolean isInDirectory() {
    return false;
  }

  /** ZFS names the partition that it made, such as {@code sda1} or {@code nvme0n1p1}. */
  @Override
  public boolean isPartOf(Path part) {
    try {
      String name = device.toRealPath().toString();
      String found = part.toString();
      return found.startsWith(name) && found.substring(name.length()).matches("p?[0-9]*");
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void requireRoom() {
    // a device is as large as it is
  }

  @Override
  public void check() {
    try {
      if (!isBlockDevice()) {
        Kind kind = isFullDirectory() ? Kind.CONFLICT : Kind.INVALID;
        throw pool.failure(kind, "no block device: \"" + device + "\"");
      }
      requireBlank();
    } catch (IOException e) {
      throw pool.failure(Kind.INVALID, device + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private boolean isBlockDevice() throws IOException {
    return Files.exists(device)
        && ((Integer) Files.getAttribute(device, "unix:mode") & TYPE_BITS) == BLOCK_DEVICE;
  }

  private boolean isFullDirectory() throws IOException {
    if (!Files.isDirectory(device)) {
      return false;
    }
    try (Stream<Path> files = Files.list(device)) {
      return files.findAny().isPresent();
    }
  }

  /** zpool-create(8) itself refuses known signatures only; what else there is, is somebody's. */
  private void requireBlank() throws IOException {
    try (FileChannel channel = FileChannel.open(device, StandardOpenOption.READ)) {
      long size = channel.size();
      requireBlank(channel, 0, Math.min(2L * LOOKED_AT, size));
      requireBlank(channel, Math.max(0, size - LOOKED_AT), size);
    }
  }

  /** All that {@link #clear} overwrites: it does so also where ZFS then made no pool of it. */
  private void requireBlank(FileChannel channel, long from, long to) throws IOException {
    ByteBuffer part = ByteBuffer.allocate((int) (to - from));
    while (part.hasRemaining() && channel.read(part, from + part.position()) > 0) {
      // reads on
    }
    part.flip();
    while (part.hasRemaining()) {
      if (part.get() != 0) {
        throw pool.failure(
            Kind.CONFLICT,
            device
                + ": not blank: there is data at byte "
                + (from + part.position() - 1)
                + "; overwrite its first 2 MiB and its last one with zeros if nobody needs it");
      }
    }
  }

  @Override
  public void require() {
    try {
      if (!isBlockDevice()) {
        throw pool.failure(Kind.UNAVAILABLE, device + ": the device is gone");
      }
    } catch (IOException e) {
      throw pool.failure(Kind.UNAVAILABLE, device + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The partition table and its copy at the end are what makes it somebody's. By its head one can
   * see whose: it goes last, so that what is cut short begins again. What somebody has mounted or
   * claimed is not open to us: O_EXCL of open(2) says so. It is theirs where nothing of ZFS is at
   * its head any more.
   */
  @Override
  public void clear() {
    try (Fd open = Fd.open(sys, device, EXCLUSIVELY)) {
      if (!isOfZfs(open)) {
        LOG.info("{}: {} has something else on it, which stays", pool.subject(), device);
        return;
      }
      long size = LoopDevice.sizeOf(sys, open);
      zeroEnd(open, size);
      BlankDevice.wipe(sys, open, 2 * LOOKED_AT, TABLE);
    } catch (LinuxException e) {
      Kind kind = DriverErrors.kind(e.errno());
      if (kind == Kind.BUSY && !hasZfs()) {
        LOG.info("{}: somebody uses {}, which stays", pool.subject(), device);
        return;
      }
      throw pool.failure(
          kind == Kind.NOT_FOUND ? Kind.UNAVAILABLE : kind,
          device + ": cannot be cleared: " + e.getMessage(),
          e);
    }
  }

  private static boolean isOfZfs(Fd open) {
    return isOfZfs(start(open));
  }

  private static ByteBuffer start(Fd open) {
    ByteBuffer start = Syscalls.buffer(START);
    while (start.hasRemaining() && open.read(start, start.position()) > 0) {
      // reads on
    }
    return start.flip();
  }

  /** Where it cannot be read nobody knows. */
  private boolean hasZfs() {
    try (Fd open = Fd.open(sys, device, Set.of(OpenFlag.READ))) {
      ByteBuffer start = start(open);
      return isOfZfs(start) && !isBlank(start);
    } catch (LinuxException e) {
      return true;
    }
  }

  /**
   * Partitions that ZFS makes are called {@code zfs-} and a number; without partitions there is its
   * label, whose first block ends with a magic number and a checksum (vdev_label.c of OpenZFS).
   * Without any of them nothing is there only where all is zero: a Btrfs begins at 64 KiB.
   *
   * @param start the first MiB, or all of a smaller device
   */
  static boolean isOfZfs(ByteBuffer start) {
    ByteBuffer bytes = start.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    byte[] table = new byte[Math.min(TABLE, bytes.remaining())];
    bytes.get(0, table);
    long magic = table.length < TABLE ? 0 : bytes.getLong(MAGIC_AT);
    return new String(table, StandardCharsets.UTF_16LE).contains("zfs-")
        || magic == MAGIC
        || Long.reverseBytes(magic) == MAGIC
        || isBlank(bytes);
  }

  private static boolean isBlank(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      if (bytes.get() != 0) {
        return false;
      }
    }
    return true;
  }

  private static void zeroEnd(Fd open, long size) {
    long from = Math.max(0, size - LOOKED_AT);
    open.write(Syscalls.buffer((int) (size - from)), from);
    open.sync();
  }

  @Override
  public Optional<Backing.Resize> resize() {
    return Optional.empty();
  }

  /** A source as a device; refuses what depends on somebody's current directory. */
  static boolean isPath(String source) {
    return source.startsWith("/");
  }

  /** What a source that is a path stands for. */
  static DeviceVdev of(PoolContext pool, String source) {
    try {
      return new DeviceVdev(pool, Path.of(source).normalize());
    } catch (java.nio.file.InvalidPathException e) {
      throw new StapesException(
          Kind.INVALID, pool.subject(), "source is no path: \"" + source + "\"", e);
    }
  }
}
