package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.util.List;
import java.util.Optional;

/**
 * Limits by {@code refquota}: what a volume refers to, but not its snapshots, which are volumes of
 * their own. A clone has none until it is given one.
 */
final class ZfsQuotas implements StoragePool.Quotas {
  private final ZfsPool pool;
  private final Zfs zfs;

  ZfsQuotas(ZfsPool pool, Zfs zfs) {
    this.pool = pool;
    this.zfs = zfs;
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
          String value = size.map(limit -> Long.toString(limit.bytes())).orElse("none");
          zfs.set(place.dataset(), "refquota", value);
          return true;
        });
  }

  @Override
  public Size usage(VolumeId id) {
    return pool.pass(
        index -> {
          Place place = index.require(id);
          if (!place.isSnapshot()) {
            zfs.sync(place.dataset().zpool()); // the count is as of the last transaction group
          }
          List<String> values = zfs.properties(place.toString(), List.of("referenced"));
          return Size.ofBytes(ZfsTable.number(values.get(0)));
        });
  }
}
