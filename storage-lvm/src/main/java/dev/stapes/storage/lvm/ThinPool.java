package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * A thin pool of LVM and the commands on it, each of which is one process and one change.
 *
 * @param lvm runs them
 * @param group the volume group's name
 * @param name its own
 */
record ThinPool(Lvm lvm, String group, String name) {
  /** So many names fit into the arguments of a command, whatever else there is. */
  private static final int MOST_AT_ONCE = 500;

  private static final String VOLUME_FIELDS = "vg_name,lv_name,pool_lv,lv_tags,lv_size";

  /** All that a pool has, as one report says. */
  record Content(ThinPool pool, List<ThinVolume> volumes, List<String> trash) {
    /** Copies. */
    Content {
      volumes = List.copyOf(volumes);
      trash = List.copyOf(trash);
    }
  }

  /** Makes a thin pool of a group's free space. */
  static ThinPool create(Lvm lvm, String group, String name, String mark, ThinPoolPlan plan) {
    lvm.run(
        "lvcreate",
        "--yes",
        "--type",
        "thin-pool",
        "--size",
        kibibytes(plan.data()),
        "--poolmetadatasize",
        kibibytes(plan.metadata()),
        "--chunksize",
        kibibytes(plan.chunk()),
        "--zero",
        "y",
        "--discards",
        "passdown",
        "--addtag",
        VolumeTags.pool(mark),
        "--name",
        name,
        group);
    return new ThinPool(lvm, group, name);
  }

  /** Finds the thin pool with a mark, under whatever name, with its volumes. */
  static Optional<Content> find(Lvm lvm, String mark) {
    List<LvmRow> rows = lvm.volumes(VOLUME_FIELDS);
    return lvm.read(
        () -> {
          for (LvmRow row : rows) {
            if (row.list("lv_tags").contains(VolumeTags.pool(mark))) {
              ThinPool pool = new ThinPool(lvm, row.text("vg_name"), row.text("lv_name"));
              return Optional.of(pool.content(rows));
            }
          }
          return Optional.<Content>empty();
        });
  }

  private Content content(List<LvmRow> rows) throws LvmReport.Malformed {
    List<ThinVolume> volumes = new ArrayList<>();
    List<String> trash = new ArrayList<>();
    for (LvmRow row : rows) {
      if (row.text("vg_name").equals(group) && row.text("pool_lv").equals(name)) {
        VolumeTags.volume(row).ifPresent(volumes::add);
        if (row.list("lv_tags").contains(VolumeTags.TRASH)) {
          trash.add(row.text("lv_name"));
        }
      }
    }
    return new Content(this, volumes, trash);
  }

  /** What it has now. */
  Content content() {
    List<LvmRow> rows = lvm.volumes(VOLUME_FIELDS, group);
    return lvm.read(() -> content(rows));
  }

  /**
   * Makes a volume, with nothing in it; it is active. It is trash until {@link #name}: what a crash
   * leaves before that is no volume with half a file system.
   */
  void create(ThinVolume volume) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--yes",
                "--ignoreactivationskip",
                "--wipesignatures",
                "n",
                "--type",
                "thin",
                "--thinpool",
                name,
                "--virtualsize",
                kibibytes(volume.size())));
    described(volume, VolumeTags.unnamed(volume), arguments);
    arguments.add(group);
    lvm.run("lvcreate", arguments);
  }

  /**
   * Makes a volume with the data of another one, as of one moment: where that is mounted, its file
   * system is frozen meanwhile. The new one is not active.
   */
  void snapshot(ThinVolume source, ThinVolume target) {
    List<String> arguments = new ArrayList<>(List.of("--yes", "--snapshot"));
    described(target, VolumeTags.of(target), arguments);
    arguments.add(path(source.name()));
    lvm.run("lvcreate", arguments);
  }

  /**
   * Nobody activates it by the way, at the boot of the machine for instance: there may be
   * thousands. ({@code --setautoactivation} would say so, but not for thin volumes.)
   */
  private static void described(ThinVolume volume, List<String> tags, List<String> arguments) {
    arguments.addAll(List.of("--setactivationskip", "y", "--name", volume.name()));
    for (String tag : tags) {
      arguments.add("--addtag");
      arguments.add(tag);
    }
  }

  /** Makes its own device appear; does nothing where it is there. */
  void activate() {
    lvm.run("lvchange", "--activate", "y", path(name));
  }

  /** Makes the device of a volume appear; does nothing where it is there. */
  void activate(ThinVolume volume) {
    lvm.run("lvchange", "--activate", "y", "--ignoreactivationskip", path(volume.name()));
  }

  /** Gives a new volume its id: it is one then. */
  void name(ThinVolume volume) {
    lvm.run(
        "lvchange",
        "--deltag",
        VolumeTags.TRASH,
        "--addtag",
        VolumeTags.id(volume.id()),
        path(volume.name()));
  }

  /** Takes a volume's id from it: it is trash then. */
  void throwAway(ThinVolume volume) {
    lvm.run(
        "lvchange",
        "--deltag",
        VolumeTags.id(volume.id()),
        "--addtag",
        VolumeTags.TRASH,
        path(volume.name()));
  }

  /** Takes a tag from a volume. */
  void untag(ThinVolume volume, String tag) {
    lvm.run("lvchange", "--deltag", tag, path(volume.name()));
  }

  /** Removes volumes, those of others left alone where one cannot be. */
  void remove(Collection<String> names) {
    List<String> rest = new ArrayList<>(names);
    while (!rest.isEmpty()) {
      List<String> some = rest.subList(0, Math.min(MOST_AT_ONCE, rest.size()));
      List<String> arguments = new ArrayList<>(List.of("--yes"));
      some.forEach(volume -> arguments.add(path(volume)));
      lvm.run("lvremove", arguments);
      some.clear();
    }
  }

  /** Removes a volume; does nothing where there is none. */
  void removeIfThere(ThinVolume volume) {
    try {
      remove(List.of(volume.name()));
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
    }
  }

  /** Gives a volume another size; what is on it is not looked at. */
  void resize(ThinVolume volume, long bytes) {
    boolean grows = bytes > volume.size();
    lvm.run(
        grows ? "lvextend" : "lvreduce",
        "--yes",
        "--force",
        "--size",
        kibibytes(bytes),
        path(volume.name()));
  }

  /** Makes its data larger. */
  void extendData(long bytes) {
    lvm.run("lvextend", "--yes", "--size", "+" + kibibytes(bytes), path(name));
  }

  /** Makes its metadata larger. */
  void extendMetadata(long bytes) {
    lvm.run("lvextend", "--yes", "--poolmetadatasize", "+" + kibibytes(bytes), path(name));
  }

  /** How full it is. */
  Fullness fullness() {
    List<LvmRow> rows = lvm.volumes(Fullness.FIELDS, path(name));
    return lvm.read(() -> Fullness.of(only(rows)));
  }

  /** What the group has free, and the size of its extents. */
  VolumeGroup groupInfo() {
    return lvm.group(group);
  }

  private static LvmRow only(List<LvmRow> rows) throws LvmReport.Malformed {
    if (rows.size() != 1) {
      throw new LvmReport.Malformed(rows.size() + " rows instead of one");
    }
    return rows.get(0);
  }

  /** Makes devices go that nobody uses; the others stay. */
  void deactivate(Collection<String> names) {
    List<String> all = new ArrayList<>(List.of("--activate", "n"));
    names.forEach(volume -> all.add(path(volume)));
    all.add(path(name));
    lvm.run("lvchange", all);
  }

  /** Removes it with all its volumes. */
  void destroy() {
    lvm.run("lvremove", "--yes", "--force", path(name));
  }

  /** The device of a volume, while it is active. */
  Path device(ThinVolume volume) {
    return Path.of("/dev", group, volume.name());
  }

  private String path(String volume) {
    return group + "/" + volume;
  }

  private static String kibibytes(long bytes) {
    return bytes / 1024 + "k";
  }
}
