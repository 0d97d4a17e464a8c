package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Streams over a ZFS that is not there. */
class ZfsStreamsTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final VolumeId NEW = new VolumeId(VolumeId.Kind.SNAPSHOT, "new");
  private static final VolumeId GOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "got");
  private static final VolumeId LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "later");
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");

  /** More than is read before ZFS is asked. */
  private static final int LONG = 3 << 20;

  @TempDir Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private StoragePool pool;

  @BeforeEach
  void create() {
    pool =
        new ZfsProvider(Path.of("/"))
            .create(host, PoolSpec.of("contract", "zfs").source("tank/data"), directory);
    pool.create(A);
    zfs.write(Place.of(ROOT.child("instances:a")), "first");
    pool.copy(A, OLD, true);
    zfs.write(Place.of(ROOT.child("instances:a")), "second");
    pool.copy(A, NEW, true);
  }

  private byte[] sent(VolumeId id, Optional<VolumeId> base) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.sendReceive().orElseThrow().send(id, base, out);
    return out.toByteArray();
  }

  private void receive(VolumeId id, byte[] stream) {
    receive(id, new ByteArrayInputStream(stream));
  }

  private void receive(VolumeId id, InputStream stream) {
    pool.sendReceive().orElseThrow().receive(id, stream);
  }

  private String content(VolumeId id) {
    pool.copy(id, B, false);
    String content = zfs.content(Place.of(ROOT.child("instances:b")));
    pool.discard(B);
    return content;
  }

  @Test
  void what_was_received_has_what_was_sent_short_or_long() {
    for (int padding : new int[] {0, LONG}) {
      zfs.pad(padding);
      receive(GOT, sent(OLD, Optional.empty()));
      assertEquals("first", content(GOT));
      assertEquals(Set.of(A, OLD, NEW, GOT), pool.list());
      pool.discard(GOT);
    }
  }

  @Test
  void a_difference_is_received_as_a_clone_of_its_base_under_any_name() {
    byte[] base = sent(OLD, Optional.empty());
    byte[] difference = sent(NEW, Optional.of(OLD));
    for (VolumeId id : List.of(NEW, OLD, A)) {
      pool.discard(id);
    }
    pool.reclaim();
    receive(GOT, base);
    receive(LATER, difference);
    assertEquals("second", content(LATER));
    pool.discard(GOT);
    pool.reclaim();
    assertEquals("second", content(LATER));
    pool.discard(LATER);
    pool.reclaim();
    assertEquals(List.of("tank", "tank/data", "tank/data/stapes"), zfs.names());
  }

  @Test
  void a_difference_to_nothing_that_is_here_is_refused() {
    byte[] difference = sent(NEW, Optional.of(OLD));
    pool.discard(OLD);
    StapesException error = assertThrows(StapesException.class, () -> receive(GOT, difference));
    assertEquals(Kind.INVALID, error.kind(), error::toString);
    assertEquals(Set.of(A, NEW), pool.list());
  }

  @Test
  void a_base_that_is_no_ancestor_is_done_without() {
    pool.copy(OLD, B, false);
    pool.copy(B, GOT, true);
    assertArrayEquals(sent(GOT, Optional.empty()), sent(GOT, Optional.of(NEW)));
    assertFalse(StreamHeader.parse(sent(GOT, Optional.of(NEW)), "x").isDifference());
    assertTrue(StreamHeader.parse(sent(GOT, Optional.of(OLD)), "x").isDifference());
  }

  @Test
  void what_ends_early_or_is_something_else_leaves_nothing() {
    zfs.pad(LONG);
    byte[] whole = sent(OLD, Optional.empty());
    for (int length : new int[] {0, 311, 312, 400, 1 << 20, 5 << 19, whole.length - 1}) {
      byte[] cut = Arrays.copyOf(whole, length);
      StapesException error = assertThrows(StapesException.class, () -> receive(GOT, cut));
      assertEquals(Kind.INVALID, error.kind(), () -> length + ": " + error);
    }
    byte[] text = "no stream".repeat(100).getBytes(StandardCharsets.UTF_8);
    assertEquals(
        Kind.INVALID, assertThrows(StapesException.class, () -> receive(GOT, text)).kind());
    assertEquals(Set.of(A, OLD, NEW), pool.list());
    assertTrue(zfs.names().stream().noneMatch(name -> name.contains("gone:")), "" + zfs.names());
    receive(GOT, whole);
  }

  @Test
  void a_source_that_breaks_is_not_waited_for_and_leaves_nothing() {
    zfs.pad(LONG);
    byte[] whole = sent(OLD, Optional.empty());
    Callable<Integer> broken =
        () -> {
          throw new IOException("the cable is gone");
        };
    for (int after : new int[] {100, 1000, 5 << 19}) {
      InputStream in =
          new SequenceInputStream(new ByteArrayInputStream(whole, 0, after), new Source(broken));
      StapesException error = assertThrows(StapesException.class, () -> receive(GOT, in));
      assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
      assertTrue(String.valueOf(error.getMessage()).contains("cable"), error.toString());
    }
    assertEquals(Set.of(A, OLD, NEW), pool.list());
  }

  @Test
  void a_target_that_breaks_ends_what_is_sent() {
    zfs.pad(LONG);
    OutputStream out =
        new OutputStream() {
          private int left = 1 << 20;

          @Override
          public void write(int b) throws IOException {
            if (--left < 0) {
              throw new IOException("the cable is gone");
            }
          }
        };
    StapesException error =
        assertThrows(
            StapesException.class,
            () -> pool.sendReceive().orElseThrow().send(OLD, Optional.empty(), out));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
  }

  @Test
  void a_closed_pool_ends_what_is_under_way() {
    zfs.pad(LONG);
    byte[] whole = sent(OLD, Optional.empty());
    InputStream closing =
        new Source(
            () -> {
              pool.close();
              return -1;
            });
    StapesException error =
        assertThrows(
            StapesException.class,
            () ->
                receive(
                    GOT,
                    new SequenceInputStream(new ByteArrayInputStream(whole, 0, 5 << 19), closing)));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
  }

  @Test
  void who_is_interrupted_gives_up() {
    zfs.pad(LONG);
    byte[] whole = sent(OLD, Optional.empty());
    InputStream interrupting =
        new SequenceInputStream(
            new ByteArrayInputStream(whole, 0, 5 << 19),
            new Source(
                () -> {
                  Thread.currentThread().interrupt();
                  return 0;
                }));
    StapesException error = assertThrows(StapesException.class, () -> receive(GOT, interrupting));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, error.kind(), error::toString);
    assertEquals(Set.of(A, OLD, NEW), pool.list());
  }

  /** Before it has found what it sends, or what it receives is the difference to. */
  @Test
  @Timeout(180)
  void a_program_that_hangs_before_it_begins_keeps_nobody_out() throws Exception {
    zfs.pad(LONG);
    byte[] longer = sent(OLD, Optional.empty());
    zfs.pad(0);
    byte[] whole = sent(OLD, Optional.empty());
    byte[] difference = sent(NEW, Optional.of(OLD));
    ExecutorService behind = Executors.newCachedThreadPool();
    CountDownLatch goOn = new CountDownLatch(1);
    try {
      Future<?> received = hanging(behind, "receive", goOn, () -> receive(GOT, longer));
      Future<?> later = hanging(behind, "receive", goOn, () -> receive(LATER, difference));
      AtomicReference<byte[]> again = new AtomicReference<>(new byte[0]);
      Future<?> sent = hanging(behind, "send", goOn, () -> again.set(sent(OLD, Optional.empty())));
      Future<?> others = behind.submit(() -> pool.discard(A)); // nobody copies meanwhile
      others.get(30, TimeUnit.SECONDS);
      goOn.countDown();
      for (Future<?> each : List.of(received, later, sent)) {
        each.get(30, TimeUnit.SECONDS);
      }
      assertArrayEquals(whole, again.get());
      assertEquals("first", content(GOT));
      assertEquals("second", content(LATER));
      assertEquals(Set.of(OLD, NEW, GOT, LATER), pool.list());
    } finally {
      goOn.countDown();
      behind.shutdownNow();
    }
  }

  /** Begins some work, and waits until its program is there and hangs. */
  private Future<?> hanging(
      ExecutorService behind, String program, CountDownLatch goOn, Runnable work)
      throws InterruptedException {
    CountDownLatch there = new CountDownLatch(1);
    zfs.before(
        program,
        () -> {
          there.countDown();
          try {
            goOn.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    Future<?> begun = behind.submit(work);
    assertTrue(there.await(30, TimeUnit.SECONDS));
    return begun;
  }

  @Test
  void a_volume_that_is_gone_before_it_is_sent_is_not_found() {
    zfs.before("send", () -> pool.discard(OLD));
    StapesException error = assertThrows(StapesException.class, () -> sent(OLD, Optional.empty()));
    assertEquals(Kind.NOT_FOUND, error.kind(), error::toString);
  }

  @Test
  void a_pool_whose_removal_failed_sends_and_receives_on() {
    byte[] whole = sent(OLD, Optional.empty());
    zfs.before(
        "destroy",
        () -> {
          throw new IllegalStateException("cannot destroy 'tank/data/stapes': permission denied");
        });
    StapesException error = assertThrows(StapesException.class, pool::destroy);
    assertEquals(Kind.DENIED, error.kind(), error::toString);
    assertArrayEquals(whole, sent(OLD, Optional.empty()));
    receive(GOT, whole);
    assertEquals(Set.of(A, OLD, NEW, GOT), pool.list());
    pool.destroy();
    assertEquals(List.of("tank", "tank/data"), zfs.names());
    error = assertThrows(StapesException.class, () -> receive(LATER, whole));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
  }

  /** A stream whose next byte somebody gives. */
  private static final class Source extends InputStream {
    private final Callable<Integer> next;

    Source(Callable<Integer> next) {
      this.next = next;
    }

    @Override
    public int read() throws IOException {
      try {
        return next.call();
      } catch (Exception e) {
        throw new IOException(e.getMessage(), e);
      }
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int value = read();
      bytes[offset] = (byte) value;
      return value < 0 ? -1 : 1;
    }
  }
}
