package dev.stapes.benchmarks.lifecycle;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Isolated runs: each after a pause, the subjects taking turns, another one first in each round, so
 * that whatever else the machine does hits all alike.
 */
final class Isolated {
  private static final long PAUSE_MILLIS = 50;

  /**
   * The pause before a run that must not profit from the one before: whoever keeps the kernel's
   * fast path open does so for 250 ms more.
   */
  private static final long COOLING_MILLIS = 300;

  private static final int WARM_UP_ROUNDS = 1;

  /** What runs within this JVM is to be compiled. */
  private static final int WARM_UP_RUNS = 60;

  private final int runs;
  private final Supplier<String> names;
  private final PrintStream log;
  private final List<Row> rows = new ArrayList<>();
  private final Map<String, String> failures = new LinkedHashMap<>();
  private boolean warm;

  Isolated(int runs, Supplier<String> names, PrintStream log) {
    this.runs = runs;
    this.names = names;
    this.log = log;
  }

  /** A subject in a lane, with what its runs took. */
  private static final class Entry {
    private final Subject subject;
    private final Lane lane;
    private final List<Long> nanos = new ArrayList<>();

    Entry(Subject subject, Lane lane) {
      this.subject = subject;
      this.lane = lane;
    }
  }

  /** Measures a path with all subjects that have it. One that fails is out, with its reason. */
  void measure(LifecyclePath path, List<Subject> subjects) throws InterruptedException {
    log.println(path.label() + " ...");
    List<Entry> entries = new ArrayList<>();
    try {
      for (Subject subject : subjects) {
        if (!subject.leftOut().containsKey(path)) {
          open(path, subject, entries);
        }
      }
      for (Entry entry : List.copyOf(entries)) {
        warmUp(path, entry);
      }
      for (int round = -WARM_UP_ROUNDS; round < runs; round++) {
        round(path, entries, round);
      }
    } finally {
      entries.forEach(entry -> close(path, entry));
    }
    for (Entry entry : entries) {
      if (entry.nanos.size() == runs) {
        long[] nanos = entry.nanos.stream().mapToLong(Long::longValue).toArray();
        rows.add(Row.of(path, entry.subject.name(), nanos));
      }
    }
  }

  private void open(LifecyclePath path, Subject subject, List<Entry> entries)
      throws InterruptedException {
    try {
      entries.add(new Entry(subject, new Lanes(subject, names).open(path)));
    } catch (IOException | RuntimeException e) {
      failed(path, subject, e);
    }
  }

  private void warmUp(LifecyclePath path, Entry entry) throws InterruptedException {
    try {
      for (int i = 0; entry.subject.inProcess() && i < WARM_UP_RUNS; i++) {
        entry.lane.before();
        entry.lane.run();
        entry.lane.after();
      }
    } catch (IOException | RuntimeException e) {
      failedOrInterrupted(path, entry.subject, e);
    }
  }

  private void failedOrInterrupted(LifecyclePath path, Subject subject, Exception e)
      throws InterruptedException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedException(path.label());
    }
    failed(path, subject, e);
  }

  private void round(LifecyclePath path, List<Entry> entries, int round)
      throws InterruptedException {
    List<Entry> alive = entries.stream().filter(entry -> !isOut(path, entry.subject)).toList();
    for (int i = 0; i < alive.size(); i++) {
      Entry entry = alive.get(Math.floorMod(i + round, alive.size()));
      try {
        long nanos = once(entry);
        if (round >= 0) {
          entry.nanos.add(nanos);
        }
      } catch (IOException | RuntimeException e) {
        failedOrInterrupted(path, entry.subject, e);
      }
    }
  }

  private long once(Entry entry) throws IOException, InterruptedException {
    entry.lane.before();
    boolean warmNow = entry.subject.keepsCgroupsWarm();
    TimeUnit.MILLISECONDS.sleep(warm && !warmNow ? COOLING_MILLIS : PAUSE_MILLIS);
    warm = warmNow;
    long begun = System.nanoTime();
    entry.lane.run();
    long nanos = System.nanoTime() - begun;
    entry.lane.after();
    return nanos;
  }

  private void close(LifecyclePath path, Entry entry) {
    try {
      entry.lane.close();
    } catch (IOException | InterruptedException | RuntimeException e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      failed(path, entry.subject, e);
    }
  }

  private boolean isOut(LifecyclePath path, Subject subject) {
    return failures.containsKey(key(path, subject));
  }

  private void failed(LifecyclePath path, Subject subject, Exception e) {
    failures.putIfAbsent(key(path, subject), String.valueOf(e.getMessage()));
    log.println("  " + key(path, subject) + " FAILED: " + e);
  }

  private static String key(LifecyclePath path, Subject subject) {
    return subject.name() + " on " + path.label();
  }

  /** The results so far, path by path. */
  List<Row> rows() {
    return List.copyOf(rows);
  }

  /** Why results are missing, by subject and path. */
  Map<String, String> failures() {
    return failures;
  }
}
