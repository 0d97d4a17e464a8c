package dev.stapes.storage.lvm;

import dev.stapes.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the tags of a logical volume say of it. A change of tags is one commit of the group's
 * metadata, so that a volume gets and loses its id in one step.
 */
final class VolumeTags {
  /** Of a volume that is gone by its id. */
  static final String TRASH = "stapes.trash";

  static final String READ_ONLY = "stapes.readonly";

  /** Of a copy whose file system has the UUID of its source, which it cannot be mounted with. */
  static final String COPIED = "stapes.copied";

  /** Of the one that bears the mark of a pool whose volumes are plain ones. */
  static final String PLAIN = "stapes.plain";

  /** Of what shows a volume as of one moment, while that is copied. */
  static final String MOMENT = "stapes.moment";

  private static final String MEMBER = "stapes.of=";
  private static final String BLOCK = "stapes.block";
  private static final String REPLACES = "stapes.replaces=";
  private static final String TWIN = "stapes.twin=";
  private static final String CONTENT = "stapes.content=";
  private static final String SUM = "stapes.sum=";
  private static final String POOL = "stapes.pool=";
  private static final String GROUP = "stapes.group=";
  private static final String OWNER = "stapes.owner=";
  private static final String ID = "stapes.volume=";
  private static final String FORMAT = "stapes.format=";

  private VolumeTags() {}

  /** The mark of a pool, which its thin pool bears, or what is in place of one. */
  static String pool(String mark) {
    return POOL + mark;
  }

  /** The mark that a row bears, if any. */
  static Optional<String> mark(LvmRow row) throws LvmReport.Malformed {
    return value(row.list("lv_tags"), POOL);
  }

  /** The mark of the pool that a tag of a volume names. */
  static String markOf(String member) {
    return member.substring(MEMBER.length());
  }

  /** Of each volume of a pool without a thin pool. */
  static String member(String mark) {
    return MEMBER + mark;
  }

  /** The mark of a group that was made for a thin pool. */
  static String group(String mark) {
    return GROUP + mark;
  }

  /** Of all that a directory of a machine has in a group that machines share. */
  static String owner(String owner) {
    return OWNER + owner;
  }

  /** Who has it; empty where nobody is said to. */
  static Optional<String> owner(LvmRow row) throws LvmReport.Malformed {
    return value(row.list("lv_tags"), OWNER);
  }

  /** Whether a row is about what shows a volume as of one moment. */
  static boolean isMoment(LvmRow row) throws LvmReport.Malformed {
    return row.list("lv_tags").contains(MOMENT);
  }

  /** The directories that the row of what bears the mark names. */
  static List<Placement> placements(LvmRow row) throws LvmReport.Malformed {
    List<Placement> all = new ArrayList<>();
    for (String tag : row.list("lv_tags")) {
      Placement.of(tag).ifPresent(all::add);
    }
    return all;
  }

  /** As a condition of LVM's commands: bears at least one tag; see lvmreport(7). */
  static String having(String tag) {
    return "lv_tags={\"" + tag + "\"}";
  }

  /** The same: bears the mark of a pool of plain volumes, and nobody's directory. */
  static String havingMarkAlone(String mark) {
    return "lv_tags=[\"" + pool(mark) + "\" && \"" + PLAIN + "\"]";
  }

  static String id(VolumeId id) {
    return ID + id;
  }

  static String format(VolumeFormat format) {
    return FORMAT + format.type();
  }

  /** All tags of a volume. */
  static List<String> of(ThinVolume volume) {
    return tags(volume, id(volume.id()));
  }

  /** The same of one that has not got its id yet. */
  static List<String> unnamed(ThinVolume volume) {
    return tags(volume, TRASH);
  }

  private static List<String> tags(ThinVolume volume, String first) {
    List<String> tags = new ArrayList<>();
    tags.add(first);
    tags.add(volume.format().map(VolumeTags::format).orElse(BLOCK));
    if (volume.readOnly()) {
      tags.add(READ_ONLY);
    }
    if (volume.copied()) {
      tags.add(COPIED);
    }
    return tags;
  }

  /** Reads the volume of a row of {@code lvs}; empty where its tags name none. */
  static Optional<ThinVolume> volume(LvmRow row) throws LvmReport.Malformed {
    List<String> tags = row.list("lv_tags");
    Optional<VolumeId> id = value(tags, ID).flatMap(VolumeTags::parse);
    Optional<VolumeFormat> format = value(tags, FORMAT).flatMap(VolumeFormat::of);
    if (id.isEmpty() || format.isPresent() == tags.contains(BLOCK)) {
      return Optional.empty();
    }
    return Optional.of(
        new ThinVolume(
            row.text("lv_name"),
            id.get(),
            format,
            tags.contains(READ_ONLY),
            tags.contains(COPIED),
            row.number("lv_size")));
  }

  /** Of a volume that took the id of another one. */
  static String replacing(String old) {
    return REPLACES + old;
  }

  /** The name of the one whose id it took; empty where it took none. */
  static Optional<String> replaced(LvmRow row) throws LvmReport.Malformed {
    return value(row.list("lv_tags"), REPLACES);
  }

  /** All tags of a twin. */
  static List<String> of(Twin twin) {
    List<String> tags = new ArrayList<>();
    tags.add(TWIN + twin.owner());
    tags.add(CONTENT + twin.content());
    twin.sum().ifPresent(sum -> tags.add(SUM + sum));
    return tags;
  }

  /** Reads the twin of a row of {@code lvs}; empty where its tags name none. */
  static Optional<Twin> twin(LvmRow row) throws LvmReport.Malformed {
    List<String> tags = row.list("lv_tags");
    Optional<String> owner = value(tags, TWIN);
    Optional<String> content = value(tags, CONTENT);
    if (owner.isEmpty() || content.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new Twin(row.text("lv_name"), owner.get(), content.get(), value(tags, SUM)));
  }

  private static Optional<String> value(List<String> tags, String prefix) {
    return tags.stream()
        .filter(tag -> tag.startsWith(prefix))
        .map(tag -> tag.substring(prefix.length()))
        .findFirst();
  }

  private static Optional<VolumeId> parse(String text) {
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      String prefix = kind.directory() + "/";
      if (text.startsWith(prefix) && VolumeId.isName(text.substring(prefix.length()))) {
        return Optional.of(new VolumeId(kind, text.substring(prefix.length())));
      }
    }
    return Optional.empty();
  }
}
