package dev.stapes.testkit.contract;

import dev.stapes.model.ExecSpec;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Executes programs in a machine and waits for them. Never instantiated. */
final class Guest {
  /** Nothing of the contract takes that long; what does has failed. */
  static final Duration LONG = Duration.ofSeconds(150);

  private Guest() {}

  /** How a program ended. */
  record Result(int code, String out, String err) {}

  static Result run(Machine machine, String... command) throws Exception {
    return run(machine, ExecSpec.of(command), new byte[0]);
  }

  static Result run(Machine machine, ExecSpec spec, byte[] input) throws Exception {
    try (Machine.Exec exec = machine.exec(spec)) {
      CompletableFuture<byte[]> out = reading(exec.stdout());
      CompletableFuture<byte[]> err = reading(exec.stderr());
      try (OutputStream stdin = exec.stdin()) {
        stdin.write(input);
      }
      int code = exec.await(LONG).orElseThrow(() -> new AssertionError("still runs: " + spec));
      return new Result(code, text(finish(out)), text(finish(err)));
    }
  }

  /** Reads a stream to its end, beside the caller. */
  static CompletableFuture<byte[]> reading(InputStream stream) {
    CompletableFuture<byte[]> done = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                done.complete(stream.readAllBytes());
              } catch (IOException | RuntimeException e) {
                done.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return done;
  }

  /** Reads until a text was seen, beside the caller; gives all that was read. */
  static CompletableFuture<String> readingUntil(InputStream stream, String text) {
    CompletableFuture<String> done = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              StringBuilder seen = new StringBuilder();
              byte[] buffer = new byte[4096];
              try {
                while (seen.indexOf(text) < 0) {
                  int count = stream.read(buffer);
                  if (count < 0) {
                    throw new IOException("ended without \"" + text + "\": " + seen);
                  }
                  seen.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
                }
                done.complete(seen.toString());
              } catch (IOException | RuntimeException e) {
                done.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return done;
  }

  /** What comes, within the time that nothing of the contract takes. */
  static <T> T finish(CompletableFuture<T> future) throws Exception {
    try {
      return future.get(LONG.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("did not come in " + LONG, e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  /**
   * Waits until the log of a console has a text. Who has the console may be shown a line before it
   * is in the log.
   */
  static void awaitLogged(Machine machine, String text) throws Exception {
    long deadline = System.nanoTime() + LONG.toNanos();
    while (!log(machine.consoleLog()).contains(text)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "not logged in " + LONG + ": " + text + ", but " + log(machine.consoleLog()));
      }
      run(machine, "usleep", "20000"); // a wait that every machine has
    }
  }

  /** What a log has; nothing where there is none. */
  static String log(Path file) throws IOException {
    try {
      return text(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  static Machine.Exit end(Machine machine) throws Exception {
    return finish(machine.exit().toCompletableFuture());
  }

  static void type(OutputStream stream, String text) throws IOException {
    stream.write(text.getBytes(StandardCharsets.UTF_8));
    stream.flush();
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
