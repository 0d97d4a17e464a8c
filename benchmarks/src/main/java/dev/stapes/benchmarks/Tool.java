package dev.stapes.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A program of the machine or of a peer, run as somebody would who drives it from Java: an argument
 * list, its output read when it fails.
 */
public final class Tool {
  private final List<String> prefix;
  private final Map<String, String> environment = new LinkedHashMap<>();

  /** A program, searched on the {@code PATH} where it has no slash, with its first arguments. */
  public Tool(String... prefix) {
    this.prefix = List.of(prefix);
  }

  /** One more variable than this JVM has. */
  public Tool environment(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /**
   * Runs it to its end, with nothing on its standard input.
   *
   * @return what it wrote to both outputs
   * @throws IOException where it does not start, or its exit code is not 0, quoting its output
   */
  public String run(String... arguments) throws IOException, InterruptedException {
    Process process = builder(arguments).start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw new IOException(said(arguments) + ": exit code " + code + ": " + output);
      }
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  /**
   * Runs it to its end without a pipe: what it leaves running may keep its outputs, of which nobody
   * learns anything.
   *
   * @param log where its standard error goes, and its output
   */
  public void runDetached(Path log, String... arguments) throws IOException, InterruptedException {
    int code = start(log, arguments).waitFor();
    if (code != 0) {
      throw new IOException(said(arguments) + ": exit code " + code + ": see " + log);
    }
  }

  /** Starts it and leaves it running; both outputs go to the log. */
  public Process start(Path log, String... arguments) throws IOException {
    return builder(arguments)
        .redirectInput(new java.io.File("/dev/null"))
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  /** Starts it with pipes to its standard input and output; what it complains goes to the log. */
  public Process talk(Path log, String... arguments) throws IOException {
    return builder(arguments)
        .redirectErrorStream(false)
        .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  /**
   * The command as a person would say it: without directories and options that are always there.
   */
  private String said(String... arguments) {
    return Path.of(prefix.get(0)).getFileName() + " " + String.join(" ", arguments);
  }

  private ProcessBuilder builder(String... arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return builder;
  }
}
