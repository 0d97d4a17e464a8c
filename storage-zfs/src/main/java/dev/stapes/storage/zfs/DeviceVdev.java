package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.stream.Stream;

/** A whole block device, with a partition table of ZFS. */
final class DeviceVdev implements Vdev {
  private static final int LOOKED_AT = 1 << 20;
  private static final int TYPE_BITS = 0170000;
  private static final int BLOCK_DEVICE = 0060000;

  private final PoolContext pool;
  private final Path device;

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

  /** The partition table and its copy at the end are what makes it somebody's. */
  @Override
  public void clear() {
    try (FileChannel channel = FileChannel.open(device, StandardOpenOption.WRITE)) {
      long size = channel.size();
      zero(channel, 0, Math.min(2L * LOOKED_AT, size));
      zero(channel, Math.max(0, size - LOOKED_AT), size);
      channel.force(false);
    } catch (IOException e) {
      throw new UncheckedIOException(device + ": cannot be cleared: " + e.getMessage(), e);
    }
  }

  private static void zero(FileChannel channel, long from, long to) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocate((int) (to - from));
    while (zeros.hasRemaining()) {
      channel.write(zeros, from + zeros.position());
    }
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
