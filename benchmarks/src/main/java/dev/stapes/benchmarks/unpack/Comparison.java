package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Facts;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Program;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Map;

/**
 * Measures how fast Stapes and its peers unpack images, prints what came out and writes it: {@code
 * unpack.json} (a list of results) and {@code unpack.md}. Started by {@code ./bench unpack}.
 */
public final class Comparison {
  /**
   * As large as disks are (the file is sparse): on a small one Btrfs flushes while files are
   * written, to reclaim space for metadata, which takes half a CPU from whoever unpacks.
   */
  private static final long BTRFS_BYTES = 1L << 40;

  private final Options options;
  private final PrintStream out = System.out;

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
    Place place = options.run().place();
    Results results;
    try (Host host = new LinuxHostProvider().open();
        LoopBtrfs btrfs = LoopBtrfs.make(place.work(), BTRFS_BYTES)) {
      Session session = Session.begin(place, host, btrfs, options, out);
      for (UnpackPath path : options.paths()) {
        session.measure(path);
      }
      results = session.results(facts(place));
    }
    options.run().write(results.rows(), results.report(), out);
  }

  private Map<String, String> facts(Place place) throws IOException {
    return Facts.of(place, options.run().runs() + " for each figure, the subjects in turns");
  }
}
