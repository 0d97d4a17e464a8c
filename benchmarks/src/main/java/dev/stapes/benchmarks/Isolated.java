package dev.stapes.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Isolated runs: each after a pause, the subjects taking turns, another one first in each round, so
 * that whatever else the machine does hits all alike.
 */
public final class Isolated {
  private static final long PAUSE_MILLIS = 50;

  /**
   * The pause before a run that must not profit from the one before: whoever keeps the kernel's
   * fast path open does so for 250 ms more.
   */
  private static final long COOLING_MILLIS = 300;

  private static final int WARM_UP_ROUNDS = 1;

  private final int runs;
  private final Watcher watcher;
  private final List<Timing> timings = new ArrayList<>();
  private final Map<String, String> failures = new LinkedHashMap<>();
  private boolean warm;

  /**
   * Has measured nothing.
   *
   * @param runs of each subject on each path
   * @param log gets a line for each path and each failure
   */
  public Isolated(int runs, PrintStream log) {
    this(
        runs,
        new Watcher() {
          @Override
          public void begins(String path) {
            log.println(path + " ...");
          }

          @Override
          public void failed(String what, Exception reason) {
            log.println("  " + what + " FAILED: " + reason);
          }
        });
  }

  /** The same, and more is told than what goes on. */
  public Isolated(int runs, Watcher watcher) {
    this.runs = runs;
    this.watcher = watcher;
  }

  /** Is told what goes on. */
  public interface Watcher {
    /** A path begins. */
    void begins(String path);

    /** All have had a turn; that includes the warm-up. */
    default void round(String path, int done, int all) {}

    /** A subject is out. */
    void failed(String what, Exception reason);
  }

  /**
   * What runs took, the warm-up left out.
   *
   * @param path its label
   * @param subject its name
   * @param nanos of each, in order; fewer than asked for where the path was interrupted
   */
  public record Timing(String path, String subject, long[] nanos) {}

  /** Makes a lane. */
  @FunctionalInterface
  public interface Opening {
    /** Makes it, with what its runs share. */
    Lane open() throws IOException, InterruptedException;
  }

  /**
   * A subject that takes part.
   *
   * @param subject its name
   * @param warmUps runs before the first round: what runs within this JVM is to be compiled
   * @param keepsCgroupsWarm whether it keeps the kernel's fast path for {@code cgroup.procs} open
   *     for a moment after its operations
   * @param opening makes its lane
   */
  public record Entrant(String subject, int warmUps, boolean keepsCgroupsWarm, Opening opening) {}

  /** An entrant in its lane, with what its runs took. */
  private static final class Entry {
    private final Entrant entrant;
    private final Lane lane;
    private final List<Long> nanos = new ArrayList<>();

    Entry(Entrant entrant, Lane lane) {
      this.entrant = entrant;
      this.lane = lane;
    }

    String subject() {
      return entrant.subject();
    }
  }

  /** Measures a path with all that take part. One that fails is out, with its reason. */
  public void measure(String path, List<Entrant> entrants) throws InterruptedException {
    watcher.begins(path);
    List<Entry> entries = new ArrayList<>();
    try {
      for (Entrant entrant : entrants) {
        open(path, entrant, entries);
      }
      for (Entry entry : List.copyOf(entries)) {
        warmUp(path, entry);
      }
      for (int round = -WARM_UP_ROUNDS; round < runs; round++) {
        round(path, entries, round);
        watcher.round(path, round + WARM_UP_ROUNDS + 1, runs + WARM_UP_ROUNDS);
      }
    } finally {
      entries.forEach(entry -> close(path, entry));
      entries.forEach(entry -> keep(path, entry));
    }
  }

  private void keep(String path, Entry entry) {
    boolean whole = entry.nanos.size() == runs;
    if (whole || (!entry.nanos.isEmpty() && !isOut(path, entry.subject()))) {
      long[] nanos = entry.nanos.stream().mapToLong(Long::longValue).toArray();
      timings.add(new Timing(path, entry.subject(), nanos));
    }
  }

  private void open(String path, Entrant entrant, List<Entry> entries) throws InterruptedException {
    try {
      entries.add(new Entry(entrant, entrant.opening().open()));
    } catch (IOException | RuntimeException e) {
      failed(path, entrant.subject(), e);
    }
  }

  private void warmUp(String path, Entry entry) throws InterruptedException {
    try {
      for (int i = 0; i < entry.entrant.warmUps(); i++) {
        entry.lane.before();
        entry.lane.run();
        entry.lane.after();
      }
    } catch (IOException | RuntimeException e) {
      failedOrInterrupted(path, entry.subject(), e);
    }
  }

  private void failedOrInterrupted(String path, String subject, Exception e)
      throws InterruptedException {
    // Cleared, so that what is undone now is not cut short.
    if (Thread.interrupted()) {
      throw new InterruptedException(path);
    }
    failed(path, subject, e);
  }

  private void round(String path, List<Entry> entries, int round) throws InterruptedException {
    List<Entry> alive = entries.stream().filter(entry -> !isOut(path, entry.subject())).toList();
    for (int i = 0; i < alive.size(); i++) {
      Entry entry = alive.get(Math.floorMod(i + round, alive.size()));
      try {
        long nanos = once(entry);
        if (round >= 0) {
          entry.nanos.add(nanos);
        }
      } catch (IOException | RuntimeException e) {
        failedOrInterrupted(path, entry.subject(), e);
      }
    }
  }

  private long once(Entry entry) throws IOException, InterruptedException {
    entry.lane.before();
    boolean warmNow = entry.entrant.keepsCgroupsWarm();
    TimeUnit.MILLISECONDS.sleep(warm && !warmNow ? COOLING_MILLIS : PAUSE_MILLIS);
    warm = warmNow;
    long begun = System.nanoTime();
    entry.lane.run();
    long nanos = System.nanoTime() - begun;
    long said = entry.lane instanceof SelfTimed timed ? timed.nanos() : nanos;
    entry.lane.after();
    return said;
  }

  private void close(String path, Entry entry) {
    try {
      entry.lane.close();
    } catch (IOException | InterruptedException | RuntimeException e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      failed(path, entry.subject(), e);
    }
  }

  private boolean isOut(String path, String subject) {
    return failures.containsKey(key(path, subject));
  }

  private void failed(String path, String subject, Exception e) {
    failures.putIfAbsent(key(path, subject), String.valueOf(e.getMessage()));
    watcher.failed(key(path, subject), e);
  }

  private static String key(String path, String subject) {
    return subject + " on " + path;
  }

  /** The results so far, path by path. */
  public List<Row> rows() {
    return timings.stream()
        .filter(each -> each.nanos().length == runs)
        .map(each -> Row.of(each.path(), each.subject(), each.nanos()))
        .toList();
  }

  /** What all runs took so far, path by path; of one that was interrupted, those before that. */
  public List<Timing> timings() {
    return List.copyOf(timings);
  }

  /** Why results are missing, by subject and path. */
  public Map<String, String> failures() {
    return failures;
  }
}
