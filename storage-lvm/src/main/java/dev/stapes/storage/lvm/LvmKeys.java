package dev.stapes.storage.lvm;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigType;
import dev.stapes.model.Size;
import java.util.List;

/** The config keys of a pool, under Incus's names. */
final class LvmKeys {
  static final ConfigKey<String> SOURCE =
      ConfigKey.of(
          "source",
          ConfigType.STRING,
          false,
          "A blank block device, or the name of a volume group that exists; absent: a loop file of"
              + " Stapes's own");
  static final ConfigKey<Boolean> THIN =
      ConfigKey.of(
          "lvm.use_thinpool",
          ConfigType.BOOL,
          "true",
          false,
          "Whether volumes are thin ones. Others take all of their size at once, and are copied"
              + " block by block; it does not change");
  static final ConfigKey<Size> SIZE =
      ConfigKey.of(
          "size",
          ConfigType.SIZE,
          false,
          "Size of the loop file, or of the thin pool in a volume group that exists; absent: 20 %"
              + " of the free space, at least 5 GiB, at most 30 GiB; all of a volume group");
  static final ConfigKey<Size> METADATA_SIZE =
      ConfigKey.of(
          "lvm.thinpool_metadata_size",
          ConfigType.SIZE,
          false,
          "Size of the thin pool's metadata; absent: four times what one mapping of all its data"
              + " takes");
  static final ConfigKey<Size> MOST =
      ConfigKey.of(
          "lvm.thinpool_max_size",
          ConfigType.SIZE,
          false,
          "Up to where a loop file, or a thin pool in a volume group that exists, grows by itself"
              + " when 80 % of it are in use; absent: it does not. A pool on a device takes what"
              + " the device has");
  static final ConfigKey<String> FORMAT =
      ConfigKey.of(
          "volume.block.filesystem",
          ConfigType.oneOf("ext4", "xfs", "btrfs"),
          "ext4",
          false,
          "File system of new volumes");
  static final ConfigKey<Size> VOLUME_SIZE =
      ConfigKey.of(
          "volume.size",
          ConfigType.SIZE,
          false,
          "Size of new volumes, of which thin ones take of the pool what is written; absent:"
              + " 10 GiB, or with a thin pool that is smaller the size of that");

  static final List<ConfigKey<?>> ALL =
      List.of(SOURCE, SIZE, THIN, MOST, METADATA_SIZE, FORMAT, VOLUME_SIZE);

  static final ConfigKey<String> SHARED_SOURCE =
      ConfigKey.of(
          "source",
          ConfigType.STRING,
          false,
          "The name of a shared volume group (lock type sanlock) that exists and whose locks are"
              + " started, or a blank block device to make one of");
  static final ConfigKey<String> GROUP =
      ConfigKey.of(
          "lvm.vg_name",
          ConfigType.STRING,
          false,
          "Name of the volume group that is made of a block device; absent: that of the pool");
  static final ConfigKey<Size> SHARED_VOLUME_SIZE =
      ConfigKey.of(
          VOLUME_SIZE.name(),
          ConfigType.SIZE,
          false,
          "Size of new volumes, which take all of it at once; absent: 10 GiB");

  /** Of pools that several machines share. */
  static final List<ConfigKey<?>> SHARED =
      List.of(SHARED_SOURCE, GROUP, FORMAT, SHARED_VOLUME_SIZE);

  private LvmKeys() {}
}
