package dev.stapes.lxc;

import dev.stapes.model.IdMapping;
import dev.stapes.model.IdMapping.Range;
import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code raw.idmap}: ids of the host that a container gets as its own, cut out of its usual map.
 *
 * @param entries in order; copied
 */
public record RawIdMap(List<Entry> entries) {
  private static final Pattern LINE =
      Pattern.compile(
          "(both|uid|gid)\\s+(\\d{1,10})(?:-(\\d{1,10}))?\\s+(\\d{1,10})(?:-(\\d{1,10}))?");

  /** Copies. */
  public RawIdMap {
    entries = List.copyOf(entries);
  }

  /** Whom a line is about. */
  public enum Kind {
    /** Users and groups. */
    BOTH,
    /** Users. */
    UID,
    /** Groups. */
    GID
  }

  /**
   * One line.
   *
   * @param kind users, groups or both
   * @param range the ids
   */
  public record Entry(Kind kind, Range range) {}

  /**
   * Reads lines such as {@code both 1000 1000} or {@code uid 50-60 500-510}: host ids, then ids
   * inside.
   *
   * @throws StapesException INVALID, quoting the line
   */
  public static RawIdMap parse(String text) {
    List<Entry> entries = new ArrayList<>();
    text.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .forEach(line -> entries.add(entry(line)));
    return new RawIdMap(entries);
  }

  /**
   * Lays the entries over a map: what it had for the same ids inside is cut out around them.
   *
   * @throws StapesException INVALID where an id of the host would be used twice
   */
  public IdMapping over(IdMapping base) {
    List<Range> uids = base.uids();
    List<Range> gids = base.gids();
    for (Entry entry : entries) {
      if (entry.kind != Kind.GID) {
        uids = insert(uids, entry.range);
      }
      if (entry.kind != Kind.UID) {
        gids = insert(gids, entry.range);
      }
    }
    return new IdMapping(uids, gids);
  }

  private static List<Range> insert(List<Range> map, Range wanted) {
    List<Range> result = new ArrayList<>();
    result.add(wanted);
    for (Range range : map) {
      if (overlap(range.outside(), range.count(), wanted.outside(), wanted.count())) {
        throw StapesException.invalid(
            "raw.idmap",
            "the host ids are in the container's map already: "
                + wanted.outside()
                + "-"
                + (wanted.outside() + wanted.count() - 1));
      }
      if (!overlap(range.inside(), range.count(), wanted.inside(), wanted.count())) {
        result.add(range);
        continue;
      }
      long before = wanted.inside() - range.inside();
      if (before > 0) {
        result.add(new Range(range.inside(), range.outside(), before));
      }
      long end = wanted.inside() + wanted.count();
      long after = range.inside() + range.count() - end;
      if (after > 0) {
        result.add(new Range(end, range.outside() + (end - range.inside()), after));
      }
    }
    return result;
  }

  private static boolean overlap(long a, long aCount, long b, long bCount) {
    return a < b + bCount && b < a + aCount;
  }

  private static Entry entry(String line) {
    Matcher matcher = LINE.matcher(line);
    if (!matcher.matches()) {
      throw StapesException.invalid(
          "raw.idmap", "not \"both|uid|gid <host ids> <ids inside>\": \"" + line + "\"");
    }
    long host = Long.parseLong(matcher.group(2));
    long hostEnd = matcher.group(3) == null ? host : Long.parseLong(matcher.group(3));
    long inside = Long.parseLong(matcher.group(4));
    long insideEnd = matcher.group(5) == null ? inside : Long.parseLong(matcher.group(5));
    if (hostEnd < host || insideEnd - inside != hostEnd - host) {
      throw StapesException.invalid("raw.idmap", "ranges of different length: \"" + line + "\"");
    }
    Kind kind =
        switch (matcher.group(1)) {
          case "uid" -> Kind.UID;
          case "gid" -> Kind.GID;
          default -> Kind.BOTH;
        };
    try {
      return new Entry(kind, new Range(inside, host, hostEnd - host + 1));
    } catch (StapesException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "raw.idmap", "no such ids: \"" + line + "\"", e);
    }
  }
}
