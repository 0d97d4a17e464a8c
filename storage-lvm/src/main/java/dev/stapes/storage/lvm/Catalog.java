package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a pool has, in memory: nobody but this JVM changes it, so a list costs no process however
 * many volumes there are.
 */
final class Catalog {
  private final String subject;
  private final Map<VolumeId, ThinVolume> volumes = new TreeMap<>();
  private final Set<VolumeId> coming = new HashSet<>();
  private final Set<String> trash = new LinkedHashSet<>();

  Catalog(String subject, ThinPool.Content content) {
    this.subject = subject;
    for (ThinVolume volume : content.volumes()) {
      volumes.put(volume.id(), volume);
    }
    trash.addAll(content.trash());
  }

  synchronized Optional<ThinVolume> find(VolumeId id) {
    return Optional.ofNullable(volumes.get(id));
  }

  /** The volume; NOT_FOUND without one. */
  ThinVolume get(VolumeId id) {
    return find(id)
        .orElseThrow(
            () -> new StapesException(Kind.NOT_FOUND, "volume " + id, "not found in " + subject));
  }

  synchronized Set<VolumeId> list(VolumeId.Kind kind) {
    Set<VolumeId> all = new HashSet<>();
    volumes.keySet().stream().filter(id -> id.kind() == kind).forEach(all::add);
    return all;
  }

  /** Keeps an id for a volume that is being made; CONFLICT where there is one. */
  synchronized void begin(VolumeId id) {
    if (volumes.containsKey(id) || !coming.add(id)) {
      throw new StapesException(Kind.CONFLICT, "volume " + id, "exists already in " + subject);
    }
  }

  /** The id is free again, or has its volume. */
  synchronized void end(VolumeId id) {
    coming.remove(id);
  }

  /** A volume is there, or is another one now. */
  synchronized void put(ThinVolume volume) {
    volumes.put(volume.id(), volume);
  }

  /** A volume has lost its id. */
  synchronized void discarded(ThinVolume volume) {
    volumes.remove(volume.id());
    trash.add(volume.name());
  }

  /** What has no id any more. */
  synchronized Set<String> trash() {
    return new LinkedHashSet<>(trash);
  }

  /** That is gone. */
  synchronized void reclaimed(Collection<String> names) {
    trash.removeAll(names);
  }
}
