package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Fills and finishes new files on threads of its own, while the thread that made them reads on in
 * the archive. All goes by the descriptors of the files, so that it does not matter what becomes of
 * their names meanwhile: the order in which names are made stays the archive's. The content of a
 * file is written by one thread, in order; a few MiB of it wait at most. Few files are written by
 * the caller's thread. Not for use by several threads.
 */
final class FileWriters implements AutoCloseable {
  // The reader and the decoder take a CPU, too; more of these only wait for the locks of the
  // kernel.
  private static final int THREADS =
      Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() - 1));
  private static final int WAITING_BATCHES = 20; // of all threads
  private static final int BATCH_BYTES = 256 << 10;
  private static final int BATCH_HELD = 1 << 20; // arrays that cannot be used otherwise meanwhile
  private static final int BATCH_FILES = 16; // each is an open descriptor
  private static final Batch END = new Batch();

  private final int threads;
  private final List<Writer> writers = new ArrayList<>();

  /** What became of the first file that failed; nothing more is written then. */
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private Batch batch = new Batch();
  private int next;

  FileWriters() {
    this(THREADS);
  }

  FileWriters(int threads) {
    this.threads = threads;
  }

  /**
   * Takes over a file. One that is not independent of its path is finished before this returns.
   *
   * @param entry what it is to be, for errors
   * @param source is asked for the content before this returns
   * @throws StapesException what became of this file or one before; INTERRUPTED
   */
  void write(
      TarEntry entry, Tree.NewFile file, Tree.Attributes attributes, Consumer<Content> source) {
    if (!file.isIndependent()) {
      writeHere(entry, file, attributes, source);
      return;
    }
    try {
      requireNoFailure();
      source.accept(new Sink(entry, file));
      int length = attributes.xattrs().values().stream().mapToInt(value -> value.length).sum();
      batch.add(entry, () -> file.finish(attributes), length);
    } finally {
      batch.close(file);
    }
    if (batch.isFull()) {
      send();
      next = (next + 1) % threads;
    }
  }

  private static void writeHere(
      TarEntry entry, Tree.NewFile file, Tree.Attributes attributes, Consumer<Content> source) {
    try (file) {
      source.accept(
          new Content() {
            @Override
            public void data(Blocks.Block block, int offset, int length) {
              file.write(block.bytes(), offset, length);
            }

            @Override
            public void hole(long length) {
              file.skip(length);
            }
          });
      file.finish(attributes);
    } catch (StapesException e) {
      throw EntryWriter.explained(entry, e);
    }
  }

  /**
   * Returns when all files are finished.
   *
   * @throws StapesException what became of one of them; INTERRUPTED
   */
  void await() {
    end();
    requireNoFailure();
    requireNoInterrupt();
  }

  /** Ends the threads; files that are not finished stay as they are. Idempotent. */
  @Override
  public void close() {
    fail(new IllegalStateException("closed"));
    end();
  }

  private void fail(Throwable cause) {
    failure.compareAndSet(null, cause);
  }

  private void requireNoFailure() {
    Throwable known = failure.get();
    if (known instanceof RuntimeException exception) {
      throw exception;
    }
    if (known instanceof Error error) {
      throw error;
    }
    if (known != null) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, BadArchive.SUBJECT, "unpacking failed: " + known, known);
    }
  }

  private static void requireNoInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "unpacking was interrupted");
    }
  }

  private void send() {
    if (writers.isEmpty()) {
      for (int i = 0; i < threads; i++) {
        writers.add(new Writer());
      }
    }
    Batch full = batch;
    batch = new Batch();
    writers.get(next).put(full);
    requireNoInterrupt();
  }

  private void end() {
    if (writers.isEmpty()) {
      batch.run(this);
    } else {
      writers.get(next).put(batch);
      writers.forEach(writer -> writer.put(END));
      writers.forEach(Writer::join);
      writers.clear();
    }
    batch = new Batch();
  }

  /** What one thread has to do, in order. */
  private static final class Batch {
    private record Step(@Nullable TarEntry entry, Runnable work) {}

    private final List<Step> steps = new ArrayList<>();
    private int files;
    private int bytes;
    private int held;
    private Blocks.@Nullable Block last;

    void add(TarEntry entry, Runnable work, int length) {
      steps.add(new Step(entry, work));
      bytes += length;
    }

    /** Counts a block as long as it is another one than before. */
    void hold(Blocks.Block block) {
      if (block != last) {
        last = block;
        held += block.bytes().length;
      }
    }

    /** Whatever fails. */
    void close(Tree.NewFile file) {
      steps.add(new Step(null, file::close));
      files++;
    }

    boolean isFull() {
      return files >= BATCH_FILES || bytes >= BATCH_BYTES || held >= BATCH_HELD;
    }

    void run(FileWriters owner) {
      for (Step step : steps) {
        TarEntry entry = step.entry();
        if (entry != null && owner.failure.get() != null) {
          continue;
        }
        try {
          step.work().run();
        } catch (StapesException e) {
          owner.fail(entry == null ? e : EntryWriter.explained(entry, e));
        } catch (RuntimeException | Error e) {
          owner.fail(e);
        }
      }
    }
  }

  /** Hands the content of a file to the thread that is to write it. */
  private final class Sink implements Content {
    private final TarEntry entry;
    private final Tree.NewFile file;

    Sink(TarEntry entry, Tree.NewFile file) {
      this.entry = entry;
      this.file = file;
    }

    @Override
    public void data(Blocks.Block block, int offset, int length) {
      block.retain();
      batch.hold(block);
      batch.add(
          entry,
          () -> {
            file.write(block.bytes(), offset, length);
            block.release();
          },
          length);
      sendIfFull();
    }

    @Override
    public void hole(long length) {
      batch.add(entry, () -> file.skip(length), 0);
    }

    /** The rest of the file goes to the same thread. */
    private void sendIfFull() {
      if (batch.isFull()) {
        send();
        requireNoFailure();
      }
    }
  }

  private final class Writer {
    private final BlockingQueue<Batch> waiting =
        new ArrayBlockingQueue<>(Math.max(2, WAITING_BATCHES / threads));
    private final Thread thread = new Thread(this::run, "stapes-unpack");

    Writer() {
      thread.setDaemon(true);
      thread.start();
    }

    private void run() {
      boolean ended = false;
      while (!ended) {
        try {
          Batch taken = waiting.take();
          ended = taken == END;
          taken.run(FileWriters.this);
        } catch (InterruptedException | RuntimeException | Error e) {
          fail(e); // what waits is closed nevertheless, or the reader would wait for ever
        }
      }
    }

    /** Also when interrupted, since somebody has to close the files. */
    void put(Batch full) {
      uninterrupted(() -> waiting.put(full));
    }

    void join() {
      uninterrupted(thread::join);
    }
  }

  private interface Wait {
    void run() throws InterruptedException;
  }

  private static void uninterrupted(Wait wait) {
    boolean interrupted = false;
    while (true) {
      try {
        wait.run();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
