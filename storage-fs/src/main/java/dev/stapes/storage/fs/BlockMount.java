package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/** Btrfs on a block device: how it is made, recognised and mounted in the host's namespace. */
final class BlockMount {
  /** The superblock and its copies; see btrfs(5). */
  static final long[] SUPERBLOCKS = {64L << 10, 64L << 20, 256L << 30};

  static final int SUPERBLOCK_SIZE = 4096;

  private static final byte[] MAGIC = "_BHRfS_M".getBytes(StandardCharsets.US_ASCII);
  private static final int MAGIC_AT = 0x40;
  private static final int TOTAL_BYTES_AT = 0x70;
  private static final int LABEL_LIMIT = 255;

  private final PoolContext pool;
  private final Path target;

  BlockMount(PoolContext pool) {
    this.pool = pool;
    this.target = pool.directory().resolve("mnt");
  }

  /**
   * mkfs.btrfs(8); it refuses by itself what has a known signature, a partition table too.
   *
   * @throws StapesException CONFLICT in that case, with nothing written
   */
  void format(Path fileOrDevice) {
    String label = "stapes-" + pool.spec().name();
    String fits = label.substring(0, Math.min(label.length(), LABEL_LIMIT));
    Command command =
        Command.of(
            "mkfs.btrfs", "--quiet", "--nodiscard", "--label", fits, fileOrDevice.toString());
    try {
      pool.host().programs().run(command);
    } catch (StapesException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("appears to contain")) {
        throw new StapesException(
            Kind.CONFLICT, pool.subject(), fileOrDevice + ": not blank: " + message, e);
      }
      throw e;
    }
  }

  /**
   * Checks that there is a whole Btrfs in a file or device, so that the kernel need not complain in
   * its log only.
   *
   * @param size of the file or device, in bytes
   * @return how much of it the file system uses
   */
  long requireFileSystem(Path path, Fd fileOrDevice, long size) {
    ByteBuffer superblock = ByteBuffer.allocateDirect(SUPERBLOCK_SIZE);
    while (superblock.hasRemaining()
        && fileOrDevice.read(superblock, SUPERBLOCKS[0] + superblock.position()) > 0) {
      // reads on
    }
    superblock.order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[MAGIC.length];
    superblock.get(MAGIC_AT, magic);
    if (superblock.hasRemaining() || !Arrays.equals(magic, MAGIC)) {
      throw unavailable(path + ": no Btrfs in it");
    }
    long total = superblock.getLong(TOTAL_BYTES_AT);
    if (Long.compareUnsigned(total, size) > 0) {
      throw unavailable(
          path + ": truncated: the file system has " + total + " bytes, and here are " + size);
    }
    return total;
  }

  /**
   * Mounts a device. {@code noatime}, because a read that writes an access time dirties metadata
   * which the next snapshot must write out; {@code discard=async}, so that what is freed inside is
   * freed in a loop file or on an SSD too, without the deleter waiting for it.
   */
  Path mount(Path device) {
    if (!isMounted()) {
      String options =
          pool.spec()
              .config()
              .get(PoolKeys.MOUNT_OPTIONS)
              .map(more -> "discard=async," + more)
              .orElse("discard=async");
      try {
        pool.host()
            .mounts()
            .mount(device.toString(), target, "btrfs", Set.of(Mounts.Flag.NOATIME), options);
      } catch (StapesException e) {
        throw new StapesException(
            Kind.UNAVAILABLE, pool.subject(), "cannot be mounted: " + e.getMessage(), e);
      }
    }
    return target;
  }

  /** Whether a commit waits until the disk has it (btrfs(5), nobarrier). */
  boolean hasBarriers() {
    String options = pool.spec().config().get(PoolKeys.MOUNT_OPTIONS).orElse("");
    return !Arrays.asList(options.split(",", -1)).contains("nobarrier");
  }

  void unmount() {
    if (isMounted()) {
      pool.host().mounts().unmount(target);
    }
  }

  /** Makes the mount point. */
  void prepare() {
    try {
      if (!Files.isDirectory(target)) {
        Files.createDirectory(target);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(target + ": cannot be made: " + e.getMessage(), e);
    }
  }

  /** Removes the mount point. */
  void remove() {
    try {
      Files.deleteIfExists(target);
    } catch (IOException e) {
      throw new UncheckedIOException(target + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  private boolean isMounted() {
    return pool.host().mounts().below(target).stream()
        .anyMatch(entry -> entry.target().equals(target));
  }

  StapesException unavailable(String problem) {
    return pool.failure(Kind.UNAVAILABLE, problem);
  }

  /** Opens a file or device for reading. */
  Fd open(Path path) {
    return Fd.open(pool.sys(), path, Set.of(OpenFlag.READ));
  }
}
