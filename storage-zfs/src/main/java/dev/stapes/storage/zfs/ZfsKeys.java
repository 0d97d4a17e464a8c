package dev.stapes.storage.zfs;

import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.ConfigType;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Optional;

/** The config keys of a pool, under Incus's names. */
final class ZfsKeys {
  static final ConfigKey<String> SOURCE =
      ConfigKey.of(
          "source",
          ConfigType.STRING,
          false,
          "A blank block device by its absolute path, or an existing empty dataset such as"
              + " tank/stapes; absent: a file of Stapes's own");
  static final ConfigKey<Size> SIZE =
      ConfigKey.of(
          "size",
          ConfigType.SIZE,
          false,
          "Size of the file; absent: 20 % of the free space, at least 5 GiB, at most 30 GiB");
  static final ConfigKey<String> POOL_NAME =
      ConfigKey.of(
          "zfs.pool_name",
          ConfigType.STRING,
          false,
          "Name of the zpool in the file or on the device; absent: stapes- and a random number");
  static final ConfigKey<Boolean> EXPORT =
      ConfigKey.of(
          "zfs.export",
          ConfigType.BOOL,
          "true",
          false,
          "Whether the machine lets go of the zpool in the file or on the device when the pool is"
              + " closed");
  static final ConfigKey<Size> BLOCK_SIZE =
      ConfigKey.of(
          "volume.zfs.blocksize",
          ConfigType.SIZE,
          false,
          "The largest record of files, and up to 128KiB the blocks of block volumes: a power of"
              + " two from 4KiB to 1MiB; absent: 128KiB, and 16KiB");
  static final ConfigKey<Boolean> USE_REFQUOTA =
      ConfigKey.of(
          "volume.zfs.use_refquota",
          ConfigType.BOOL,
          "true",
          false,
          "Whether a limit counts what a volume refers to alone, and not its snapshots, too");
  static final ConfigKey<Boolean> RESERVE_SPACE =
      ConfigKey.of(
          "volume.zfs.reserve_space",
          ConfigType.BOOL,
          "false",
          false,
          "Whether the pool keeps free for a volume what its limit is, and for a block volume that"
              + " is no copy its size");

  static final ConfigKey<Boolean> DELEGATE =
      ConfigKey.of(
          "volume.zfs.delegate",
          ConfigType.BOOL,
          "false",
          false,
          "Whether containers manage the datasets of their volumes: only false, as pools know no"
              + " containers");

  static final List<ConfigKey<?>> ALL =
      List.of(SOURCE, SIZE, POOL_NAME, EXPORT, BLOCK_SIZE, USE_REFQUOTA, RESERVE_SPACE, DELEGATE);

  private static final Size LEAST = Size.ofBytes(4 << 10);
  private static final Size MOST = Size.ofMebibytes(1);

  private ZfsKeys() {}

  /** Whether limits are reserved. */
  static boolean reservesSpace(Config config) {
    return config.get(RESERVE_SPACE).orElse(false);
  }

  /** Refuses values that ZFS would refuse when something has been made already. */
  static void validate(String subject, Config config) {
    new ConfigSchema(ALL).validate(subject, config.values());
    Optional<Size> block = config.get(BLOCK_SIZE);
    if (block.isPresent()
        && (block.get().compareTo(LEAST) < 0
            || block.get().compareTo(MOST) > 0
            || Long.bitCount(block.get().bytes()) != 1)) {
      throw StapesException.invalid(
          subject,
          BLOCK_SIZE.name() + " must be a power of two from 4KiB to 1MiB: \"" + block.get() + "\"");
    }
    if (config.get(DELEGATE).orElse(false)) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          subject,
          "containers cannot be given their datasets: " + DELEGATE.name() + " is \"true\"");
    }
  }
}
