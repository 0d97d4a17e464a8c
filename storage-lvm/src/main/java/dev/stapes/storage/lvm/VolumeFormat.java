package dev.stapes.storage.lvm;

import dev.stapes.model.Size;
import dev.stapes.spi.Command;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The file systems that a volume can have, and the commands of each. A command gets nothing but
 * paths that the driver made itself.
 */
enum VolumeFormat {
  /**
   * ext4(5). It shrinks below what resize2fs reckons with, which may be three times of what it
   * holds, and is checked afterwards. Nothing is reserved for root; inode tables are written when
   * they are used, and not in the background, which would take blocks of the pool.
   */
  EXT4("mkfs.ext4", "e2fsprogs", "discard,noinit_itable", 4) {
    @Override
    Command make(Path device) {
      return command(
          "mkfs.ext4",
          List.of("-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=1"),
          device.toString());
    }

    @Override
    Command grow(Path device, Path mountPoint) {
      return Command.of("resize2fs", device.toString());
    }

    @Override
    Optional<Shrink> shrink() {
      return Optional.of(
          (device, bytes) ->
              List.of(
                  Command.of("e2fsck", "-f", "-y", device.toString()),
                  Command.of("resize2fs", "-f", device.toString(), bytes / 1024 + "K"),
                  Command.of("e2fsck", "-f", "-n", device.toString())));
    }

    @Override
    Optional<Command> renewUuid(Path device) {
      return Optional.empty();
    }
  },

  /** xfs(5). It is mounted with {@code nouuid}, so that a copy can be beside its source. */
  XFS("mkfs.xfs", "xfsprogs", "discard,nouuid", 300) {
    @Override
    Command make(Path device) {
      return command("mkfs.xfs", List.of("-q", "-f", "-K"), device.toString());
    }

    @Override
    Command grow(Path device, Path mountPoint) {
      return Command.of("xfs_growfs", "-d", mountPoint.toString());
    }

    @Override
    Optional<Shrink> shrink() {
      return Optional.empty();
    }

    @Override
    Optional<Command> renewUuid(Path device) {
      return Optional.empty();
    }
  },

  /**
   * btrfs(5). The kernel takes two devices with one UUID for two parts of one file system: a copy
   * gets its own before it is mounted, in its superblock alone ({@code -m}).
   */
  BTRFS("mkfs.btrfs", "btrfs-progs", "discard=async", 110) {
    @Override
    Command make(Path device) {
      return command(
          "mkfs.btrfs", List.of("-q", "-f", "--nodiscard", "-m", "single"), device.toString());
    }

    @Override
    Command grow(Path device, Path mountPoint) {
      return Command.of("btrfs", "filesystem", "resize", "max", mountPoint.toString());
    }

    @Override
    Optional<Shrink> shrink() {
      return Optional.empty();
    }

    @Override
    Optional<Command> renewUuid(Path device) {
      return Optional.of(Command.of("btrfstune", "-f", "-m", device.toString()));
    }
  };

  private final String program;
  private final String artifact;
  private final String options;
  private final int leastMebibytes;

  VolumeFormat(String program, String artifact, String options, int leastMebibytes) {
    this.program = program;
    this.artifact = artifact;
    this.options = options;
    this.leastMebibytes = leastMebibytes;
  }

  /** How an unmounted one gets smaller. */
  @FunctionalInterface
  interface Shrink {
    /** The commands, to a number of bytes that is a multiple of 1,024. */
    List<Command> to(Path device, long bytes);
  }

  /** Makes one on a device that reads as zeros. */
  abstract Command make(Path device);

  /** Makes a mounted one as large as its device. */
  abstract Command grow(Path device, Path mountPoint);

  /** How it gets smaller; empty where it does not. */
  abstract Optional<Shrink> shrink();

  /** Gives an unmounted one a UUID of its own; empty where it can be mounted without. */
  abstract Optional<Command> renewUuid(Path device);

  /** Whether a copy cannot be mounted beside its source as it is. */
  final boolean needsOwnUuid() {
    return this == BTRFS;
  }

  /**
   * Whether it is written out before it is copied. The others the kernel freezes when LVM suspends
   * their device; of Btrfs, which may have several, it does not know that it is on this one.
   */
  final boolean needsSync() {
    return this == BTRFS;
  }

  /** The name that mount(2) takes. */
  final String type() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The program that makes it. */
  final String program() {
    return program;
  }

  /** The package that has it. */
  final String artifact() {
    return artifact;
  }

  /** The options that it is mounted with. */
  final String options() {
    return options;
  }

  /** The smallest device that its program makes one on. */
  final Size least() {
    return Size.ofMebibytes(leastMebibytes);
  }

  /** The one of a name of mount(2). */
  static Optional<VolumeFormat> of(String type) {
    return Arrays.stream(values()).filter(format -> format.type().equals(type)).findFirst();
  }

  private static Command command(String program, List<String> options, String device) {
    List<String> all = new ArrayList<>();
    all.add(program);
    all.addAll(options);
    all.add(device);
    return Command.of(all.toArray(new String[0]));
  }
}
