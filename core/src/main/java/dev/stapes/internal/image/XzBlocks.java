package dev.stapes.internal.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.SeekableFileInputStream;
import org.tukaani.xz.SeekableXZInputStream;

/**
 * The content of an xz file that is made of several blocks, as xz(1) makes it with several threads:
 * its index says where they are, and they are decoded at the same time. As many as a quarter of the
 * heap has room for. Not for use by several threads.
 */
final class XzBlocks extends InputStream {
  private static final int STEP = 256 << 10;

  /** What a decoder takes beside the block: the dictionary of xz -6 and more. */
  private static final long DECODER = 16L << 20;

  private static final int HEAP_SHARE = 4;

  private final Path file;
  private final int memoryKib;
  private final SeekableXZInputStream index;
  private final Queue<SeekableXZInputStream> idle = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads;
  private final int ahead;
  private final Blocks arrays;
  private final Deque<Future<Decoded>> underWay = new ArrayDeque<>();
  private int sent;
  private @Nullable Decoded current;
  private int position;
  private volatile boolean closed;

  private XzBlocks(Path file, int memoryKib, SeekableXZInputStream index, int parallel) {
    this.file = file;
    this.memoryKib = memoryKib;
    this.index = index;
    this.ahead = parallel + 1;
    this.arrays = new Blocks((int) index.getLargestBlockSize(), ahead);
    this.threads =
        Executors.newFixedThreadPool(
            parallel,
            task -> {
              Thread thread = new Thread(task, "stapes-xz");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** A block, how much of it there is, and where it ends in the file. */
  private record Decoded(Blocks.Block block, int length, long end) {}

  /**
   * Opens a file.
   *
   * @param memoryKib what a decoder may take
   * @return empty where it has to be read from its begin to its end: there is one block, or no room
   *     for more, or its index is damaged
   */
  static Optional<XzBlocks> open(Path file, int memoryKib) throws IOException {
    SeekableXZInputStream index;
    try {
      index = reader(file, memoryKib);
    } catch (IOException e) {
      return Optional.empty(); // whoever reads it finds what can be read, and says where it ends
    }
    try {
      int parallel = parallel(index);
      if (parallel > 1) {
        return Optional.of(new XzBlocks(file, memoryKib, index, parallel));
      }
    } catch (Throwable e) {
      index.close();
      throw e;
    }
    index.close();
    return Optional.empty();
  }

  private static int parallel(SeekableXZInputStream index) {
    long block = index.getLargestBlockSize();
    long room = Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    if (block > room) {
      return 1;
    }
    long most = (room - block) / (block + DECODER);
    int processors = Runtime.getRuntime().availableProcessors();
    return (int) Math.min(most, Math.min(processors, index.getBlockCount()));
  }

  private static SeekableXZInputStream reader(Path file, int memoryKib) throws IOException {
    SeekableFileInputStream in = new SeekableFileInputStream(file.toFile());
    try {
      return new SeekableXZInputStream(in, memoryKib);
    } catch (Throwable e) {
      in.close();
      throw e;
    }
  }

  /** Where in the file the last block ends that was read from. */
  long count() {
    return current == null ? 0 : current.end();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    Decoded block = current;
    while (block == null || position == block.length()) {
      sendAhead();
      Future<Decoded> next = underWay.poll();
      if (next == null) {
        return -1;
      }
      if (block != null) {
        block.block().release();
      }
      block = await(next);
      current = block;
      position = 0;
    }
    int count = Math.min(length, block.length() - position);
    System.arraycopy(block.block().bytes(), position, into, offset, count);
    position += count;
    return count;
  }

  private void sendAhead() {
    while (underWay.size() < ahead && sent < index.getBlockCount()) {
      int number = sent++;
      underWay.add(threads.submit(() -> decode(number)));
    }
  }

  private static Decoded await(Future<Decoded> block) throws IOException {
    try {
      return block.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException known) {
        throw known;
      }
      throw new IOException(String.valueOf(e.getCause()), e.getCause());
    }
  }

  private Decoded decode(int number) throws IOException {
    SeekableXZInputStream reader = idle.poll();
    if (reader == null) {
      reader = reader(file, memoryKib);
    }
    try {
      reader.seekToBlock(number);
      Blocks.Block block = arrays.take();
      int length = (int) reader.getBlockSize(number);
      for (int done = 0; done < length && !closed; ) {
        int count = reader.read(block.bytes(), done, Math.min(STEP, length - done));
        if (count < 0) {
          throw new IOException("a block ends early");
        }
        done += count;
      }
      long end = reader.getBlockCompPos(number) + reader.getBlockCompSize(number);
      return new Decoded(block, length, end);
    } finally {
      idle.add(reader);
    }
  }

  /** Waits for what is under way. */
  @Override
  public void close() throws IOException {
    closed = true;
    threads.shutdownNow();
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = threads.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    index.close();
    for (SeekableXZInputStream each : idle) {
      each.close();
    }
  }
}
