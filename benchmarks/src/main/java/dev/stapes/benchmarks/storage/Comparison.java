package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Program;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Measures storage pools with the same work, prints what came out and writes it: {@code
 * storage.json} (everything), {@code storage.md} and {@code storage.html}, a page that needs
 * nothing else. Started by {@code ./bench storage}.
 */
public final class Comparison {
  private Comparison() {}

  /**
   * Runs it.
   *
   * @param arguments {@code --pools a,b:key=value}, {@code --paths a,b}, {@code --mode quick|full},
   *     {@code --runs N}, {@code --seed N}, {@code --json FILE}, {@code --html FILE}
   */
  public static void main(String[] arguments) {
    Program.main(
        "bench storage",
        given -> {
          Options options = Options.parse(given);
          return () -> run(options, System.out);
        },
        arguments);
  }

  /**
   * Measures, and writes what came out.
   *
   * @throws InterruptedException where it was interrupted, when what there is has been written and
   *     everything has been undone
   * @throws IOException where there is nothing to measure, or what was made cannot be removed; what
   *     there is has been written
   */
  static Results run(Options options, PrintStream out) throws IOException, InterruptedException {
    ProgressBar progress =
        new ProgressBar(out, options.bar(), Session.points(options).size(), System::nanoTime);
    try (Session session = new Session(options, options.run().place(), progress)) {
      try {
        session.measure();
      } catch (InterruptedException | IOException | RuntimeException e) {
        progress.end();
        writeCutShort(options, session, out, e);
        throw e;
      }
      progress.end();
      Results results = session.results(false);
      write(options, results, out);
      return results;
    }
  }

  /** What took hours to measure is not lost with what came after it. */
  private static void writeCutShort(
      Options options, Session session, PrintStream out, Exception reason) {
    try {
      Results results = session.results(true);
      if (reason instanceof InterruptedException || !results.measurements().isEmpty()) {
        write(options, results, out);
      }
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
  }

  private static void write(Options options, Results results, PrintStream out) throws IOException {
    options.run().write(results, results.report(), out);
    byte[] page = Report.of(results).getBytes(StandardCharsets.UTF_8);
    Path file = options.run().output().resolve("storage.html");
    Files.write(file, page);
    if (options.html().isPresent()) {
      Files.write(options.html().get(), page);
    }
    out.println("With plots: " + file);
  }
}
