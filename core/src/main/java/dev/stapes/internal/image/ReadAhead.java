package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Decodes an archive on a thread of its own, some MiB ahead of the one that asks. Not for use by
 * several threads.
 */
final class ReadAhead implements Pieces {
  private static final int WAITING = 12;

  private final ArchiveDecoder decoder;
  private final BlockingQueue<Result> waiting = new ArrayBlockingQueue<>(WAITING);
  private final Thread thread = new Thread(this::run, "stapes-decode");
  private volatile boolean closed;

  /** The end, or what went wrong, once it was told. */
  private @Nullable Result last;

  /** Takes the decoder over. */
  ReadAhead(ArchiveDecoder decoder) {
    this.decoder = decoder;
    thread.setDaemon(true);
    thread.start();
  }

  /** What the decoder did. */
  private interface Result {
    Optional<ArchiveDecoder.Piece> get();
  }

  private void run() {
    try {
      boolean more = true;
      while (more && !closed) {
        Result result = decode();
        waiting.put(result);
        more = result.get().isPresent();
      }
    } catch (RuntimeException | Error e) {
      // Whoever asks is told just that.
    } catch (InterruptedException e) {
      waiting.clear();
      waiting.add(() -> interrupted(e)); // for whom it was not who closed this
    }
  }

  private static Optional<ArchiveDecoder.Piece> interrupted(InterruptedException e) {
    throw new StapesException(
        StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted", e);
  }

  private Result decode() {
    try {
      Optional<ArchiveDecoder.Piece> piece = decoder.next();
      return () -> piece;
    } catch (RuntimeException e) {
      return () -> {
        throw e;
      };
    } catch (Error e) {
      return () -> {
        throw e;
      };
    }
  }

  @Override
  public Optional<ArchiveDecoder.Piece> next() {
    try {
      Result result = last == null ? waiting.take() : last;
      last = result; // unless it proves to be a piece
      Optional<ArchiveDecoder.Piece> piece = result.get();
      if (piece.isPresent()) {
        last = null;
      }
      return piece;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return interrupted(e);
    }
  }

  /** Waits for the thread: it reads the file. */
  @Override
  public void close() {
    closed = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      thread.interrupt();
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    decoder.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
