package dev.stapes.benchmarks.qmp;

import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.qemu.QueryStatus;
import java.io.IOException;

/** Somebody who asks a monitor for its status. */
interface RoundTrips extends AutoCloseable {
  /** Asks so often, one after the other; nanoseconds for all of them. */
  long ask(int count) throws IOException, InterruptedException;

  @Override
  void close() throws IOException, InterruptedException;

  /** Stapes. */
  record Own(QmpClient client) implements RoundTrips {
    @Override
    public long ask(int count) throws InterruptedException {
      long begun = System.nanoTime();
      for (int i = 0; i < count; i++) {
        client.execute(QueryStatus.of());
      }
      return System.nanoTime() - begun;
    }

    @Override
    public void close() {
      client.close();
    }
  }
}
