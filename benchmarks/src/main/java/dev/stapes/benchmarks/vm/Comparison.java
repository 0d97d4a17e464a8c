package dev.stapes.benchmarks.vm;

import dev.stapes.benchmarks.Facts;
import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Program;
import dev.stapes.testkit.TestGuest;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Measures virtual machines, prints what came out and writes it: {@code vm.json} (a list of
 * results) and {@code vm.md}. Started by {@code ./bench vm}.
 */
public final class Comparison {
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
        "bench vm",
        given -> {
          Options options = Options.parse(given);
          return () -> new Comparison(options).run();
        },
        arguments);
  }

  private void run() throws IOException, InterruptedException {
    Place place = options.run().place();
    TestGuest guest =
        TestGuest.find().orElseThrow(() -> new IOException("the test guest was not built"));
    Path program = place.need("qemu", "qemu-system-x86_64");
    BareMachines bare =
        new BareMachines(guest, place.directory("by-hand"), program, place::nextName);
    Isolated isolated = new Isolated(options.run().runs(), out);
    try (OwnMachines own =
        OwnMachines.open(guest, place.work().resolve("stapes"), place::nextName)) {
      for (VmPath path : options.paths()) {
        isolated.measure(
            path.label(),
            List.of(
                new Isolated.Entrant(Results.OWN, 1, true, () -> own.lane(path)),
                new Isolated.Entrant(Results.BARE, 1, false, () -> bare.lane(path))));
      }
    }
    Map<String, String> facts =
        Facts.of(place, options.run().runs() + " for each figure, the subjects in turns");
    facts.put(
        "Guest",
        "Debian's cloud kernel given to QEMU, busybox, qemu-guest-agent; "
            + OwnMachines.CPUS
            + " CPUs, "
            + OwnMachines.MEBIBYTES
            + " MiB, emulated");
    Results results = new Results(facts, isolated.rows(), isolated.failures());
    options.run().write(results.rows(), results.report(), out);
  }
}
