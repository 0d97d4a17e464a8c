package dev.stapes.storage.lvm;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * A thin pool of LVM and the commands that only its volumes know.
 *
 * @param volumes what is in it, of which it is the one that bears the mark
 */
record ThinPool(PoolVolumes volumes) {
  /**
   * Divides what a pool may take of a group.
   *
   * @param room in bytes
   * @throws dev.stapes.model.StapesException EXHAUSTED
   */
  static ThinPoolPlan plan(PoolContext pool, VolumeGroup group, long room) {
    return ThinPoolPlan.of(room, group.extent(), pool.get(LvmKeys.METADATA_SIZE))
        .orElseThrow(
            () ->
                pool.failure(
                    Kind.EXHAUSTED,
                    "no room for a thin pool in " + Size.ofBytes(room).toDisplay()));
  }

  /** Makes a thin pool of a group's free space. */
  static ThinPool create(Lvm lvm, String group, String name, String mark, ThinPoolPlan plan) {
    lvm.run(
        "lvcreate",
        "--yes",
        "--type",
        "thin-pool",
        "--size",
        PoolVolumes.kibibytes(plan.data()),
        "--poolmetadatasize",
        PoolVolumes.kibibytes(plan.metadata()),
        "--chunksize",
        PoolVolumes.kibibytes(plan.chunk()),
        "--zero",
        "y",
        "--discards",
        "passdown",
        "--addtag",
        VolumeTags.pool(mark),
        "--name",
        name,
        group);
    return new ThinPool(PoolVolumes.thin(lvm, group, name));
  }

  /**
   * Makes a volume, with nothing in it; it is active. It is trash until {@link PoolVolumes#name}:
   * what a crash leaves before that is no volume with half a file system.
   */
  void create(ThinVolume volume) {
    create(volume, VolumeTags.unnamed(volume), List.of("--ignoreactivationskip"));
  }

  /** Makes a block device, which reads as zeros and is whole so; it is not active. */
  void createBlock(ThinVolume volume) {
    create(volume, VolumeTags.of(volume), List.of());
  }

  private void create(ThinVolume volume, List<String> tags, List<String> more) {
    List<String> arguments = new ArrayList<>(List.of("--yes"));
    arguments.addAll(more);
    arguments.addAll(
        List.of(
            "--wipesignatures",
            "n",
            "--type",
            "thin",
            "--thinpool",
            volumes.name(),
            "--virtualsize",
            PoolVolumes.kibibytes(volume.size())));
    arguments.addAll(volumes.described(volume.name(), tags));
    arguments.add(volumes.group());
    lvm().run("lvcreate", arguments);
  }

  /**
   * Makes a volume with the data of another one, as of one moment: where that is mounted, its file
   * system is frozen meanwhile. The new one is not active.
   */
  void snapshot(String source, String target, List<String> tags) {
    List<String> arguments = new ArrayList<>(List.of("--yes", "--snapshot"));
    arguments.addAll(volumes.described(target, tags));
    arguments.add(volumes.path(source));
    lvm().run("lvcreate", arguments);
  }

  /** Gives a volume another size; what is on it is not looked at. */
  void resize(String volume, boolean grows, long bytes) {
    String path = volumes.path(volume);
    if (grows) {
      lvm().run("lvextend", "--yes", "--force", "--size", PoolVolumes.kibibytes(bytes), path);
    } else {
      lvm().reduce(path, bytes);
    }
  }

  /** Makes its data larger. */
  void extendData(long bytes) {
    String path = volumes.path(volumes.name());
    lvm().run("lvextend", "--yes", "--size", "+" + PoolVolumes.kibibytes(bytes), path);
  }

  /**
   * Takes what the group has free for the data; the metadata has a reserve.
   *
   * @return whether there was more
   */
  boolean fill() {
    VolumeGroup group = volumes.groupInfo();
    long more = group.free() - ThinPoolPlan.reserve(fullness().metadataSize());
    long whole = more / group.extent() * group.extent();
    if (whole <= 0) {
      return false;
    }
    extendData(whole);
    return true;
  }

  /** Makes its metadata larger. */
  void extendMetadata(long bytes) {
    String path = volumes.path(volumes.name());
    lvm().run("lvextend", "--yes", "--poolmetadatasize", "+" + PoolVolumes.kibibytes(bytes), path);
  }

  /** How full it is. */
  Fullness fullness() {
    List<LvmRow> rows = lvm().volumes(Fullness.FIELDS, volumes.path(volumes.name()));
    return lvm().read(() -> Fullness.of(LvmReport.only(rows)));
  }

  /** How much of the pool a volume maps, in bytes; it is active. */
  long used(ThinVolume volume) {
    List<LvmRow> rows = lvm().volumes("lv_size,data_percent", volumes.path(volume.name()));
    return lvm()
        .read(
            () -> {
              LvmRow row = LvmReport.only(rows);
              double percent = row.percent("data_percent").orElse(0);
              return (long) (row.number("lv_size") / 100.0 * percent);
            });
  }

  Lvm lvm() {
    return volumes.lvm();
  }
}
