package dev.stapes.testkit;

import dev.stapes.Instance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.extension.ExtensionContext;

/** An instance that the extension gave to a field or parameter. */
final class Held implements AutoCloseable {
  private static final String CLEAN = "testkit-clean";

  private final String label;
  private final Instance instance;
  private final Reset reset;

  /** A semaphore and no lock: a test's end may come on another thread than its begin. */
  private final Semaphore turn = new Semaphore(1);

  private boolean used;

  private Held(String label, Instance instance, Reset reset) {
    this.label = label;
    this.instance = instance;
    this.reset = reset;
  }

  static Held launch(StapesSession session, String label, Throwaway wish) {
    Instance instance = session.launch(label, wish);
    try {
      if (wish.reset() == Reset.RESTORE) {
        instance.snapshots().create(CLEAN);
      }
    } catch (RuntimeException e) {
      StapesSession.delete(instance);
      throw e;
    }
    return new Held(label, instance, wish.reset());
  }

  String label() {
    return label;
  }

  Instance instance() {
    return instance;
  }

  /** Before a test method that may use it. */
  void begin() throws InterruptedException {
    if (reset != Reset.RESTORE) {
      return;
    }
    turn.acquire();
    try {
      if (used) {
        instance.snapshots().restore(CLEAN);
      }
      used = true;
    } catch (RuntimeException e) {
      turn.release();
      throw e;
    }
  }

  /** After it. */
  void end() {
    if (reset == Reset.RESTORE) {
      turn.release();
    }
  }

  /** Writes what the instance looks like to a file. */
  Path report(ExtensionContext context) {
    String test =
        context.getRequiredTestClass().getName()
            + "."
            + context.getTestMethod().map(method -> method.getName()).orElse("class");
    Path file =
        BuildDirectory.make(BuildDirectory.find().resolve("stapes-reports"))
            .resolve(test + "-" + label + "-" + instance.id() + ".txt");
    try {
      return Files.writeString(file, FailureReport.of(instance));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    StapesSession.delete(instance);
  }
}
