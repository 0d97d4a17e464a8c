package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

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
    } catch (InterruptedException | RuntimeException | Error e) {
      // It is closed, or whoever asks is told just that.
    }
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
      return waiting.take().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted", e);
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
