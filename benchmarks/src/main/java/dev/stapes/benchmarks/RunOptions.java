package dev.stapes.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What every comparison is told.
 *
 * @param name of the comparison, which its results are called
 * @param json where else the results go
 * @param runs of each subject on each path
 * @param work an empty directory of the run's own
 * @param peers where the peers' packages are
 * @param output where results go
 */
public record RunOptions(
    String name, Optional<Path> json, int runs, Path work, Path peers, Path output) {
  /** What the script gives, and nobody else. */
  public static final List<String> OF_SCRIPT = List.of("--work", "--peers", "--output");

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * Takes them from a command line.
   *
   * @param usual how many runs where nothing is said
   * @throws IllegalArgumentException quoting what is wrong
   */
  public static RunOptions of(String name, Arguments given, int usual) {
    return new RunOptions(
        name,
        given.path("--json"),
        given.count("--runs", usual),
        given.path("--work").orElse(Path.of("target", name + ".run")),
        given.path("--peers").orElse(Path.of("target", "peers")),
        given.path("--output").orElse(Path.of("target")));
  }

  /** Makes the directory of the run. */
  public Place place() throws IOException {
    Path made = Files.createDirectories(work).toRealPath();
    return new Place(made, peers.toAbsolutePath(), made.getFileName().toString());
  }

  /**
   * Writes what came out: {@code <name>.json}, also where else it was asked for, and {@code
   * <name>.md}, which is printed, too.
   *
   * @param list what becomes JSON
   * @param report in Markdown
   */
  public void write(Object list, String report, PrintStream out) throws IOException {
    byte[] rows = JSON.writeValueAsBytes(list);
    Files.createDirectories(output);
    Files.write(output.resolve(name + ".json"), rows);
    if (json.isPresent()) {
      Files.write(json.get(), rows);
    }
    Files.writeString(output.resolve(name + ".md"), report);
    out.println();
    out.print(report);
    out.println("Written to " + output.resolve(name + ".{md,json}"));
  }

  /**
   * Writes the same, and {@code <name>-all.json}.
   *
   * @param all everything that is known about the run
   */
  public void write(Object list, Object all, String report, PrintStream out) throws IOException {
    write(list, report, out);
    Path file = output.resolve(name + "-all.json");
    Files.write(file, JSON.writeValueAsBytes(all));
    out.println("Everything is in " + file);
  }
}
