package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Facts;
import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.Limit;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Program;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures Stapes and its peers on the same paths in one run, prints what came out and writes it:
 * {@code lifecycle.json} (a list of results), {@code lifecycle-all.json} (everything that is known
 * about the run) and {@code lifecycle.md}. Started by {@code ./bench lifecycle}.
 */
public final class Comparison {
  private static final int WARM_UP_CYCLES = 300;
  private static final List<Integer> THREADS = List.of(1, 2, 4, 8);

  /** What runs within this JVM is to be compiled. */
  private static final int WARM_UP_RUNS = 60;

  private final Options options;
  private final PrintStream out = System.out;

  private Comparison(Options options) {
    this.options = options;
  }

  /**
   * Runs it.
   *
   * @param arguments {@code --json FILE}, {@code --runs N}, {@code --subjects a,b}, {@code --paths
   *     a,b}
   */
  public static void main(String[] arguments) {
    Program.main(
        "bench lifecycle",
        given -> {
          Options options = Options.parse(given);
          return () -> new Comparison(options).run();
        },
        arguments);
  }

  private void run() throws IOException, InterruptedException {
    Place place = options.run().place();
    Results results;
    try (Cast cast = Cast.assemble(place, options)) {
      cast.missing().forEach((peer, reason) -> out.println(peer + " is MISSING: " + reason));
      results = measure(place, cast);
    }
    options.run().write(results.rows(), results, Report.of(results), out);
  }

  private Results measure(Place place, Cast cast) throws IOException, InterruptedException {
    warmUp(place, cast.subjects());
    Isolated isolated = new Isolated(options.run().runs(), out);
    for (LifecyclePath path : options.paths()) {
      isolated.measure(path.label(), entrants(path, place, cast));
    }
    Map<String, String> failures = new LinkedHashMap<>(isolated.failures());
    List<BackToBack.Serial> serial = new ArrayList<>();
    List<BackToBack.Throughput> throughput = new ArrayList<>();
    List<Memory.Cost> memory = new ArrayList<>();
    if (options.paths().contains(LifecyclePath.CYCLE)) {
      BackToBack cycles = new BackToBack(place::nextName);
      List<Subject> cycling = having(LifecyclePath.CYCLE, cast);
      for (Subject subject : cycling) {
        serial(cycles, subject, serial, failures);
      }
      out.println("cycles from several threads ...");
      throughput.addAll(
          cycles.throughput(
              cycling.stream().filter(Subject::inProcess).toList(),
              THREADS,
              (subject, e) ->
                  failures.put(
                      subject.name() + " from several threads", String.valueOf(e.getMessage()))));
    }
    for (Subject subject : having(LifecyclePath.START, cast)) {
      out.println("memory of " + subject.name() + " ...");
      try {
        memory.add(new Memory(place::nextName).measure(subject));
      } catch (IOException | RuntimeException e) {
        failures.put("memory of " + subject.name(), String.valueOf(e.getMessage()));
      }
    }
    return new Results(
        facts(place),
        isolated.rows(),
        serial,
        throughput,
        memory,
        cast.missing(),
        leftOut(cast.subjects()),
        failures);
  }

  private static List<Isolated.Entrant> entrants(LifecyclePath path, Place place, Cast cast) {
    return having(path, cast).stream()
        .map(
            subject ->
                new Isolated.Entrant(
                    subject.name(),
                    subject.inProcess() ? WARM_UP_RUNS : 0,
                    subject.keepsCgroupsWarm(),
                    () -> new Lanes(subject, place::nextName).open(path)))
        .toList();
  }

  private static List<Subject> having(LifecyclePath path, Cast cast) {
    return cast.subjects().stream()
        .filter(subject -> !subject.leftOut().containsKey(path))
        .toList();
  }

  private void warmUp(Place place, List<Subject> subjects)
      throws IOException, InterruptedException {
    for (Subject subject : subjects) {
      if (subject.inProcess()) {
        out.println("warming up " + subject.name() + " ...");
        for (int i = 0; i < WARM_UP_CYCLES; i++) {
          subject.cycle(place.nextName());
        }
      }
    }
  }

  private void serial(
      BackToBack cycles,
      Subject subject,
      List<BackToBack.Serial> serial,
      Map<String, String> failures)
      throws InterruptedException {
    out.println("cycles of " + subject.name() + " without a pause ...");
    try {
      serial.add(cycles.serial(subject, options.run().runs()));
    } catch (IOException | RuntimeException e) {
      failures.put(subject.name() + " without a pause", String.valueOf(e.getMessage()));
    }
  }

  private Map<String, String> facts(Place place) throws IOException {
    Map<String, String> facts =
        Facts.of(
            place, options.run().runs() + " isolated ones for each figure, the subjects in turns");
    facts.put(
        "Containers",
        "unprivileged, seccomp on, "
            + (Limit.MEMORY >> 20)
            + " MiB, "
            + Limit.PROCESSES
            + " processes, the busybox image, a private network with nothing but lo");
    facts.put(
        "Subjects",
        "stapes: throwaway instance on a Btrfs pool in the cycle, a durable one on the other"
            + " paths; stapes-btrfs, stapes-overlay: a throwaway on all paths; stapes-durable: a"
            + " durable one in the cycles; incus-rest: one kept-alive connection, no LXCFS hooks;"
            + " incus-cli: as packaged; by-hand: lxc-start and system calls without an engine");
    return facts;
  }

  private static Map<String, String> leftOut(List<Subject> subjects) {
    Map<String, String> left = new LinkedHashMap<>();
    for (Subject subject : subjects) {
      subject
          .leftOut()
          .forEach((path, reason) -> left.put(subject.name() + " on " + path.label(), reason));
    }
    return left;
  }
}
