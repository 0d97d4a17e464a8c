package dev.stapes.benchmarks.lifecycle;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.stapes.benchmarks.Row;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/** Cycles without a pause: work that a subject leaves behind its answer is paid for here. */
final class BackToBack {
  private static final long LONGEST = TimeUnit.SECONDS.toNanos(5);
  private static final long THROUGHPUT = TimeUnit.SECONDS.toNanos(2);
  private static final long WARM_UP = TimeUnit.SECONDS.toNanos(12);
  private static final int ROUNDS = 3;
  private static final int FEWEST = 5;

  private final Supplier<String> names;

  BackToBack(Supplier<String> names) {
    this.names = names;
  }

  /**
   * Cycles one after the other.
   *
   * @param subject its name
   * @param medianMs of single cycles
   * @param meanMs all of the time by the number of cycles
   * @param n how many
   */
  record Serial(
      String subject,
      @JsonProperty("median_ms") double medianMs,
      @JsonProperty("mean_ms") double meanMs,
      int n) {}

  /**
   * Cycles from several threads.
   *
   * @param subject its name
   * @param threads how many at once
   * @param perSecond full cycles
   * @param n how many
   */
  record Throughput(
      String subject, int threads, @JsonProperty("cycles_per_second") double perSecond, int n) {}

  /** At most so many cycles, for 5 seconds at most. */
  Serial serial(Subject subject, int most) throws IOException, InterruptedException {
    List<Long> each = new ArrayList<>();
    long begun = System.nanoTime();
    while (each.size() < most && (each.size() < FEWEST || System.nanoTime() - begun < LONGEST)) {
      long start = System.nanoTime();
      subject.cycle(names.get());
      each.add(System.nanoTime() - start);
    }
    long all = System.nanoTime() - begun;
    long[] nanos = each.stream().mapToLong(Long::longValue).toArray();
    Row row = Row.of(LifecyclePath.CYCLE.label(), subject.name(), nanos);
    return new Serial(
        subject.name(),
        row.medianMs(),
        Row.of(LifecyclePath.CYCLE.label(), subject.name(), new long[] {all / nanos.length})
            .medianMs(),
        nanos.length);
  }

  /**
   * Cycles from several threads, the subjects in turns: what runs within this JVM is to be compiled
   * before, and a machine that others use, too, is not the same for long.
   *
   * @param threads how many at once, each of them in its turn
   * @param failed is told of a subject that fails, which is out then
   * @return the medians, by subjects and threads
   */
  List<Throughput> throughput(
      List<Subject> subjects, List<Integer> threads, BiConsumer<Subject, Exception> failed)
      throws InterruptedException {
    List<Subject> alive = new ArrayList<>(subjects);
    Map<Subject, Map<Integer, List<Throughput>>> all = new LinkedHashMap<>();
    for (int round = 0; round <= ROUNDS; round++) {
      for (Subject subject : List.copyOf(alive)) {
        try {
          if (round == 0) {
            throughput(subject, Collections.max(threads), WARM_UP);
            continue;
          }
          for (int count : threads) {
            all.computeIfAbsent(subject, any -> new LinkedHashMap<>())
                .computeIfAbsent(count, any -> new ArrayList<>())
                .add(throughput(subject, count, THROUGHPUT));
          }
        } catch (IOException | RuntimeException e) {
          alive.remove(subject);
          failed.accept(subject, e);
        }
      }
    }
    return alive.stream()
        .flatMap(subject -> all.getOrDefault(subject, Map.of()).values().stream())
        .map(BackToBack::median)
        .toList();
  }

  private static Throughput median(List<Throughput> rounds) {
    List<Throughput> sorted = new ArrayList<>(rounds);
    sorted.sort(Comparator.comparing(Throughput::perSecond));
    return sorted.get(sorted.size() / 2);
  }

  /** Cycles for so long from so many threads; the last ones are waited for. */
  private Throughput throughput(Subject subject, int threads, long nanos)
      throws IOException, InterruptedException {
    long begun = System.nanoTime();
    Callable<Integer> work =
        () -> {
          int count = 0;
          while (System.nanoTime() - begun < nanos) {
            subject.cycle(names.get());
            count++;
          }
          return count;
        };
    List<Future<Integer>> all = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      for (int i = 0; i < threads; i++) {
        all.add(pool.submit(work));
      }
      pool.shutdown();
      awaitEnd(pool, subject);
    } finally {
      pool.shutdownNow();
    }
    int cycles = 0;
    for (Future<Integer> each : all) {
      cycles += count(each, subject);
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    double perSecond = Math.round(cycles / seconds * 10) / 10.0;
    return new Throughput(subject.name(), threads, perSecond, cycles);
  }

  private static void awaitEnd(ExecutorService pool, Subject subject)
      throws IOException, InterruptedException {
    if (!pool.awaitTermination(1, TimeUnit.MINUTES)) {
      throw new IOException(subject.name() + ": a cycle does not end");
    }
  }

  private static int count(Future<Integer> work, Subject subject)
      throws IOException, InterruptedException {
    try {
      return work.get();
    } catch (ExecutionException e) {
      throw new IOException(subject.name() + " from several threads: " + e.getCause(), e);
    }
  }
}
