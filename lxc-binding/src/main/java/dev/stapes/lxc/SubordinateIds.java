package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The ids that root may give to containers, subuid(5).
 *
 * @param base first id on the host
 * @param count how many
 */
public record SubordinateIds(long base, long count) {
  /** What a container needs at least. */
  public static final long LEAST = 65_536;

  /** What is used where the machine says nothing. */
  public static final SubordinateIds DEFAULT = new SubordinateIds(1_000_000, 1_000_000_000);

  private static final long LAST = 0xFFFF_FFFEL;

  /** Refuses ranges that leave the 32-bit ids or include root's own. */
  public SubordinateIds {
    if (base < 1 || count < 1 || base + count - 1 > LAST) {
      throw StapesException.invalid(
          "subordinate ids", "out of the 32-bit ids: " + base + ":" + count);
    }
  }

  /**
   * The range of this machine: root's largest one that both files have, else {@link #DEFAULT}.
   *
   * @param etc the directory of {@code subuid} and {@code subgid}
   */
  public static SubordinateIds of(Path etc) throws IOException {
    List<SubordinateIds> uids = read(etc.resolve("subuid"));
    List<SubordinateIds> gids = read(etc.resolve("subgid"));
    Optional<SubordinateIds> best = Optional.empty();
    for (SubordinateIds uid : uids) {
      for (SubordinateIds gid : gids) {
        Optional<SubordinateIds> both = uid.common(gid);
        if (both.isPresent() && both.get().count >= LEAST) {
          boolean larger = best.isEmpty() || both.get().count > best.get().count;
          best = larger ? both : best;
        }
      }
    }
    return best.orElse(DEFAULT);
  }

  /**
   * The ranges of root in the text of a file such as {@code root:1000000:65536}; lines that are
   * something else are somebody else's.
   */
  static List<SubordinateIds> parse(String text) {
    List<SubordinateIds> ranges = new ArrayList<>();
    text.lines()
        .map(line -> line.strip().split(":", -1))
        .filter(parts -> parts.length == 3 && (parts[0].equals("root") || parts[0].equals("0")))
        .forEach(
            parts -> {
              try {
                ranges.add(new SubordinateIds(Long.parseLong(parts[1]), Long.parseLong(parts[2])));
              } catch (NumberFormatException | StapesException e) {
                // newuidmap(1) ignores such a line too
              }
            });
    return ranges;
  }

  private Optional<SubordinateIds> common(SubordinateIds other) {
    long from = Math.max(base, other.base);
    long to = Math.min(base + count, other.base + other.count);
    return from < to ? Optional.of(new SubordinateIds(from, to - from)) : Optional.empty();
  }

  private static List<SubordinateIds> read(Path file) throws IOException {
    try {
      return parse(Files.readString(file));
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }
}
