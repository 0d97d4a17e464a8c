package dev.stapes.internal.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.function.Executable;

/** Settings for servers that misbehave on purpose, and what tests of that have in common. */
public final class TestSettings {
  /** Tries three times at once, and waits for a silent server for ever, as tests go. */
  public static final HttpSettings PATIENT = silence(Duration.ofHours(1), 3);

  private TestSettings() {}

  /** Gives a silent server up. */
  public static HttpSettings silence(Duration silence, int attempts) {
    return new HttpSettings(
        Duration.ofMinutes(1),
        silence,
        attempts,
        Duration.ofMillis(1),
        Duration.ofSeconds(5),
        4,
        HttpClient.Builder.NO_PROXY);
  }

  /** Asserts a kind, and a part of the words. */
  public static StapesException refused(Kind kind, String part, Executable action) {
    StapesException e = assertThrows(StapesException.class, action);
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
    return e;
  }

  /** Without the interrupt it would take longer than a test may. */
  public static void assertInterruptible(LoopbackServer server, Executable action)
      throws Exception {
    CompletableFuture<Boolean> flag = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                refused(Kind.INTERRUPTED, "interrupted", action);
                flag.complete(Thread.currentThread().isInterrupted());
              } catch (Throwable e) {
                flag.completeExceptionally(e);
              }
            });
    thread.start();
    server.awaitHanging();
    thread.interrupt();
    assertTrue(flag.get());
    thread.join();
  }
}
