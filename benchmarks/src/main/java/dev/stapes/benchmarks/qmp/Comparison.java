package dev.stapes.benchmarks.qmp;

import dev.stapes.benchmarks.Facts;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Program;
import dev.stapes.benchmarks.Row;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures QMP against real QEMUs, prints what came out and writes it: {@code qmp.json} (a list of
 * results), {@code qmp-all.json} (everything) and {@code qmp.md}. Started by {@code ./bench qmp}.
 */
public final class Comparison {
  private static final int WARM_UP = 20_000;
  private static final int IN_A_ROUND = 200;
  private static final int EVENTS = 200_000;
  private static final int QEMU_EVENTS = 50_000;

  /** A bit more than is to be reached, for the scheduler's delays. */
  private static final int EVENTS_PER_SECOND = 22_000;

  private static final int MACHINES = 50;
  private static final int MONITORS = 4;

  private final Options options;
  private final PrintStream out = System.out;
  private final Map<String, String> missing = new LinkedHashMap<>();
  private final Map<String, String> failures = new LinkedHashMap<>();
  private final List<Row> rows = new ArrayList<>();
  private final List<Storm.Heard> events = new ArrayList<>();
  private final List<Connections.Cost> memory = new ArrayList<>();
  private String version = "";

  private Comparison(Options options) {
    this.options = options;
  }

  /**
   * Runs it.
   *
   * @param arguments {@code --json FILE}, {@code --runs N}
   */
  public static void main(String[] arguments) {
    Program.main(
        "bench qmp",
        given -> {
          Options options = Options.parse(given);
          return () -> new Comparison(options).run();
        },
        arguments);
  }

  /** A part that can fail by itself. */
  @FunctionalInterface
  private interface Part {
    void measure() throws IOException, InterruptedException;
  }

  private void run() throws IOException, InterruptedException {
    Place place = options.run().place();
    Path program = place.need("qemu", "qemu-system-x86_64");
    try (Spawner spawner = Spawner.open(Syscalls.system(), "bench")) {
      try (Qemu qemu = Qemu.start(spawner, program, place.directory("qemu"), MONITORS);
          QmpLoop loop = QmpLoop.open()) {
        part("round trips", () -> roundTrips(loop, qemu, place));
        Storm storm = new Storm(loop);
        part(
            "events of a peer",
            () -> {
              events.add(storm.ofPeer(place.directory("paced"), EVENTS, EVENTS_PER_SECOND));
              events.add(storm.ofPeer(place.directory("fast"), EVENTS, 0));
            });
        part("events of QEMU", () -> events.add(storm.ofQemu(qemu.monitor(3), QEMU_EVENTS)));
      }
      Path many = place.directory("many");
      part("memory", () -> memory.add(Connections.measure(spawner, program, many, MACHINES)));
    }
    Map<String, String> facts =
        Facts.of(
            place, options.run().runs() + " rounds of " + IN_A_ROUND + " round trips, in turns");
    facts.put("QEMU", version + ", -machine none -S; " + MACHINES + " of them for the memory");
    facts.put(Results.BARE, "a socket that blocks, and nothing read of what comes");
    facts.put("Events", "typed, one listener, the usual options");
    Results results = new Results(facts, rows, events, memory, missing, failures);
    options.run().write(results.rows(), results, results.report(), out);
  }

  private void part(String name, Part part) throws InterruptedException {
    out.println(name + " ...");
    try {
      part.measure();
    } catch (IOException | RuntimeException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException(name + ": " + e.getMessage());
      }
      failures.put(name, String.valueOf(e.getMessage()));
      out.println("  " + name + " FAILED: " + e);
    }
  }

  private void roundTrips(QmpLoop loop, Qemu qemu, Place place)
      throws IOException, InterruptedException {
    QmpClient client =
        QmpClient.connect(loop, qemu.monitor(0), QmpDialect.monitor(), QmpOptions.defaults());
    version = client.greeting().map(said -> said.version().toString()).orElse("");
    Map<String, RoundTrips> subjects = new LinkedHashMap<>();
    subjects.put(Results.OWN, new RoundTrips.Own(client));
    try {
      subjects.put(Results.BARE, BareSocket.connect(qemu.monitor(2)));
      Path fetched = place.peers().resolve("python");
      Path log = place.work().resolve("python.log");
      try {
        subjects.put(Results.PYTHON, PythonClient.start(fetched, qemu.monitor(1), log));
      } catch (IOException e) {
        missing.put(Results.PYTHON, String.valueOf(e.getMessage()));
      }
      rows.addAll(inTurns(subjects));
    } finally {
      for (RoundTrips subject : subjects.values()) {
        subject.close();
      }
    }
  }

  private List<Row> inTurns(Map<String, RoundTrips> subjects)
      throws IOException, InterruptedException {
    List<String> names = List.copyOf(subjects.keySet());
    Map<String, long[]> nanos = new LinkedHashMap<>();
    for (Map.Entry<String, RoundTrips> subject : subjects.entrySet()) {
      subject.getValue().ask(subject.getKey().equals(Results.PYTHON) ? IN_A_ROUND : WARM_UP);
      nanos.put(subject.getKey(), new long[options.run().runs()]);
    }
    for (int round = 0; round < options.run().runs(); round++) {
      for (int i = 0; i < names.size(); i++) {
        String name = names.get((i + round) % names.size());
        RoundTrips subject = subjects.get(name);
        long[] own = nanos.get(name);
        if (subject != null && own != null) {
          own[round] = subject.ask(IN_A_ROUND) / IN_A_ROUND;
        }
      }
    }
    return nanos.entrySet().stream()
        .map(each -> Row.of(Results.QUERY_STATUS, each.getKey(), each.getValue()))
        .toList();
  }
}
