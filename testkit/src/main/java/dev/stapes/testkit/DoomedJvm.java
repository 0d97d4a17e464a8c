package dev.stapes.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A JVM with the class path of this one that works until it is killed, and says by lines how far it
 * has come: so tests see what is left of what it was about to do.
 */
public final class DoomedJvm implements AutoCloseable {
  private final Process process;
  private final BufferedReader out;

  private DoomedJvm(Process process) {
    this.process = process;
    this.out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
  }

  /**
   * Starts one.
   *
   * @param main has a main method, which writes lines to its standard output
   * @param arguments of that
   */
  public static DoomedJvm start(Class<?> main, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new DoomedJvm(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /**
   * Waits for its next line.
   *
   * @throws IOException where it ended by itself
   */
  public String line() throws IOException {
    String line = out.readLine();
    if (line == null) {
      throw new IOException("it ended by itself");
    }
    return line;
  }

  /**
   * Waits until it has said a line.
   *
   * @throws IOException where it ended by itself before
   */
  public void awaitLine(String wanted) throws IOException {
    String line = line();
    while (!line.equals(wanted)) {
      line = line();
    }
  }

  /** Waits for it; says whether it ended by itself within so many milliseconds. */
  public boolean endsWithin(long millis) throws InterruptedException {
    return process.waitFor(millis, TimeUnit.MILLISECONDS);
  }

  /**
   * Kills it by SIGKILL and waits for its end.
   *
   * @return what it has said that nobody has read
   */
  public List<String> kill() throws IOException, InterruptedException {
    process.toHandle().destroyForcibly();
    process.waitFor();
    List<String> rest = new ArrayList<>();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      rest.add(line);
    }
    return rest;
  }

  /** Kills it, where nobody has. */
  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    out.close();
  }
}
