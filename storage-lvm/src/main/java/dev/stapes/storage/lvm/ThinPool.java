package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A thin pool of LVM and the commands on it, each of which is one process and one change.
 *
 * @param lvm runs them
 * @param group the volume group's name
 * @param name its own
 */
record ThinPool(Lvm lvm, String group, String name) {
  /** So many names fit into the arguments of a command, whatever else there is. */
  static final int MOST_AT_ONCE = 500;

  private static final String VOLUME_FIELDS = "vg_name,lv_name,pool_lv,lv_tags,lv_size,lv_active";

  /**
   * All that a pool has, as one report says.
   *
   * @param trash names of what has no id any more
   * @param active names of all that have a device
   * @param directory of the pool, where it was said
   */
  record Content(
      ThinPool pool,
      List<ThinVolume> volumes,
      List<Twin> twins,
      List<String> trash,
      List<String> active,
      Optional<Path> directory) {
    /** Copies. */
    Content {
      volumes = List.copyOf(volumes);
      twins = List.copyOf(twins);
      trash = List.copyOf(trash);
      active = List.copyOf(active);
    }

    /** A new pool has nothing. */
    static Content none(ThinPool pool) {
      return new Content(pool, List.of(), List.of(), List.of(), List.of(), Optional.empty());
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
    List<LvmRow> own = new ArrayList<>();
    Optional<Path> directory = Optional.empty();
    for (LvmRow row : rows) {
      if (row.text("vg_name").equals(group) && row.text("pool_lv").equals(name)) {
        own.add(row);
      } else if (row.text("vg_name").equals(group) && row.text("lv_name").equals(name)) {
        directory = VolumeTags.directory(row);
      }
    }
    Set<String> trash = new LinkedHashSet<>();
    List<String> active = new ArrayList<>();
    for (LvmRow row : own) {
      VolumeTags.replaced(row).ifPresent(trash::add);
      if (row.list("lv_tags").contains(VolumeTags.TRASH)) {
        trash.add(row.text("lv_name"));
      }
      if (!row.text("lv_active").isEmpty()) {
        active.add(row.text("lv_name"));
      }
    }
    Map<String, ThinVolume> volumes = new LinkedHashMap<>();
    for (LvmRow row : own) {
      if (!trash.contains(row.text("lv_name"))) {
        VolumeTags.volume(row).ifPresent(volume -> volumes.put(volume.name(), volume));
      }
    }
    List<Twin> twins = new ArrayList<>();
    for (LvmRow row : own) {
      Optional<Twin> twin = VolumeTags.twin(row);
      if (twin.isPresent() && volumes.containsKey(twin.get().owner())) {
        twins.add(twin.get());
      } else if (twin.isPresent()) {
        trash.add(twin.get().name());
      }
    }
    trash.retainAll(names(own));
    return new Content(
        this, List.copyOf(volumes.values()), twins, List.copyOf(trash), active, directory);
  }

  private static Set<String> names(List<LvmRow> rows) throws LvmReport.Malformed {
    Set<String> names = new HashSet<>();
    for (LvmRow row : rows) {
      names.add(row.text("lv_name"));
    }
    return names;
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
            name,
            "--virtualsize",
            kibibytes(volume.size())));
    described(volume.name(), tags, arguments);
    arguments.add(group);
    lvm.run("lvcreate", arguments);
  }

  /**
   * Makes a volume with the data of another one, as of one moment: where that is mounted, its file
   * system is frozen meanwhile. The new one is not active.
   */
  void snapshot(ThinVolume source, ThinVolume target) {
    snapshot(source.name(), target.name(), VolumeTags.of(target));
  }

  /** Makes a copy of a volume that is trash until it {@link #replace}s it; it is not active. */
  void draft(ThinVolume source, ThinVolume target) {
    snapshot(source.name(), target.name(), VolumeTags.unnamed(target));
  }

  /**
   * Gives a draft the id of what it is a copy of, which is trash from then on, whatever its own
   * tags say.
   */
  void replace(ThinVolume old, ThinVolume draft) {
    lvm.run(
        "lvchange",
        "--deltag",
        VolumeTags.TRASH,
        "--addtag",
        VolumeTags.id(draft.id()),
        "--addtag",
        VolumeTags.replacing(old),
        path(draft.name()));
  }

  /** Makes the twin of a volume; it is not active. */
  void snapshot(ThinVolume source, Twin twin) {
    snapshot(source.name(), twin.name(), VolumeTags.of(twin));
  }

  /** Makes a volume that is trash so far, with what a twin has; it is not active. */
  void snapshot(Twin source, String target) {
    snapshot(source.name(), target, List.of(VolumeTags.TRASH));
  }

  /** Makes a volume of what its twin has; it is not active. */
  void snapshot(Twin source, ThinVolume target) {
    snapshot(source.name(), target.name(), VolumeTags.of(target));
  }

  private void snapshot(String source, String target, List<String> tags) {
    List<String> arguments = new ArrayList<>(List.of("--yes", "--snapshot"));
    described(target, tags, arguments);
    arguments.add(path(source));
    lvm.run("lvcreate", arguments);
  }

  /** Makes what was trash so far a twin. */
  void adopt(Twin twin) {
    List<String> arguments = new ArrayList<>(List.of("--deltag", VolumeTags.TRASH));
    for (String tag : VolumeTags.of(twin)) {
      arguments.add("--addtag");
      arguments.add(tag);
    }
    arguments.add(path(twin.name()));
    lvm.run("lvchange", arguments);
  }

  /**
   * Nobody activates it by the way, at the boot of the machine for instance: there may be
   * thousands. ({@code --setautoactivation} would say so, but not for thin volumes.)
   */
  private static void described(String volume, List<String> tags, List<String> arguments) {
    arguments.addAll(List.of("--setactivationskip", "y", "--name", volume));
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
  void activate(String volume) {
    lvm.run("lvchange", "--activate", "y", "--ignoreactivationskip", path(volume));
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

  /**
   * Says in which directory the pool is.
   *
   * @param before what was said so far
   */
  void place(Optional<Path> before, Path directory) {
    List<String> arguments = new ArrayList<>();
    before.ifPresent(old -> arguments.addAll(List.of("--deltag", VolumeTags.directory(old))));
    arguments.addAll(List.of("--addtag", VolumeTags.directory(directory), path(name)));
    lvm.run("lvchange", arguments);
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
  void removeIfThere(String volume) {
    try {
      remove(List.of(volume));
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
    }
  }

  /** Gives a volume another size, where it has not got it; what is on it is not looked at. */
  void fit(String volume, long bytes) {
    List<LvmRow> rows = lvm.volumes("lv_size", path(volume));
    long now = lvm.read(() -> only(rows).number("lv_size"));
    if (now != bytes) {
      resize(volume, bytes > now, bytes);
    }
  }

  /** Gives a volume another size; what is on it is not looked at. */
  void resize(ThinVolume volume, long bytes) {
    resize(volume.name(), bytes > volume.size(), bytes);
  }

  private void resize(String volume, boolean grows, long bytes) {
    lvm.run(
        grows ? "lvextend" : "lvreduce",
        "--yes",
        "--force",
        "--size",
        kibibytes(bytes),
        path(volume));
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
    lvm.run("lvchange", all);
  }

  /** Removes it with all its volumes. */
  void destroy() {
    lvm.run("lvremove", "--yes", "--force", path(name));
  }

  /** The device of a volume, while it is active. */
  Path device(String volume) {
    return Path.of("/dev", group, volume);
  }

  /**
   * The name that device-mapper has for a part of it, with dashes doubled; see dm_build_dm_name of
   * LVM.
   *
   * @param layer such as {@code -tpool} or {@code _tmeta}
   */
  String mapped(String layer) {
    return group.replace("-", "--") + "-" + name.replace("-", "--") + layer;
  }

  /** How much of the pool a volume maps, in bytes; it is active. */
  long used(ThinVolume volume) {
    List<LvmRow> rows = lvm.volumes("lv_size,data_percent", path(volume.name()));
    return lvm.read(
        () -> {
          LvmRow row = only(rows);
          return (long) (row.number("lv_size") / 100.0 * row.percent("data_percent").orElse(0));
        });
  }

  /** How LVM's commands name a volume of it. */
  String path(String volume) {
    return group + "/" + volume;
  }

  private static String kibibytes(long bytes) {
    return bytes / 1024 + "k";
  }
}
