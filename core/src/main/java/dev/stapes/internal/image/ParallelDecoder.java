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
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The content of a file that was compressed in several parts, which are decoded at the same time:
 * the blocks of xz(1) with several threads, the frames of pzstd(1), the members of bgzip(1). As
 * many as a quarter of the heap has room for. What is decoded of a part can be had while the rest
 * of it is decoded. Not for use by several threads.
 */
final class ParallelDecoder implements AutoCloseable {
  /** Of the threads that decode. */
  static final String THREAD = "stapes-decode";

  /** What a decoder of xz may take beside the block: twice the dictionary of xz -6. */
  private static final Size XZ_DECODER = Size.ofMebibytes(16);

  private static final Set<Compression> FORMATS =
      Set.of(Compression.XZ, Compression.ZSTD, Compression.GZIP);

  private static final int HEAP_SHARE = 4;

  /** One file at a time, since all have the same heap. */
  private static final Semaphore TURN = new Semaphore(1);

  private final Path file;
  private final Index index;
  private final Queue<Worker> idle = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads;
  private final int ahead;
  private final Blocks arrays;
  private final Deque<Task> underWay = new ArrayDeque<>();
  private int sent;
  private volatile boolean closed;
  private volatile @Nullable IOException failure;

  private ParallelDecoder(Path file, Index index, int parallel, int piece) {
    this.file = file;
    this.index = index;
    this.ahead = parallel + 1;
    int largest = (int) Math.min(Math.max(index.largest(), 1), Integer.MAX_VALUE);
    int size = Math.min(piece, largest);
    this.arrays = new Blocks(size, ahead * ((largest - 1) / size + 1));
    this.threads =
        Executors.newFixedThreadPool(
            parallel,
            task -> {
              Thread thread = new Thread(task, THREAD);
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * The parts of a file.
   *
   * @param parts in order
   * @param opening opens what decodes them
   * @param heap bytes of the heap that each decoder takes
   */
  private record Index(
      List<? extends ArchivePart> parts, Supplier<? extends Decoder> opening, long heap) {
    static Index of(RandomAccessFile file, Compression compression, Decoders decoders)
        throws IOException {
      return switch (compression) {
        case XZ ->
            new Index(
                XzIndex.read(file),
                () -> decoders.open(Format.XZ, XZ_DECODER),
                decoders.isOnHeap(Format.XZ) ? XZ_DECODER.bytes() : 0);
        case ZSTD -> new Index(ZstdIndex.read(file), JavaDecoder::zstd, 0);
        case GZIP -> new Index(BgzfIndex.read(file), JavaDecoder::gzip, 0);
        default -> throw new IllegalArgumentException(compression.toString());
      };
    }

    int count() {
      return parts.size();
    }

    long largest() {
      return parts.stream().mapToLong(ArchivePart::size).max().orElse(0);
    }

    /** How many of them there is room for. */
    int parallel() {
      long part = largest();
      long room = Runtime.getRuntime().maxMemory() / HEAP_SHARE;
      if (part > room / 2 || part > Integer.MAX_VALUE / 2) {
        return 1;
      }
      int processors = Runtime.getRuntime().availableProcessors();
      return (int)
          Math.min((room - part) / (Math.max(part, 1) + heap), Math.min(processors, count()));
    }
  }

  /**
   * Opens a file.
   *
   * @param piece bytes that a piece has at most
   * @return empty where it has to be read from its begin to its end: there is one part, or no room
   *     for more, or somebody else reads another file in this way, or it is damaged
   */
  static Optional<ParallelDecoder> open(
      Path file, Compression compression, Decoders decoders, int piece) {
    if (!FORMATS.contains(compression) || !TURN.tryAcquire()) {
      return Optional.empty();
    }
    Optional<ParallelDecoder> opened = Optional.empty();
    try {
      opened = openInTurn(file, compression, decoders, piece);
      return opened;
    } finally {
      if (opened.isEmpty()) {
        TURN.release();
      }
    }
  }

  private static Optional<ParallelDecoder> openInTurn(
      Path file, Compression compression, Decoders decoders, int piece) {
    Index index;
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "r")) {
      index = Index.of(content, compression, decoders);
    } catch (IOException e) {
      return Optional.empty(); // whoever reads it finds what can be read, and says where it ends
    }
    int parallel = index.parallel();
    if (parallel < 2) {
      return Optional.empty();
    }
    ParallelDecoder decoder = new ParallelDecoder(file, index, parallel, piece);
    try {
      if (decoder.fits()) {
        return Optional.of(decoder);
      }
    } catch (Throwable e) {
      decoder.end();
      throw e;
    }
    decoder.end();
    return Optional.empty();
  }

  /** Whether what they ask for does. */
  private boolean fits() {
    try {
      Worker worker = new Worker();
      idle.add(worker);
      for (ArchivePart part : index.parts()) {
        if (part.isFirst()) {
          worker.begin(part);
          if (worker.decoder.read(new byte[1], 0, 1) < 0 && part.size() > 0) {
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
      while (underWay.size() < ahead && sent < index.count()) {
        Task task = new Task(index.parts().get(sent++));
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

  /** A part that is decoded, or is to be. */
  private final class Task implements Runnable {
    private final ArchivePart part;
    private final BlockingQueue<Result> results = new LinkedBlockingQueue<>();

    Task(ArchivePart part) {
      this.part = part;
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
        worker.begin(part);
        long left = part.size();
        for (boolean more = true; more && !closed; ) {
          Blocks.Block array = arrays.take();
          int length = worker.fill(array.bytes());
          left -= length;
          more = length == array.bytes().length;
          if (left < 0) {
            throw new IOException("a part holds more than is said of it");
          }
          if (length == 0) {
            array.release();
          } else {
            ArchiveDecoder.Piece piece = new ArchiveDecoder.Piece(array, length, part.end());
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
        this.decoder = index.opening().get();
      } catch (Throwable e) {
        content.close();
        throw e;
      }
    }

    void begin(ArchivePart part) {
      decoder.begin(part.alone(new Stored(content, part)));
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

  /** A part as it is in the file. */
  private final class Stored extends InputStream {
    private final RandomAccessFile content;
    private final ArchivePart part;
    private long done;

    Stored(RandomAccessFile content, ArchivePart part) {
      this.content = content;
      this.part = part;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      long left = part.length() - done;
      if (left == 0) {
        return -1;
      }
      int count;
      try {
        content.seek(part.position() + done);
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
