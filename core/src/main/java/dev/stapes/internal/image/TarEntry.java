package dev.stapes.internal.image;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One thing in a tar archive.
 *
 * @param name as the archive has it, unchecked
 * @param kind what it is
 * @param mode 0 to 07777
 * @param uid 0 to 2^32 - 2
 * @param gid likewise
 * @param size of a file, holes included; else 0
 * @param modifiedAt when it was changed
 * @param link target of a symbolic link, or name of the first of hard links; else empty
 * @param major of a device
 * @param minor of a device
 * @param xattrs extended attributes by full name; copied
 */
record TarEntry(
    String name,
    Kind kind,
    int mode,
    long uid,
    long gid,
    long size,
    Instant modifiedAt,
    String link,
    int major,
    int minor,
    SortedMap<String, byte[]> xattrs) {
  /** What a thing is. */
  enum Kind {
    FILE('0'),
    HARDLINK('1'),
    SYMLINK('2'),
    CHARACTER_DEVICE('3'),
    BLOCK_DEVICE('4'),
    DIRECTORY('5'),
    FIFO('6');

    private final char type;

    Kind(char type) {
      this.type = type;
    }

    /** The type flag in the header. */
    char type() {
      return type;
    }
  }

  TarEntry {
    xattrs = Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
  }

  static TarEntry directory(String name, int mode, Instant modifiedAt) {
    return of(name, Kind.DIRECTORY, mode, 0, modifiedAt, "");
  }

  static TarEntry file(String name, int mode, long size, Instant modifiedAt) {
    return of(name, Kind.FILE, mode, size, modifiedAt, "");
  }

  static TarEntry symlink(String name, String target, Instant modifiedAt) {
    return of(name, Kind.SYMLINK, 0777, 0, modifiedAt, target);
  }

  static TarEntry hardlink(String name, String first, Instant modifiedAt) {
    return of(name, Kind.HARDLINK, 0644, 0, modifiedAt, first);
  }

  TarEntry owner(long newUid, long newGid) {
    return new TarEntry(
        name, kind, mode, newUid, newGid, size, modifiedAt, link, major, minor, xattrs);
  }

  TarEntry device(int newMajor, int newMinor) {
    return new TarEntry(
        name, kind, mode, uid, gid, size, modifiedAt, link, newMajor, newMinor, xattrs);
  }

  TarEntry xattrs(Map<String, byte[]> attributes) {
    return new TarEntry(
        name,
        kind,
        mode,
        uid,
        gid,
        size,
        modifiedAt,
        link,
        major,
        minor,
        new TreeMap<>(attributes));
  }

  static TarEntry of(String name, Kind kind, int mode, long size, Instant modifiedAt, String link) {
    return new TarEntry(
        name, kind, mode, 0, 0, size, modifiedAt, link, 0, 0, Collections.emptySortedMap());
  }
}
