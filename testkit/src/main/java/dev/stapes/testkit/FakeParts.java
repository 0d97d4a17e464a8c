package dev.stapes.testkit;

import dev.stapes.spi.VolumeId;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What stays on a fake disk of streams that broke. */
final class FakeParts {
  private final Map<VolumeId, byte[]> parts = new TreeMap<>();
  private final Set<VolumeId> receiving = new HashSet<>();

  /** False where somebody receives it already. */
  synchronized boolean begin(VolumeId id) {
    return receiving.add(id);
  }

  synchronized void end(VolumeId id) {
    receiving.remove(id);
  }

  synchronized boolean isReceiving(VolumeId id) {
    return receiving.contains(id);
  }

  synchronized void keep(VolumeId id, byte[] came) {
    parts.put(id, came);
  }

  synchronized Optional<byte[]> find(VolumeId id) {
    return Optional.ofNullable(parts.get(id));
  }

  synchronized Set<VolumeId> list() {
    Set<VolumeId> all = new TreeSet<>(parts.keySet());
    all.addAll(receiving);
    return all;
  }

  synchronized void forget(VolumeId id) {
    parts.remove(id);
  }
}
