package dev.stapes.benchmarks.qmp;

import dev.stapes.benchmarks.Tool;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** QEMU's own client, in a Python that takes the time itself. */
final class PythonClient implements RoundTrips {
  private final Process process;
  private final BufferedReader answers;
  private final Path log;

  private PythonClient(Process process, Path log) {
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
    this.log = log;
  }

  /**
   * Starts it.
   *
   * @param fetched what {@code build-support/qemu-python.sh} left
   * @throws IOException with the reason where it could not be fetched
   */
  static PythonClient start(Path fetched, Path monitor, Path log) throws IOException {
    if (!Files.exists(fetched.resolve("qemu/qmp/__init__.py"))) {
      Path missing = fetched.resolve("python-missing");
      throw new IOException(
          Files.exists(missing) ? Files.readString(missing).strip() : "it was not fetched");
    }
    Tool python = new Tool("python3", Scripts.of("round_trips.py"));
    Process process = python.talk(log, fetched.toString(), monitor.toString());
    return new PythonClient(process, log);
  }

  @Override
  public long ask(int count) throws IOException {
    process.getOutputStream().write((count + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("QEMU's client ended: " + Files.readString(log).strip());
    }
    return Long.parseLong(line);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.destroyForcibly().waitFor();
    answers.close();
  }
}
