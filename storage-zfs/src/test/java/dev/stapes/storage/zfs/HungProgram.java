package dev.stapes.storage.zfs;

import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

/**
 * A process that hangs in the kernel: killed or not, it ends when it is let go, and writes none.
 */
final class HungProgram implements Processes.Child {
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();
  private final CountDownLatch going = new CountDownLatch(1);
  private final CountDownLatch killed = new CountDownLatch(1);

  /** Lets it end. */
  void letGo() {
    exit.complete(137);
    going.countDown();
  }

  /** Whether somebody has tried to kill it. */
  boolean isKilled() {
    return killed.getCount() == 0;
  }

  @Override
  public long pid() {
    return 1L << 30;
  }

  @Override
  public void signal(int number) {
    killed.countDown();
  }

  @Override
  public boolean isAlive() {
    return !exit.isDone();
  }

  @Override
  public CompletionStage<Integer> exit() {
    return exit;
  }

  @Override
  public OutputStream stdin() {
    return OutputStream.nullOutputStream();
  }

  @Override
  public InputStream stdout() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        try {
          going.await();
          return -1;
        } catch (InterruptedException e) {
          throw new InterruptedIOException();
        }
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        return read();
      }
    };
  }

  @Override
  public InputStream stderr() {
    return InputStream.nullInputStream();
  }

  @Override
  public void resize(TerminalSize size) {
    throw new IllegalStateException("it has no terminal");
  }

  @Override
  public void close() {
    // It goes on.
  }
}
