package dev.stapes.storage.lvm;

import static dev.stapes.storage.lvm.RealLvmTests.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What streams of plain volumes do before the first byte, and several of them beside each other;
 * none has a device, so each ends with the error of that.
 */
class LvmPlainStreamsTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId ONE = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.one");
  private static final VolumeId TWO = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.two");
  private static final VolumeId DISK = new VolumeId(VolumeId.Kind.CUSTOM, "disk");
  private static final String CONTENT = "v0123456789abcdef0123456789abcdef";
  private static final Size SIZE = Size.ofMebibytes(64);

  private final AtomicReference<Runnable> copying = new AtomicReference<>(() -> {});
  private final AtomicReference<Runnable> zeroing = new AtomicReference<>(() -> {});
  private final FakeLvm lvm = new FakeLvm();
  private final FakeHost machine = LvmWorld.machine(lvm);
  private final StoragePool pool;

  LvmPlainStreamsTest(@TempDir Path directory) throws IOException {
    PoolSpec spec = LvmWorld.SPEC.with("lvm.use_thinpool", "false").with("volume.size", "64MiB");
    Path own = Files.createDirectory(directory.resolve("pool"));
    this.pool = LvmWorld.provider(contents()).create(machine, spec, own);
  }

  private DeviceContents contents() {
    return new DeviceContents() {
      @Override
      public void zero(Path device, long from, Runnable look) {
        Objects.requireNonNull(zeroing.get()).run();
      }

      @Override
      public void copy(Path from, Path to, Runnable look) {
        Objects.requireNonNull(copying.get()).run();
      }
    };
  }

  @AfterEach
  void close() {
    pool.close();
    machine.close();
  }

  private void send(VolumeId id) {
    StapesException error =
        refused(
            Kind.UNAVAILABLE,
            () ->
                pool.sendReceive()
                    .orElseThrow()
                    .send(id, Optional.empty(), OutputStream.nullOutputStream()));
    assertTrue(String.valueOf(error.getMessage()).contains("cannot be opened"), error.toString());
  }

  private StapesException receive(Kind kind, VolumeId id, Optional<String> base, Size size)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StreamHeader header =
        new StreamHeader(CONTENT, base, Optional.of(VolumeFormat.EXT4), size.bytes());
    new StreamWriter(out, header).end();
    return refused(
        kind,
        () ->
            pool.sendReceive()
                .orElseThrow()
                .receive(id, new ByteArrayInputStream(out.toByteArray())));
  }

  private long made() {
    return machine.commands().stream()
        .filter(command -> command.arguments().contains("lvcreate"))
        .count();
  }

  /** Two at once, who both get there or time out. */
  private static Runnable meeting(int parties) {
    CyclicBarrier barrier = new CyclicBarrier(parties);
    return () -> {
      try {
        int unused = barrier.await(60, TimeUnit.SECONDS);
      } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
        throw new IllegalStateException("alone", e);
      }
    };
  }

  private static void atOnce(List<Runnable> works) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(works.size());
    try {
      List<Future<?>> ends = works.stream().<Future<?>>map(threads::submit).toList();
      for (Future<?> end : ends) {
        end.get(120, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void twins_of_different_volumes_are_made_at_once() throws Exception {
    pool.create(A);
    pool.copy(A, ONE, true);
    pool.copy(A, TWO, true);
    copying.set(meeting(2));
    atOnce(List.of(() -> send(ONE), () -> send(TWO)));
    assertEquals(6, lvm.count());
  }

  @Test
  void a_volume_that_two_send_at_once_gets_one_twin() throws Exception {
    pool.create(A);
    pool.copy(A, ONE, true);
    AtomicInteger copies = new AtomicInteger();
    copying.set(copies::incrementAndGet);
    atOnce(List.of(() -> send(ONE), () -> send(ONE), () -> send(ONE)));
    assertEquals(1, copies.get());
  }

  @Test
  void a_twin_that_is_copied_keeps_its_device_when_a_stream_lets_go_of_it() throws IOException {
    pool.create(A);
    pool.copy(A, ONE, true);
    send(ONE);
    String twin = lvm.beginning("stapes.twin=");
    AtomicInteger copies = new AtomicInteger();
    copying.set(
        () -> {
          copies.incrementAndGet();
          send(ONE);
          assertTrue(lvm.isActive(twin));
        });
    receive(Kind.UNAVAILABLE, B, Optional.of(twin), SIZE);
    assertEquals(1, copies.get());
    assertTrue(!lvm.isActive(twin));
  }

  @Test
  void what_comes_is_refused_at_once_where_there_is_no_room_for_its_twin() throws IOException {
    pool.create(A);
    long made = made();
    StapesException error = receive(Kind.EXHAUSTED, B, Optional.empty(), Size.ofMebibytes(500));
    assertTrue(String.valueOf(error.getMessage()).contains("are needed"), error.toString());
    assertEquals(made, made());
    assertEquals(Set.of(A), pool.list());
    receive(Kind.UNAVAILABLE, B, Optional.empty(), Size.ofMebibytes(400));
    assertEquals(made + 1, made());
  }

  /** Until the first one has its volume, the room for it is nobody's. */
  @Test
  void what_comes_has_room_until_its_end() throws Exception {
    pool.create(A);
    AtomicReference<StapesException> refusal = new AtomicReference<>();
    zeroing.set(
        () -> {
          zeroing.set(() -> {});
          refusal.set(
              refused(
                  Kind.EXHAUSTED,
                  () -> pool.blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(200))));
        });
    receive(Kind.UNAVAILABLE, B, Optional.empty(), Size.ofMebibytes(400));
    assertTrue(Objects.requireNonNull(refusal.get()).toString().contains("are needed"));
    pool.blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(800));
  }

  @Test
  void a_volume_that_two_make_larger_at_once_grows_once() throws Exception {
    StoragePool.BlockVolumes blocks = pool.blockVolumes().orElseThrow();
    blocks.create(A, Size.ofMebibytes(8));
    Size before = pool.info().used();
    zeroing.set(meeting(2));
    Runnable larger = () -> blocks.grow(A, Size.ofMebibytes(20));
    atOnce(List.of(larger, larger));
    assertEquals(before.bytes() + (12L << 20), pool.info().used().bytes());
    assertEquals(Optional.of(Size.ofMebibytes(20)), blocks.size(A));
  }
}
