package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.EXHAUSTED;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.VolumeId;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/** What stays of a fake pool when nobody has it open: its volumes and the space they take. */
final class FakeDisk {
  private final Map<VolumeId, FakeVolume> volumes = new TreeMap<>();
  private final AtomicLong total;
  private final AtomicLong used = new AtomicLong();
  private final FakeParts parts = new FakeParts();
  private long discarded;

  FakeDisk(Size total) {
    this.total = new AtomicLong(total.bytes());
  }

  /** What came of streams that broke. */
  FakeParts parts() {
    return parts;
  }

  synchronized Optional<FakeVolume> find(VolumeId id) {
    return Optional.ofNullable(volumes.get(id));
  }

  synchronized Set<VolumeId> ids() {
    return new TreeSet<>(volumes.keySet());
  }

  synchronized boolean has(UUID identity) {
    return volumes.values().stream().anyMatch(v -> v.isReadOnly() && v.identity.equals(identity));
  }

  synchronized void add(VolumeId id, FakeVolume volume) {
    requireVacant(id);
    volumes.put(id, volume);
  }

  synchronized void requireVacant(VolumeId id) {
    if (volumes.containsKey(id)) {
      throw new StapesException(CONFLICT, "volume " + id, "exists");
    }
  }

  synchronized void discard(VolumeId id) {
    FakeVolume volume = volumes.remove(id);
    if (volume != null) {
      discarded += volume.used();
    }
  }

  synchronized void reclaim() {
    used.addAndGet(-discarded);
    discarded = 0;
  }

  Size total() {
    return Size.ofBytes(total.get());
  }

  Size used() {
    return Size.ofBytes(used.get());
  }

  void grow(Size size) {
    long before = total.get();
    if (size.bytes() < before) {
      throw StapesException.invalid("pool", "cannot shrink from " + total() + " to " + size);
    }
    total.set(size.bytes());
  }

  /** Takes space, or gives it back. */
  void charge(long bytes) {
    long now = used.addAndGet(bytes);
    if (bytes > 0 && now > total.get()) {
      used.addAndGet(-bytes);
      throw new StapesException(EXHAUSTED, "pool", "no space left: all of " + total() + " is used");
    }
  }
}
