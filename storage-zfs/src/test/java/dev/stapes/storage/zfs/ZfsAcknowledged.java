package dev.stapes.storage.zfs;

import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What {@link ZfsDoomed} said that is there, and what it was about to do when it was killed. */
final class ZfsAcknowledged {
  private final Map<VolumeId, String> volumes = new HashMap<>();

  /** What may be there, too, and then holds this. */
  private final Map<VolumeId, String> possible = new HashMap<>();

  /** Those of {@link #possible} that may hold less. */
  private final Set<VolumeId> unwritten = new HashSet<>();

  private final List<Set<VolumeId>> groups = new ArrayList<>();

  private ZfsAcknowledged() {}

  /** What follows from what it said; of the last line of each worker nobody knows. */
  static ZfsAcknowledged of(List<String> said) {
    ZfsAcknowledged state = new ZfsAcknowledged();
    Map<String, String[]> begun = new HashMap<>();
    for (String line : said) {
      String[] words = line.split(" ", -1);
      if (words[1].equals("done")) {
        state.done(begun.getOrDefault(words[0], words));
        begun.remove(words[0]);
      } else {
        begun.put(words[0], words);
      }
    }
    begun.values().forEach(state::undone);
    return state;
  }

  /** Volumes that must be there, with what they hold. */
  Map<VolumeId, String> volumes() {
    return Map.copyOf(volumes);
  }

  /** Whether a volume that need not be there may, with what it holds. */
  boolean mayBe(VolumeId id, StoragePool pool) {
    String text = possible.get(id);
    if (text == null) {
      return false;
    }
    String found = ZfsDoomed.read(pool, id);
    return found.equals(text) || (unwritten.contains(id) && text.startsWith(found));
  }

  /** Whether of those that were to be made together all are there or none. */
  boolean isAllOrNone(Set<VolumeId> there) {
    return groups.stream()
        .allMatch(group -> there.containsAll(group) || group.stream().noneMatch(there::contains));
  }

  private void done(String[] words) {
    List<VolumeId> ids = ids(words);
    switch (words[2]) {
      case "create" -> volumes.put(ids.get(0), ZfsDoomed.text(ids.get(0)));
      case "discard" -> volumes.remove(ids.get(0));
      case "copy", "group" -> {
        for (int i = 0; i < ids.size(); i += 2) {
          volumes.put(ids.get(i + 1), text(ids.get(i)));
        }
      }
      default -> {}
    }
  }

  private void undone(String[] words) {
    List<VolumeId> ids = ids(words);
    switch (words[2]) {
      case "create" -> {
        possible.put(ids.get(0), ZfsDoomed.text(ids.get(0)));
        unwritten.add(ids.get(0));
      }
      case "discard" -> {
        possible.put(ids.get(0), text(ids.get(0)));
        volumes.remove(ids.get(0));
      }
      case "copy", "group" -> {
        Set<VolumeId> together = new HashSet<>();
        for (int i = 0; i < ids.size(); i += 2) {
          possible.put(ids.get(i + 1), text(ids.get(i)));
          together.add(ids.get(i + 1));
        }
        groups.add(together);
      }
      default -> {}
    }
  }

  private String text(VolumeId id) {
    String text = volumes.get(id);
    if (text == null) {
      throw new AssertionError(id + " was not there: " + volumes.keySet());
    }
    return text;
  }

  private static List<VolumeId> ids(String[] words) {
    return Arrays.stream(words)
        .skip(3)
        .map(word -> word.split("/", 2))
        .map(parts -> new VolumeId(VolumeId.Kind.valueOf(parts[0]), parts[1]))
        .toList();
  }
}
