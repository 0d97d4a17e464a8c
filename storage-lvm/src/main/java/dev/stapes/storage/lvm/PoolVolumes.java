package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The logical volumes of a pool, and the commands on them that are the same wherever their space
 * comes from; each is one process and one change.
 *
 * @param lvm runs them
 * @param group the volume group's name
 * @param name of the one that bears the pool's mark, and is there as long as the pool is: the thin
 *     pool, or one without use of its own
 * @param member the tag that plain volumes of the pool bear; empty: they are in the thin pool
 * @param sharer whose volumes these are, among those who share the group; empty: it is not shared
 */
record PoolVolumes(
    Lvm lvm, String group, String name, Optional<String> member, Optional<Sharer> sharer) {
  /** So many names fit into the arguments of a command, whatever else there is. */
  static final int MOST_AT_ONCE = 500;

  /** Those of a thin pool. */
  static PoolVolumes thin(Lvm lvm, String group, String name) {
    return new PoolVolumes(lvm, group, name, Optional.empty(), Optional.empty());
  }

  /** Plain ones. */
  static PoolVolumes plain(Lvm lvm, String group, String name, String mark) {
    return new PoolVolumes(
        lvm, group, name, Optional.of(VolumeTags.member(mark)), Optional.empty());
  }

  /** Plain ones beside those of other machines. */
  static PoolVolumes shared(Lvm lvm, String group, String name, String mark, Sharer sharer) {
    return new PoolVolumes(
        lvm, group, name, Optional.of(VolumeTags.member(mark)), Optional.of(sharer));
  }

  /** Those that another one has in the same pool. */
  PoolVolumes of(Sharer other) {
    return new PoolVolumes(lvm, group, name, member, Optional.of(other));
  }

  /** Finds those of the pool with a mark, whatever it and the group are called now. */
  static Optional<PoolContent> find(Lvm lvm, String mark) {
    List<LvmRow> rows = lvm.volumes(PoolContent.FIELDS);
    return lvm.read(
        () -> {
          for (LvmRow row : rows) {
            List<String> tags = row.list("lv_tags");
            if (tags.contains(VolumeTags.pool(mark))) {
              String group = row.text("vg_name");
              String name = row.text("lv_name");
              PoolVolumes pool =
                  tags.contains(VolumeTags.PLAIN)
                      ? plain(lvm, group, name, mark)
                      : thin(lvm, group, name);
              return Optional.of(PoolContent.of(pool, rows));
            }
          }
          return Optional.<PoolContent>empty();
        });
  }

  /** Whether they take their space from the group themselves. */
  boolean isPlain() {
    return member.isPresent();
  }

  /** Whether other machines have theirs beside them. */
  boolean isShared() {
    return sharer.isPresent();
  }

  /** Whether a row of {@code lvs} is about one of them. */
  boolean has(LvmRow row) throws LvmReport.Malformed {
    return isAnybodys(row) && VolumeTags.owner(row).equals(sharer.map(Sharer::owner));
  }

  /** Whether it is about a volume of the pool, whoever has it. */
  private boolean isAnybodys(LvmRow row) throws LvmReport.Malformed {
    return row.text("vg_name").equals(group)
        && (member.isPresent()
            ? row.list("lv_tags").contains(member.get())
            : row.text("pool_lv").equals(name));
  }

  /** Whether a row is about the one that bears the mark. */
  boolean is(LvmRow row) throws LvmReport.Malformed {
    return row.text("vg_name").equals(group) && row.text("lv_name").equals(name);
  }

  /** What there is now. */
  PoolContent content() {
    List<LvmRow> rows = lvm.volumes(PoolContent.FIELDS, group);
    return lvm.read(() -> PoolContent.of(this, rows));
  }

  /** The bytes of one. */
  long size(String volume) {
    List<LvmRow> rows = lvm.volumes("lv_size", path(volume));
    return lvm.read(() -> LvmReport.only(rows).number("lv_size"));
  }

  /** The name that device-mapper has for what lies on the devices of the group themselves. */
  String lowest() {
    return mapped(isPlain() ? "" : "_tdata");
  }

  /**
   * What the making of any volume says of it. Nobody activates it by the way, at the boot of the
   * machine for instance: there may be thousands. ({@code --setautoactivation} would say so, but
   * not for thin volumes.)
   */
  List<String> described(String volume, List<String> tags) {
    List<String> all = new ArrayList<>(List.of("--setactivationskip", "y", "--name", volume));
    for (String tag : tags) {
      all.addAll(List.of("--addtag", tag));
    }
    member.ifPresent(tag -> all.addAll(List.of("--addtag", tag)));
    ownerTag().ifPresent(tag -> all.addAll(List.of("--addtag", tag)));
    return all;
  }

  /** Makes something of what was trash so far, such as a volume by its id. */
  void become(String volume, List<String> tags) {
    List<String> arguments = new ArrayList<>();
    if (!tags.contains(VolumeTags.TRASH)) {
      arguments.addAll(List.of("--deltag", VolumeTags.TRASH));
    }
    for (String tag : tags) {
      if (!tag.equals(VolumeTags.TRASH)) {
        arguments.addAll(List.of("--addtag", tag));
      }
    }
    if (!arguments.isEmpty()) {
      arguments.add(path(volume));
      lvm.run("lvchange", arguments);
    }
  }

  /** Gives a new volume its id: it is one then. */
  void name(ThinVolume volume) {
    become(volume.name(), List.of(VolumeTags.id(volume.id())));
  }

  /**
   * Gives a draft the id of what it is a copy of, which is trash from then on, whatever its own
   * tags say.
   */
  void replace(ThinVolume old, ThinVolume draft) {
    become(draft.name(), List.of(VolumeTags.id(draft.id()), VolumeTags.replacing(old.name())));
  }

  private Optional<String> ownerTag() {
    return sharer.map(one -> VolumeTags.owner(one.owner()));
  }

  /** Removes the one with the mark and all others, which nobody uses. */
  void destroy() {
    if (isPlain()) {
      removeAll();
    }
    lvm.run("lvremove", "--yes", "--force", path(name));
  }

  /** Removes all but the one with the mark. */
  void removeAll() {
    List<LvmRow> rows = lvm.volumes(PoolContent.FIELDS, group);
    remove(lvm.read(() -> own(rows)));
  }

  /**
   * Removes the one with the mark where no machine has the pool, and none has left volumes in it.
   * Who comes in meanwhile puts a tag on it, at which LVM looks under its lock.
   */
  void removeMark(String mark) {
    List<LvmRow> rows = lvm.volumes(PoolContent.FIELDS, group);
    boolean empty =
        lvm.read(
            () -> {
              for (LvmRow row : rows) {
                if (isAnybodys(row)) {
                  return false;
                }
              }
              return true;
            });
    if (empty) {
      unlessGone(
          () ->
              lvm.run(
                  "lvremove", "--yes", "--select", VolumeTags.havingMarkAlone(mark), path(name)));
    }
  }

  private static void unlessGone(Runnable command) {
    try {
      command.run();
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
    }
  }

  /** Snapshots come first: they would go with what they are of. */
  private List<String> own(List<LvmRow> rows) throws LvmReport.Malformed {
    List<String> names = new ArrayList<>();
    for (LvmRow row : rows) {
      if (has(row)) {
        boolean first = VolumeTags.isMoment(row);
        names.add(first ? 0 : names.size(), row.text("lv_name"));
      }
    }
    return names;
  }

  /** Makes its own device appear; does nothing where it is there. */
  void activate() {
    lvm.run("lvchange", "--activate", "y", path(name));
  }

  /**
   * Makes the device of a volume appear; does nothing where it is there. Of machines that share it
   * one alone has it.
   */
  void activate(String volume) {
    String how = isShared() ? "ey" : "y";
    lvm.run("lvchange", "--activate", how, "--ignoreactivationskip", path(volume));
  }

  /** Whether a volume is there, is no trash, and is of who has these. */
  boolean isWhole(String volume) {
    try {
      List<LvmRow> rows = lvm.volumes("lv_tags", path(volume));
      return lvm.read(
          () -> {
            List<String> tags = LvmReport.only(rows).list("lv_tags");
            return !tags.contains(VolumeTags.TRASH)
                && (ownerTag().isEmpty() || tags.contains(ownerTag().get()));
          });
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  /** Takes a volume's id from it: it is trash then. */
  void throwAway(ThinVolume volume) {
    throwAway(volume.name(), volume.id());
  }

  /** The same by its name. */
  void throwAway(String volume, VolumeId id) {
    String tag = VolumeTags.id(id);
    lvm.run("lvchange", "--deltag", tag, "--addtag", VolumeTags.TRASH, path(volume));
  }

  /**
   * Takes a volume over from another one, for good: it has the id here from then on, and what had
   * that is trash. It is active, so nobody else has it.
   *
   * @param row of the volume, with its tags
   * @param theirs what it was called
   * @param replaced what has the id here, if anything
   */
  void takeOver(LvmRow row, VolumeId theirs, VolumeId ours, Optional<ThinVolume> replaced) {
    List<String> arguments = new ArrayList<>();
    if (!theirs.equals(ours)) {
      arguments.addAll(List.of("--deltag", VolumeTags.id(theirs)));
      arguments.addAll(List.of("--addtag", VolumeTags.id(ours)));
    }
    lvm.read(
            () ->
                List.of(
                    VolumeTags.owner(row).map(VolumeTags::owner),
                    VolumeTags.replaced(row).map(VolumeTags::replacing)))
        .forEach(tag -> tag.ifPresent(old -> arguments.addAll(List.of("--deltag", old))));
    ownerTag().ifPresent(tag -> arguments.addAll(List.of("--addtag", tag)));
    replaced.ifPresent(
        old -> arguments.addAll(List.of("--addtag", VolumeTags.replacing(old.name()))));
    arguments.add(lvm.read(() -> path(row.text("lv_name"))));
    lvm.run("lvchange", arguments);
  }

  /**
   * Says in which directory the pool is.
   *
   * @param before what was said so far
   */
  void place(Optional<Placement> before, Placement now) {
    List<String> arguments = new ArrayList<>();
    before.ifPresent(old -> arguments.addAll(List.of("--deltag", old.tag())));
    arguments.addAll(List.of("--addtag", now.tag(), path(name)));
    lvm.run("lvchange", arguments);
  }

  /** What says that these are in a directory of this machine. */
  Placement placed(Path directory) {
    return new Placement(sharer, directory);
  }

  /** This machine has nothing to do with the pool any more. */
  void leave(Placement place) {
    unlessGone(() -> lvm.run("lvchange", "--deltag", place.tag(), path(name)));
  }

  /** Takes a tag from a volume. */
  void untag(ThinVolume volume, String tag) {
    lvm.run("lvchange", "--deltag", tag, path(volume.name()));
  }

  /**
   * Removes volumes, those of others left alone where one cannot be. Where machines share the group
   * LVM looks under its lock whether they are still of who has these.
   */
  void remove(Collection<String> names) {
    List<String> rest = new ArrayList<>(names);
    while (!rest.isEmpty()) {
      List<String> some = rest.subList(0, Math.min(MOST_AT_ONCE, rest.size()));
      List<String> arguments = new ArrayList<>(List.of("--yes"));
      ownerTag().ifPresent(tag -> arguments.addAll(List.of("--select", VolumeTags.having(tag))));
      some.forEach(volume -> arguments.add(path(volume)));
      lvm.run("lvremove", arguments);
      some.clear();
    }
  }

  /** Removes a volume; does nothing where there is none. */
  void removeIfThere(String volume) {
    unlessGone(() -> remove(List.of(volume)));
  }

  /** Makes devices go that nobody uses; the others stay. */
  void deactivate(Collection<String> names) {
    List<String> all = new ArrayList<>(List.of("--activate", "n"));
    names.forEach(volume -> all.add(path(volume)));
    lvm.run("lvchange", all);
  }

  /** What the group has free, and the size of its extents. */
  VolumeGroup groupInfo() {
    return lvm.group(group);
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

  /** How LVM's commands name a volume of it. */
  String path(String volume) {
    return group + "/" + volume;
  }

  /** A size as an argument. */
  static String kibibytes(long bytes) {
    return bytes / 1024 + "k";
  }
}
