package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The content of an xz file that is made of several blocks, as xz(1) makes it with several threads:
 * its index says where they are, and they are decoded at the same time. As many as a quarter of the
 * heap has room for. What is decoded of a block can be had while the rest of it is decoded. Not for
 * use by several threads.
 */
final class XzBlocks implements AutoCloseable {
  /** What a decoder may take beside the block: twice the dictionary of xz -6. */
  private static final Size DECODER = Size.ofMebibytes(16);

  private static final int HEAP_SHARE = 4;

  /** One file at a time, since all have the same heap. */
  private static final Semaphore TURN = new Semaphore(1);

  private final Path file;
  private final List<XzIndex.Block> index;
  private final Decoders decoders;
  private final Queue<Worker> idle = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads;
  private final int ahead;
  private final Blocks arrays;
  private final Deque<Task> underWay = new ArrayDeque<>();
  private int sent;
  private volatile boolean closed;
  private volatile @Nullable IOException failure;

  private XzBlocks(
      Path file, List<XzIndex.Block> index, Decoders decoders, int parallel, int piece) {
    this.file = file;
    this.index = index;
    this.decoders = decoders;
    this.ahead = parallel + 1;
    int largest = (int) Math.min(Math.max(largest(index), 1), Integer.MAX_VALUE);
    int size = Math.min(piece, largest);
    this.arrays = new Blocks(size, ahead * ((largest - 1) / size + 1));
    this.threads =
        Executors.newFixedThreadPool(
            parallel,
            task -> {
              Thread thread = new Thread(task, "stapes-xz");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Opens a file.
   *
   * @param piece bytes that a piece has at most
   * @return empty where it has to be read from its begin to its end: there is one block, or no room
   *     for more, or somebody else reads another file in this way, or its index is damaged
   */
  static Optional<XzBlocks> open(Path file, Decoders decoders, int piece) {
    if (!TURN.tryAcquire()) {
      return Optional.empty();
    }
    Optional<XzBlocks> opened = Optional.empty();
    try {
      opened = openInTurn(file, decoders, piece);
      return opened;
    } finally {
      if (opened.isEmpty()) {
        TURN.release();
      }
    }
  }

  private static Optional<XzBlocks> openInTurn(Path file, Decoders decoders, int piece) {
    List<XzIndex.Block> index;
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "r")) {
      index = XzIndex.read(content);
    } catch (IOException e) {
      return Optional.empty(); // whoever reads it finds what can be read, and says where it ends
    }
    int parallel = parallel(index, decoders);
    if (parallel < 2) {
      return Optional.empty();
    }
    XzBlocks blocks = new XzBlocks(file, index, decoders, parallel, piece);
    try {
      if (blocks.fits()) {
        return Optional.of(blocks);
      }
    } catch (Throwable e) {
      blocks.end();
      throw e;
    }
    blocks.end();
    return Optional.empty();
  }

  private static long largest(List<XzIndex.Block> index) {
    return index.stream().mapToLong(XzIndex.Block::size).max().orElse(0);
  }

  private static int parallel(List<XzIndex.Block> index, Decoders decoders) {
    long block = largest(index);
    long room = Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    if (block > room / 2 || block > Integer.MAX_VALUE / 2) {
      return 1;
    }
    long each = Math.max(block, 1) + (decoders.isOnHeap(Format.XZ) ? DECODER.bytes() : 0);
    int processors = Runtime.getRuntime().availableProcessors();
    return (int) Math.min((room - block) / each, Math.min(processors, index.size()));
  }

  /** Whether the dictionaries do, as the first block of each stream has them. */
  private boolean fits() {
    try {
      Worker worker = new Worker();
      idle.add(worker);
      for (XzIndex.Block block : index) {
        if (block.isFirst()) {
          worker.begin(block);
          if (worker.decoder.read(new byte[1], 0, 1) < 0 && block.size() > 0) {
            return false;
          }
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** What went wrong with reading the file, other than with what it holds. */
  @Nullable IOException failure() {
    return failure;
  }

  /**
   * The next piece, when it is there; empty at the end.
   *
   * @throws IOException what is wrong with the file
   */
  Optional<ArchiveDecoder.Piece> next() throws IOException {
    while (true) {
      while (underWay.size() < ahead && sent < index.size()) {
        Task task = new Task(index.get(sent++));
        underWay.add(task);
        threads.execute(task);
      }
      Task head = underWay.peek();
      if (head == null) {
        return Optional.empty();
      }
      Optional<ArchiveDecoder.Piece> piece = head.next();
      if (piece.isPresent()) {
        return piece;
      }
      underWay.remove();
    }
  }

  /** Waits for what is under way. */
  @Override
  public void close() {
    if (!closed) {
      end();
      TURN.release();
    }
  }

  private void end() {
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
    idle.forEach(Worker::close);
  }

  /** What became of a piece. */
  private interface Result {
    Optional<ArchiveDecoder.Piece> get() throws IOException;
  }

  /** A block that is decoded, or is to be. */
  private final class Task implements Runnable {
    private final XzIndex.Block block;
    private final BlockingQueue<Result> results = new LinkedBlockingQueue<>();

    Task(XzIndex.Block block) {
      this.block = block;
    }

    @Override
    public void run() {
      try {
        decode();
        results.add(Optional::empty);
      } catch (IOException e) {
        results.add(
            () -> {
              throw e;
            });
      } catch (RuntimeException e) {
        results.add(
            () -> {
              throw e;
            });
      } catch (Error e) {
        results.add(
            () -> {
              throw e;
            });
      }
    }

    Optional<ArchiveDecoder.Piece> next() throws IOException {
      try {
        Result result = results.take();
        try {
          return result.get();
        } catch (IOException | RuntimeException | Error e) {
          results.add(result); // for who asks again
          throw e;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }

    private void decode() throws IOException {
      Worker worker = idle.poll();
      if (worker == null) {
        worker = new Worker();
      }
      try {
        worker.begin(block);
        long left = block.size();
        for (boolean more = true; more && !closed; ) {
          Blocks.Block array = arrays.take();
          int length = worker.fill(array.bytes());
          left -= length;
          more = length == array.bytes().length;
          if (left < 0) {
            throw new IOException("a block holds more than the index says");
          }
          if (length == 0) {
            array.release();
          } else {
            ArchiveDecoder.Piece piece = new ArchiveDecoder.Piece(array, length, block.end());
            results.add(() -> Optional.of(piece));
          }
        }
      } finally {
        idle.add(worker);
      }
    }
  }

  /** A decoder, and the file that it reads. */
  private final class Worker implements AutoCloseable {
    private final RandomAccessFile content;
    private final Decoder decoder;

    Worker() throws IOException {
      try {
        this.content = new RandomAccessFile(file.toFile(), "r");
      } catch (IOException e) {
        failure = e;
        throw e;
      }
      try {
        this.decoder = decoders.open(Format.XZ, DECODER);
      } catch (Throwable e) {
        content.close();
        throw e;
      }
    }

    void begin(XzIndex.Block block) {
      decoder.begin(block.alone(new Stored(content, block)));
    }

    /** Until it is full, or nothing is left. */
    int fill(byte[] bytes) throws IOException {
      int done = 0;
      while (done < bytes.length && !closed) {
        int count = decoder.read(bytes, done, bytes.length - done);
        if (count < 0) {
          break;
        }
        done += count;
      }
      return done;
    }

    @Override
    public void close() {
      try (content) {
        decoder.close();
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  /** A block as it is in the file. */
  private final class Stored extends InputStream {
    private final RandomAccessFile content;
    private final XzIndex.Block block;
    private long done;

    Stored(RandomAccessFile content, XzIndex.Block block) {
      this.content = content;
      this.block = block;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      long left = block.length() - done;
      if (left == 0) {
        return -1;
      }
      int count;
      try {
        content.seek(block.position() + done);
        count = content.read(into, offset, (int) Math.min(length, left));
      } catch (IOException e) {
        failure = e;
        throw e;
      }
      if (count < 0) {
        throw new EOFException("Unexpected end of input");
      }
      done += count;
      return count;
    }
  }
}
