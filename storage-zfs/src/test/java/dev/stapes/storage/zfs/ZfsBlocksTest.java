package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.StoragePool.BlockVolumes;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.HostLeftovers;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Block volumes whose devices the kernel does not make; over a ZFS that is not there. */
@Timeout(60)
class ZfsBlocksTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final PoolSpec SPEC = PoolSpec.of("contract", "zfs").source("tank/data");

  @TempDir Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();

  /** Ends a pool while somebody waits for a device in it. */
  private void endWhileAttaching(Consumer<StoragePool> end) throws Exception {
    StoragePool pool = new ZfsProvider(Path.of("/")).create(host, SPEC, directory);
    BlockVolumes blocks = pool.blockVolumes().orElseThrow();
    blocks.create(A, Size.ofMebibytes(1));
    pool.copy(A, OLD, true);
    CountDownLatch begun = new CountDownLatch(1);
    zfs.before("clone", begun::countDown);
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      Future<Attachment> attached = other.submit(() -> blocks.attach(OLD, false));
      assertTrue(begun.await(60, TimeUnit.SECONDS));
      end.accept(pool);
      ExecutionException error = assertThrows(ExecutionException.class, attached::get);
      StapesException why = assertInstanceOf(StapesException.class, error.getCause());
      assertEquals(Kind.UNAVAILABLE, why.kind(), why::toString);
    } finally {
      other.shutdownNow();
    }
  }

  @Test
  void who_waits_for_a_device_ends_with_the_pool() throws Exception {
    endWhileAttaching(StoragePool::close);
  }

  @Test
  void who_waits_for_a_device_makes_nothing_in_a_pool_that_is_destroyed() throws Exception {
    endWhileAttaching(StoragePool::destroy);
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }
}
