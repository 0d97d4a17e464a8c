package dev.stapes.examples.machine;

import dev.stapes.model.Event;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a test was told of a machine. Never instantiated. */
final class Incidents {
  private static final Duration LONG = Duration.ofSeconds(60);

  private Incidents() {}

  /** Waits for the next event of an action; those before it are taken away. */
  static Event.Lifecycle await(BlockingQueue<Event> told, String action)
      throws InterruptedException, IOException {
    while (true) {
      Event event = told.poll(LONG.toSeconds(), TimeUnit.SECONDS);
      if (event == null) {
        throw new IOException("nobody told of " + action);
      }
      if (event instanceof Event.Lifecycle lifecycle && lifecycle.action().equals(action)) {
        return lifecycle;
      }
    }
  }
}
