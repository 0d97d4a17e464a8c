package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a pool has, in memory: nobody but this JVM changes it, so a list costs no process however
 * many volumes there are. Where machines share the group another one may take a volume over: who
 * wants to know {@link #look}s.
 */
final class Catalog {
  private final String subject;
  private final PoolVolumes pool;
  private final Map<VolumeId, ThinVolume> volumes = new TreeMap<>();
  private final Map<String, Twin> twins = new HashMap<>();
  private final Set<VolumeId> coming = new HashSet<>();
  private final Set<String> trash = new LinkedHashSet<>();

  /** How many keep one from being removed. */
  private final Map<String, Integer> kept = new HashMap<>();

  Catalog(String subject, PoolContent content) {
    this.subject = subject;
    this.pool = content.pool();
    for (ThinVolume volume : content.volumes()) {
      volumes.put(volume.id(), volume);
    }
    content.twins().forEach(twin -> twins.put(twin.owner(), twin));
    trash.addAll(content.trash());
  }

  /**
   * Takes over what other machines have changed. What this one changes is in the catalog after it
   * was done, and waits meanwhile: so what LVM says is never older than what is known.
   */
  synchronized Catalog look() {
    if (pool.isShared()) {
      PoolContent now = pool.content();
      // Others take volumes over, and then into the place of one that was here.
      volumes.values().stream()
          .map(ThinVolume::name)
          .filter(now.trash()::contains)
          .forEach(trash::add);
      volumes.clear();
      now.volumes().forEach(this::put);
    }
    return this;
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

  /** A twin is there; where its volume is gone by now, it is trash. */
  synchronized void add(Twin twin) {
    if (isThere(twin.owner())) {
      twins.put(twin.owner(), twin);
    } else {
      trash.add(twin.name());
    }
  }

  private boolean isThere(String owner) {
    return volumes.values().stream().anyMatch(volume -> volume.name().equals(owner));
  }

  /** The twin of a volume. */
  synchronized Optional<Twin> twin(ThinVolume volume) {
    return Optional.ofNullable(twins.get(volume.name()));
  }

  /** One with a content. */
  synchronized Optional<Twin> twin(String content) {
    return twins.values().stream().filter(twin -> twin.content().equals(content)).findFirst();
  }

  /**
   * The name of a content that came. Who has it keeps its name, and shares it with who came of the
   * very same: a stream says itself what it is, and another one is not to take the place of what
   * differences are to.
   *
   * @param said what the stream says
   * @param sum see {@link Twin#sum}
   * @param other a name of its own
   */
  synchronized String contentName(String said, String sum, String other) {
    boolean same =
        twins.values().stream()
            .filter(twin -> twin.content().equals(said))
            .allMatch(twin -> twin.sum().equals(Optional.of(sum)));
    return same ? said : other;
  }

  /** Somebody needs a logical volume, whether it is trash or not. */
  synchronized void keep(String name) {
    kept.merge(name, 1, Integer::sum);
  }

  /** He does no more. */
  synchronized void letGo(String name) {
    kept.computeIfPresent(name, (of, n) -> n == 1 ? null : n - 1);
  }

  /** Does something that needs one. */
  void keeping(String name, Runnable work) {
    keep(name);
    try {
      work.run();
    } finally {
      letGo(name);
    }
  }

  /** A volume has lost its id. */
  synchronized void discarded(ThinVolume volume) {
    volumes.remove(volume.id());
    trash.add(volume.name());
    Twin twin = twins.remove(volume.name());
    if (twin != null) {
      trash.add(twin.name());
    }
  }

  /** A volume has another one in its place. */
  synchronized void replaced(ThinVolume old, ThinVolume volume) {
    volumes.put(volume.id(), volume);
    trash.add(old.name());
  }

  /** A logical volume that nobody knows by an id is there. */
  synchronized void discarded(String name) {
    trash.add(name);
  }

  /** What has no id any more, and can go. */
  synchronized Set<String> trash() {
    Set<String> all = new LinkedHashSet<>(trash);
    all.removeAll(kept.keySet());
    return all;
  }

  /** That is gone. */
  synchronized void reclaimed(Collection<String> names) {
    trash.removeAll(names);
  }
}
