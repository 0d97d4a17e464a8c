package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.SendReceive;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams whose other end takes as long as it likes; a pool without streams skips these. */
abstract class StorageStreamTests extends StorageCapabilityTests {
  private static final VolumeId RECEIVED = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.slowly");

  /** More than a pipe takes. */
  private static final int MEBIBYTES = 4;

  /** Where the processors of a lab are emulated, each command takes seconds. */
  private static final long PATIENCE_SECONDS = 200;

  private static final long LONG_SECONDS = 900;

  @Test
  @Timeout(LONG_SECONDS)
  void who_takes_a_stream_slowly_keeps_nobody_waiting_and_a_close_ends_it() throws Exception {
    SendReceive streams = streamsOfSomething();
    Pause pause = new Pause();
    OutputStream slow =
        new OutputStream() {
          @Override
          public void write(int one) throws IOException {
            pause.await();
          }

          @Override
          public void write(byte[] bytes, int offset, int count) throws IOException {
            pause.await();
          }
        };
    endedByClose(pause, () -> streams.send(SNAPSHOT, Optional.empty(), slow));
  }

  @Test
  @Timeout(LONG_SECONDS)
  void who_gives_a_stream_slowly_keeps_nobody_waiting_and_a_close_ends_it() throws Exception {
    SendReceive streams = streamsOfSomething();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    streams.send(SNAPSHOT, Optional.empty(), out);
    Pause pause = new Pause();
    byte[] whole = out.toByteArray();
    InputStream slow =
        new SequenceInputStream(
            new ByteArrayInputStream(whole, 0, whole.length / 2),
            new PausedInput(pause, whole, whole.length / 2));
    endedByClose(pause, () -> streams.receive(RECEIVED, slow));
  }

  private SendReceive streamsOfSomething() {
    SendReceive streams = can(pool().sendReceive(), "streams of volumes");
    pool().create(A);
    bench().withTree(A, tree -> TreePicture.big(tree, "big", MEBIBYTES));
    pool().copy(A, SNAPSHOT, true);
    return streams;
  }

  private void endedByClose(Pause pause, Runnable transfer) throws Exception {
    StoragePool pool = pool();
    Map<VolumeId, Map<String, String>> before = bench().state();
    ExecutorService behind = Executors.newFixedThreadPool(2);
    try {
      Future<?> ended = behind.submit(transfer);
      pause.awaitBegin(ended);
      Future<?> others =
          behind.submit(
              () -> {
                pool.growable().ifPresent(growable -> growable.grow(larger(pool)));
                pool.create(B);
                pool.close();
              });
      others.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      pause.end();
      ExecutionException error =
          assertThrows(
              ExecutionException.class, () -> ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
      StapesException cause = assertInstanceOf(StapesException.class, error.getCause());
      assertEquals(UNAVAILABLE, cause.kind(), cause.toString());
    } finally {
      pause.end();
      behind.shutdownNow();
      boolean unusedEnd = behind.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
    bench().reopen();
    assertEquals(Set.of(A, B, SNAPSHOT), pool().list());
    pool().discard(B);
    pool().reclaim();
    assertEquals(before, bench().state());
  }

  private static Size larger(StoragePool pool) {
    return Size.ofBytes(pool.info().total().bytes() + Size.ofMebibytes(128).bytes());
  }

  /** Waits before it gives anything. */
  private static final class PausedInput extends InputStream {
    private final Pause pause;
    private final InputStream rest;

    PausedInput(Pause pause, byte[] whole, int offset) {
      this.pause = pause;
      this.rest = new ByteArrayInputStream(whole, offset, whole.length - offset);
    }

    @Override
    public int read() throws IOException {
      pause.await();
      return rest.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      pause.await();
      return rest.read(bytes, offset, length);
    }
  }

  /** Where a stream waits until the test goes on. */
  private static final class Pause {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);

    /** Where the transfer fails before, its error is told. */
    void awaitBegin(Future<?> transfer) throws Exception {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (!begun.await(1, TimeUnit.SECONDS)) {
        if (transfer.isDone()) {
          transfer.get();
        }
        assertTrue(System.nanoTime() < end, "nothing was read or written");
      }
    }

    void await() throws IOException {
      begun.countDown();
      try {
        go.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }

    void end() {
      go.countDown();
    }
  }
}
