package dev.stapes.storage.zfs;

import dev.stapes.model.Config;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Limits by {@code refquota}: what a volume refers to, but not its snapshots, which are volumes of
 * their own; or by {@code quota}, which counts those, too, until the volume goes back to one of
 * them. A clone has none until it is given one.
 */
final class ZfsQuotas implements StoragePool.Quotas {
  /** A block device has no other. */
  private static final String BLOCK_RESERVATION = "refreservation";

  private final ZfsPool pool;
  private final Zfs zfs;
  private final SharedSync sync;
  private final String limit;
  private final String reservation;
  private final boolean reserved;

  /**
   * Limits in a pool.
   *
   * @param config of the pool
   */
  ZfsQuotas(ZfsPool pool, Zfs zfs, Config config) {
    this.pool = pool;
    this.zfs = zfs;
    boolean alone = config.get(ZfsKeys.USE_REFQUOTA).orElse(true);
    this.limit = alone ? "refquota" : "quota";
    this.reservation = alone ? BLOCK_RESERVATION : "reservation";
    this.reserved = ZfsKeys.reservesSpace(config);
    this.sync = new SharedSync(() -> zfs.sync(pool.root().zpool()));
  }

  @Override
  public void limit(VolumeId id, Optional<Size> size) {
    pool.pass(
        index -> {
          Place place = index.require(id);
          if (place.isSnapshot()) {
            throw new StapesException(
                Kind.DENIED, "volume " + id, "read-only: it cannot be given a limit");
          }
          if (index.blocks(id) > 0) {
            throw StapesException.invalid(
                "volume " + id, "a block device has a size, and no limit");
          }
          if (size.isPresent() && size.get().bytes() == 0) { // which ZFS takes for none
            throw StapesException.invalid("volume " + id, "no limit: \"" + size.get() + "\"");
          }
          String value = size.map(limit -> Long.toString(limit.bytes())).orElse("none");
          if (reserved) {
            reserve(place.dataset(), value);
          } else {
            zfs.set(place.dataset(), limit, value);
          }
          return true;
        });
  }

  /** Where there is no room for that, the limit is as before. */
  private void reserve(DatasetName dataset, String value) {
    List<String> before = zfs.properties(dataset.text(), List.of(limit, reservation));
    try {
      zfs.set(dataset, both(value, value));
    } catch (RuntimeException e) {
      Undo.after(e, () -> zfs.set(dataset, both(bytes(before.get(0)), bytes(before.get(1)))));
      throw e;
    }
  }

  private Map<String, String> both(String limited, String kept) {
    return new TreeMap<>(Map.of(limit, limited, reservation, kept));
  }

  private static String bytes(String value) {
    return Long.toString(ZfsTable.number(value));
  }

  /**
   * Keeps nothing free any more for what is about to be gone: it may have to stay for its
   * snapshots.
   */
  void release(Place place, boolean blocks) {
    if (reserved && !place.isSnapshot()) {
      zfs.set(place.dataset(), blocks ? BLOCK_RESERVATION : reservation, "none");
    }
  }

  @Override
  public Size usage(VolumeId id) {
    return pool.pass(
        index -> {
          Place place = index.require(id);
          if (!place.isSnapshot()) {
            sync.await();
          }
          List<String> values = zfs.properties(place.toString(), List.of("referenced"));
          return Size.ofBytes(ZfsTable.number(values.get(0)));
        });
  }
}
