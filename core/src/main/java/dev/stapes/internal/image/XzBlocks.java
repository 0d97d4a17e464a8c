package dev.stapes.internal.image;

import java.io.EOFException;
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
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.SeekableFileInputStream;
import org.tukaani.xz.SeekableXZInputStream;
import org.tukaani.xz.XZIOException;

/**
 * The content of an xz file that is made of several blocks, as xz(1) makes it with several threads:
 * its index says where they are, and they are decoded at the same time. As many as a quarter of the
 * heap has room for. Not for use by several threads.
 */
final class XzBlocks extends InputStream {
  private static final int STEP = 256 << 10;

  /** What a decoder may take beside the block: twice the dictionary of xz -6, and the index. */
  private static final int DECODER_KIB = 16 << 10;

  private static final int HEAP_SHARE = 4;

  /** One file at a time, since all have the same heap. */
  private static final Semaphore TURN = new Semaphore(1);

  private final Path file;
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
  private volatile @Nullable IOException failure;

  private XzBlocks(Path file, SeekableXZInputStream index, int parallel) {
    this.file = file;
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
   * @return empty where it has to be read from its begin to its end: there is one block, or no room
   *     for more, or somebody else reads another file in this way, or its index is damaged
   */
  static Optional<XzBlocks> open(Path file) throws IOException {
    if (!TURN.tryAcquire()) {
      return Optional.empty();
    }
    Optional<XzBlocks> opened = Optional.empty();
    try {
      opened = openInTurn(file);
      return opened;
    } finally {
      if (opened.isEmpty()) {
        TURN.release();
      }
    }
  }

  private static Optional<XzBlocks> openInTurn(Path file) throws IOException {
    SeekableXZInputStream index;
    try {
      index = reader(file);
    } catch (IOException e) {
      return Optional.empty(); // whoever reads it finds what can be read, and says where it ends
    }
    try {
      int parallel = parallel(index);
      if (parallel > 1 && fits(index)) {
        return Optional.of(new XzBlocks(file, index, parallel));
      }
    } catch (Throwable e) {
      index.close();
      throw e;
    }
    index.close();
    return Optional.empty();
  }

  /** Whether the dictionary does. */
  private static boolean fits(SeekableXZInputStream index) {
    try {
      index.seekToBlock(0);
      return index.read() >= 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static int parallel(SeekableXZInputStream index) {
    long block = index.getLargestBlockSize();
    long room = Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    if (block > room / 2 || block > Integer.MAX_VALUE / 2) {
      return 1;
    }
    long most = (room - 2 * block) / (block + (DECODER_KIB << 10));
    int processors = Runtime.getRuntime().availableProcessors();
    return (int) Math.min(most, Math.min(processors, index.getBlockCount()));
  }

  private static SeekableXZInputStream reader(Path file) throws IOException {
    SeekableFileInputStream in = new SeekableFileInputStream(file.toFile());
    try {
      return new SeekableXZInputStream(in, DECODER_KIB);
    } catch (Throwable e) {
      in.close();
      throw e;
    }
  }

  /** Where in the file the last block ends that was read from. */
  long count() {
    return current == null ? 0 : current.end();
  }

  /** What went wrong with reading the file, other than with what it holds. */
  @Nullable IOException failure() {
    return failure;
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
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IOException(String.valueOf(e.getCause()), e.getCause());
    }
  }

  private Decoded decode(int number) throws IOException {
    try {
      return decodeBlock(number);
    } catch (XZIOException | EOFException e) {
      throw e;
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  private Decoded decodeBlock(int number) throws IOException {
    SeekableXZInputStream reader = idle.poll();
    if (reader == null) {
      reader = reader(file);
    }
    try {
      reader.seekToBlock(number);
      Blocks.Block block = arrays.take();
      int length = (int) reader.getBlockSize(number);
      for (int done = 0; done < length && !closed; ) {
        int count = reader.read(block.bytes(), done, Math.min(STEP, length - done));
        if (count < 0) {
          throw new EOFException("a block ends early");
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
    if (closed) {
      return;
    }
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
    TURN.release();
    index.close();
    for (SeekableXZInputStream each : idle) {
      each.close();
    }
  }
}
