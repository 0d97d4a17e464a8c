package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.contract.StorageAction.Attach;
import dev.stapes.testkit.contract.StorageAction.Copy;
import dev.stapes.testkit.contract.StorageAction.Create;
import dev.stapes.testkit.contract.StorageAction.Discard;
import dev.stapes.testkit.contract.StorageAction.Reclaim;
import dev.stapes.testkit.contract.StorageAction.Remove;
import dev.stapes.testkit.contract.StorageAction.Reopen;
import dev.stapes.testkit.contract.StorageAction.Write;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A pool as maps of maps: volumes by id, texts by file. */
final class StorageModel {
  private final Map<VolumeId, Volume> volumes = new TreeMap<>();

  private record Volume(boolean readOnly, Map<String, String> files) {}

  /** Does a step with the real thing and with the model; both succeed or both refuse. */
  void run(StorageAction action, StorageBench bench) {
    Set<Kind> expected = refusal(action);
    try {
      real(action, bench);
      assertEquals(Set.of(), expected, () -> "not refused: " + action);
      apply(action);
    } catch (StapesException e) {
      if (!expected.contains(e.kind())) {
        throw new AssertionError(action + " should be refused as one of " + expected, e);
      }
    }
    assertEquals(volumes.keySet(), bench.pool().list(), () -> "volumes after " + action);
  }

  Map<VolumeId, Map<String, String>> expected() {
    Map<VolumeId, Map<String, String>> all = new TreeMap<>();
    volumes.forEach((id, volume) -> all.put(id, new TreeMap<>(volume.files)));
    return all;
  }

  static Map<VolumeId, Map<String, String>> actual(StorageBench bench) {
    Map<VolumeId, Map<String, String>> all = new TreeMap<>();
    for (VolumeId id : bench.pool().list()) {
      Map<String, String> files = new TreeMap<>();
      bench.withTree(
          id,
          tree -> {
            for (String name : tree.list("/")) {
              files.put(name, String.valueOf(TreePicture.text(tree, name)));
            }
          });
      all.put(id, files);
    }
    return all;
  }

  /** The kinds that a refusal may have; empty: it succeeds. */
  private Set<Kind> refusal(StorageAction action) {
    if (action instanceof Create create) {
      return when(volumes.containsKey(create.id()), Kind.CONFLICT);
    }
    if (action instanceof Copy copy) {
      return volumes.containsKey(copy.source())
          ? when(volumes.containsKey(copy.target()), Kind.CONFLICT)
          : Set.of(Kind.NOT_FOUND);
    }
    if (action instanceof Write write) {
      return changeOf(write.id());
    }
    if (action instanceof Remove remove) {
      Volume volume = volumes.get(remove.id());
      boolean missing = volume == null || !volume.files.containsKey(remove.file());
      // Which of the two reasons a kernel finds first depends on what makes the volume read-only.
      return Stream.concat(changeOf(remove.id()).stream(), when(missing, Kind.NOT_FOUND).stream())
          .collect(Collectors.toSet());
    }
    if (action instanceof Attach attach) {
      return when(!volumes.containsKey(attach.id()), Kind.NOT_FOUND);
    }
    return Set.of();
  }

  private Set<Kind> changeOf(VolumeId id) {
    Volume volume = volumes.get(id);
    return volume == null ? Set.of(Kind.NOT_FOUND) : when(volume.readOnly, Kind.DENIED);
  }

  private static Set<Kind> when(boolean condition, Kind kind) {
    return condition ? Set.of(kind) : Set.of();
  }

  private static void real(StorageAction action, StorageBench bench) {
    if (action instanceof Create create) {
      bench.pool().create(create.id());
    } else if (action instanceof Copy copy) {
      bench.pool().copy(copy.source(), copy.target(), copy.readOnly());
    } else if (action instanceof Discard discard) {
      bench.pool().discard(discard.id());
    } else if (action instanceof Write write) {
      bench.writeText(write.id(), write.file(), write.text());
    } else if (action instanceof Remove remove) {
      try (Tree tree = bench.pool().tree(remove.id(), Tree.Resolution.BENEATH)) {
        tree.remove(remove.file());
      }
    } else if (action instanceof Attach attach) {
      bench.pool().attach(attach.id(), Optional.empty(), true).close();
    } else if (action instanceof Reclaim) {
      bench.pool().reclaim();
    } else if (action instanceof Reopen) {
      bench.reopen();
    }
  }

  private void apply(StorageAction action) {
    if (action instanceof Create create) {
      volumes.put(create.id(), new Volume(false, new TreeMap<>()));
    } else if (action instanceof Copy copy) {
      Volume source = volumes.get(copy.source());
      if (source != null) {
        volumes.put(copy.target(), new Volume(copy.readOnly(), new TreeMap<>(source.files)));
      }
    } else if (action instanceof Discard discard) {
      volumes.remove(discard.id());
    } else if (action instanceof Write write) {
      files(write.id()).put(write.file(), write.text());
    } else if (action instanceof Remove remove) {
      files(remove.id()).remove(remove.file());
    }
  }

  private Map<String, String> files(VolumeId id) {
    Volume volume = volumes.get(id);
    return volume == null ? new TreeMap<>() : volume.files;
  }
}
