package dev.stapes.benchmarks.unpack;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Program;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Measures how fast Stapes and its peers unpack images, prints what came out and writes it: {@code
 * unpack.json} (a list of results) and {@code unpack.md}. Started by {@code ./bench unpack}.
 */
public final class Comparison {
  /** Sparse; room for what all of them leave until it is freed. */
  private static final long BTRFS_BYTES = 8L << 30;

  private final Options options;
  private final PrintStream out = System.out;
  private final Map<String, String> facts = new LinkedHashMap<>();

  private Comparison(Options options) {
    this.options = options;
  }

  /**
   * Runs it.
   *
   * @param arguments {@code --json FILE}, {@code --runs N}, {@code --paths a,b}
   */
  public static void main(String[] arguments) {
    Program.main(
        "bench unpack",
        given -> {
          Options options = Options.parse(given);
          return () -> new Comparison(options).run();
        },
        arguments);
  }

  private void run() throws IOException, InterruptedException {
    Path work = Files.createDirectories(options.work()).toRealPath();
    Results results;
    try (Host host = new LinuxHostProvider().open();
        LoopBtrfs btrfs = LoopBtrfs.make(work, BTRFS_BYTES)) {
      results = measure(work, host, btrfs);
    }
    write(results);
  }

  private Results measure(Path work, Host host, LoopBtrfs btrfs)
      throws IOException, InterruptedException {
    Inputs inputs = new Inputs(options.inputs().toAbsolutePath(), work, host, out);
    Path rootfs = btrfs.path("rootfs");
    Contents contents = inputs.unpackInto(btrfs, rootfs);
    Path metadata = inputs.metadata();
    facts(contents);
    Unpackers unpackers = new Unpackers(host, btrfs, contents);
    Isolated isolated = new Isolated(options.runs(), out);
    for (UnpackPath path : options.paths()) {
      Path archive = Inputs.warm(inputs.archive(path, rootfs));
      facts.put(path.label(), (Files.size(archive) + 50_000) / 100_000 / 10.0 + " MB");
      isolated.measure(path.label(), unpackers.of(path, archive, metadata));
    }
    return new Results(facts, isolated.rows(), Map.of(), isolated.failures());
  }

  private void facts(Contents contents) {
    facts.put("Date", Instant.now().truncatedTo(ChronoUnit.MINUTES).toString());
    facts.put("Machine", System.getProperty("stapes.machine", "unknown").replace('_', ' '));
    facts.put(
        "Java",
        Runtime.version()
            + " with "
            + (Runtime.getRuntime().maxMemory() >> 20)
            + " MiB of heap, warm, one JVM for all");
    facts.put("Runs", options.runs() + " for each figure, the subjects in turns");
    facts.put(
        "Root file system",
        "Debian by debootstrap, "
            + contents
            + ", into an empty subvolume of a Btrfs in a loop file, archives in the page cache");
  }

  private void write(Results results) throws IOException {
    ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    byte[] rows = json.writeValueAsBytes(results.rows());
    Path output = Files.createDirectories(options.output());
    Files.write(output.resolve("unpack.json"), rows);
    if (options.json().isPresent()) {
      Files.write(options.json().get(), rows);
    }
    String report = results.report();
    Files.writeString(output.resolve("unpack.md"), report);
    out.println();
    out.print(report);
    out.println("Written to " + output.resolve("unpack.{md,json}"));
  }
}
