package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Quotas;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What limits count, and what is kept free for them; over a ZFS that is not there. */
class ZfsQuotasTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final String DATASET = "tank/data/stapes/instances:a";
  private static final Place PLACE = Place.of(new DatasetName(DATASET));
  private static final PoolSpec SPEC = PoolSpec.of("limits", "zfs").source("tank/data");
  private static final PoolSpec RESERVING = SPEC.with("volume.zfs.reserve_space", "true");

  @TempDir Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();

  private StoragePool pool(PoolSpec spec) {
    return new ZfsProvider(Path.of("/")).create(host, spec, directory);
  }

  private List<String> commands(Runnable work) {
    int before = host.commands().size();
    work.run();
    return host.commands().stream()
        .skip(before)
        .map(command -> String.join(" ", command.arguments()))
        .filter(command -> !command.startsWith("zfs list"))
        .toList();
  }

  private static Optional<Size> mebibytes(long size) {
    return Optional.of(Size.ofMebibytes(size));
  }

  @Test
  void a_limit_counts_snapshots_where_that_is_wanted() {
    StoragePool pool = pool(SPEC.with("volume.zfs.use_refquota", "false"));
    pool.create(A);
    Quotas quotas = pool.quotas().orElseThrow();
    assertEquals(
        List.of("zfs set quota=8388608 " + DATASET), commands(() -> quotas.limit(A, mebibytes(8))));
    assertEquals(
        List.of("zfs set quota=none " + DATASET),
        commands(() -> quotas.limit(A, Optional.empty())));
  }

  @Test
  void what_is_limited_is_reserved_where_that_is_wanted() {
    StoragePool pool = pool(RESERVING);
    pool.create(A);
    Quotas quotas = pool.quotas().orElseThrow();
    assertEquals(
        List.of("zfs set refquota=8388608 refreservation=8388608 " + DATASET),
        commands(() -> quotas.limit(A, mebibytes(8))));
    assertEquals(
        List.of("zfs set refquota=none refreservation=none " + DATASET),
        commands(() -> quotas.limit(A, Optional.empty())));
    pool.destroy();
    StoragePool counting = pool(RESERVING.with("volume.zfs.use_refquota", "false"));
    counting.create(A);
    assertEquals(
        List.of("zfs set quota=8388608 reservation=8388608 " + DATASET),
        commands(() -> counting.quotas().orElseThrow().limit(A, mebibytes(8))));
  }

  @Test
  void a_limit_that_cannot_be_reserved_is_as_before() {
    StoragePool pool = pool(RESERVING);
    pool.create(A);
    Quotas quotas = pool.quotas().orElseThrow();
    quotas.limit(A, mebibytes(8));
    zfs.room(Size.ofMebibytes(10).bytes());
    StapesException error =
        assertThrows(StapesException.class, () -> quotas.limit(A, mebibytes(16)));
    assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
    assertEquals("8388608", zfs.property(PLACE, "refquota"));
    assertEquals("8388608", zfs.property(PLACE, "refreservation"));
  }

  @Test
  void what_is_gone_reserves_nothing_although_its_snapshots_stay() {
    StoragePool pool = pool(RESERVING);
    pool.create(A);
    pool.quotas().orElseThrow().limit(A, mebibytes(8));
    pool.copy(A, OLD, true);
    assertEquals("zfs set refreservation=none " + DATASET, commands(() -> pool.discard(A)).get(0));
    assertEquals(1, commands(() -> pool.discard(OLD)).size(), "a snapshot has none");
  }

  @Test
  void a_block_volume_has_its_size_reserved_where_that_is_wanted() {
    StoragePool pool = pool(RESERVING.with("volume.zfs.use_refquota", "false"));
    assertEquals(
        List.of("zfs create -b 16384 -V 1048576 " + DATASET),
        commands(() -> pool.blockVolumes().orElseThrow().create(A, Size.ofMebibytes(1))));
    assertEquals("zfs set refreservation=none " + DATASET, commands(() -> pool.discard(A)).get(0));
  }

  @Test
  void values_that_are_none_are_refused() {
    for (String key : List.of("volume.zfs.use_refquota", "volume.zfs.reserve_space")) {
      StapesException error =
          assertThrows(StapesException.class, () -> pool(SPEC.with(key, "perhaps")), key);
      assertEquals(Kind.INVALID, error.kind(), error::toString);
    }
  }
}
