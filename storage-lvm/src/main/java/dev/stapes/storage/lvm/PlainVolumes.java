package dev.stapes.storage.lvm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The commands that only plain volumes know.
 *
 * @param volumes of the pool
 */
record PlainVolumes(PoolVolumes volumes) {
  /**
   * Makes the one that bears the mark, of one extent: it says that the pool is there. It is active;
   * no signature is left of what its extent was before.
   */
  static PoolVolumes mark(Lvm lvm, String group, String name, String mark, VolumeGroup info) {
    lvm.run(
        "lvcreate",
        "--yes",
        "--type",
        "linear",
        "--wipesignatures",
        "y",
        "--zero",
        "y",
        "--size",
        PoolVolumes.kibibytes(info.extent()),
        "--addtag",
        VolumeTags.pool(mark),
        "--addtag",
        VolumeTags.PLAIN,
        "--name",
        name,
        group);
    return PoolVolumes.plain(lvm, group, name, mark);
  }

  /**
   * Makes the one that bears the mark of a pool that other machines have, too; it is not active,
   * and has the same name everywhere: so LVM refuses a second one.
   *
   * @param directory of the pool on this machine
   */
  static void sharedMark(PoolVolumes made, String mark, Path directory, VolumeGroup info) {
    made.lvm()
        .run(
            "lvcreate",
            "--yes",
            "--type",
            "linear",
            "--activate",
            "n",
            "--wipesignatures",
            "n",
            "--zero",
            "n",
            "--size",
            PoolVolumes.kibibytes(info.extent()),
            "--addtag",
            VolumeTags.pool(mark),
            "--addtag",
            VolumeTags.PLAIN,
            "--addtag",
            made.placed(directory).tag(),
            "--name",
            made.name(),
            made.group());
  }

  /** Makes a volume with whatever was on its extents before; it is active. */
  void allocate(String name, long size, List<String> tags) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--yes",
                "--ignoreactivationskip",
                "--type",
                "linear",
                "--wipesignatures",
                "n",
                "--zero",
                "n",
                "--size",
                PoolVolumes.kibibytes(size)));
    arguments.addAll(volumes.described(name, tags));
    arguments.add(volumes.group());
    lvm().run("lvcreate", arguments);
  }

  /**
   * Makes what shows a volume as it is now; where that is mounted, its file system is frozen
   * meanwhile. It is active, and trash.
   *
   * @param room how much may be written to the volume before this shows nothing any more
   */
  void moment(String source, String name, long room) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--yes",
                "--snapshot",
                "--ignoreactivationskip",
                "--size",
                PoolVolumes.kibibytes(room)));
    arguments.addAll(volumes.described(name, List.of(VolumeTags.TRASH, VolumeTags.MOMENT)));
    arguments.add(volumes.path(source));
    lvm().run("lvcreate", arguments);
  }

  /** Whether such a one shows nothing any more. */
  boolean isOver(String moment) {
    List<LvmRow> rows = lvm().volumes("lv_snapshot_invalid", volumes.path(moment));
    return lvm().read(() -> isOver(LvmReport.only(rows)));
  }

  static boolean isOver(LvmRow row) throws LvmReport.Malformed {
    return row.text("lv_snapshot_invalid").startsWith("snapshot");
  }

  /** Where the extents of a volume are, a row for each segment, as arguments that ask for these. */
  List<String> extents(String volume) {
    List<LvmRow> rows = lvm().volumes("seg_pe_ranges", volumes.path(volume));
    return lvm().read(() -> extents(rows));
  }

  static List<String> extents(List<LvmRow> rows) throws LvmReport.Malformed {
    List<String> all = new ArrayList<>();
    for (LvmRow row : rows) {
      all.addAll(List.of(row.text("seg_pe_ranges").split(" ", -1)));
    }
    return all;
  }

  /**
   * Gives a volume more, of certain extents.
   *
   * @param bytes that it has then
   */
  void extend(String volume, long bytes, List<String> extents) {
    List<String> arguments =
        new ArrayList<>(
            List.of("--yes", "--size", PoolVolumes.kibibytes(bytes), volumes.path(volume)));
    arguments.addAll(extents);
    lvm().run("lvextend", arguments);
  }

  /**
   * Takes the end of a volume from it.
   *
   * @param bytes that it has then
   */
  void reduce(String volume, long bytes) {
    lvm().reduce(volumes.path(volume), bytes);
  }

  /** A number that each change of the group, by whomever, makes larger by one. */
  long changes() {
    List<LvmRow> rows = lvm().groups("vg_seqno", volumes.group());
    return lvm().read(() -> LvmReport.only(rows).number("vg_seqno"));
  }

  /** How much the group has, and how much of it is used by anybody. */
  Space.Usage usage() {
    List<LvmRow> rows = lvm().groups("vg_size,vg_free", volumes.group());
    return lvm().read(() -> usage(LvmReport.only(rows)));
  }

  static Space.Usage usage(LvmRow row) throws LvmReport.Malformed {
    long size = row.number("vg_size");
    return new Space.Usage(size, size - row.number("vg_free"));
  }

  Lvm lvm() {
    return volumes.lvm();
  }
}
