package dev.stapes.storage.zfs;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigType;
import dev.stapes.model.Size;
import java.util.List;

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

  static final List<ConfigKey<?>> ALL = List.of(SOURCE, SIZE, POOL_NAME);

  private ZfsKeys() {}
}
