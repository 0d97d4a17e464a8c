package dev.stapes.lxc.driver;

import dev.stapes.spi.Processes;
import java.util.concurrent.CompletionStage;

/**
 * A process that may be let go of by one thread while another one still asks: from then on it
 * counts as ended, and signals go nowhere.
 */
final class HeldProcess implements AutoCloseable {
  private final Processes.Handle handle;
  private final CompletionStage<Integer> exit;
  private final long pid;
  private boolean closed;

  HeldProcess(Processes.Handle handle) {
    this.handle = handle;
    this.exit = handle.exit();
    this.pid = handle.pid();
  }

  long pid() {
    return pid;
  }

  CompletionStage<Integer> exit() {
    return exit;
  }

  synchronized boolean isAlive() {
    return !closed && handle.isAlive();
  }

  synchronized void signal(int number) {
    if (!closed) {
      handle.signal(number);
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      handle.close();
    }
  }
}
