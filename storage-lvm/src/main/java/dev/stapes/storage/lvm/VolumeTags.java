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

  private static final String POOL = "stapes.pool=";
  private static final String ID = "stapes.volume=";
  private static final String FORMAT = "stapes.format=";

  private VolumeTags() {}

  /** The mark of a thin pool. */
  static String pool(String mark) {
    return POOL + mark;
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
    tags.add(format(volume.format()));
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
    if (id.isEmpty() || format.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new ThinVolume(
            row.text("lv_name"),
            id.get(),
            format.get(),
            tags.contains(READ_ONLY),
            tags.contains(COPIED),
            row.number("lv_size")));
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
