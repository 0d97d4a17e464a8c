package dev.stapes.qmp;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/**
 * With what a thread that waits for an answer reads it itself. Else the thread of the loop would
 * have to be woken first, and then to wake that one. It does so for a moment; what takes longer is
 * left to the loop.
 */
final class OwnReader {
  private static final int BUFFER = 1 << 16;
  private static final int STEP_MILLIS = 1;
  private static final long MOMENT_NANOS = STEP_MILLIS * 1_000_000;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
  private final byte[] bytes = new byte[BUFFER];

  /** Reads until there is the answer, or the moment is over. */
  void read(Connection connection, CompletableFuture<?> answer) {
    long begin = System.nanoTime();
    while (!answer.isDone()
        && connection.isOpen()
        && !Thread.currentThread().isInterrupted()
        && System.nanoTime() - begin < MOMENT_NANOS) {
      if (connection.awaitReadable(STEP_MILLIS)) {
        connection.read(buffer, bytes);
      }
    }
  }
}
