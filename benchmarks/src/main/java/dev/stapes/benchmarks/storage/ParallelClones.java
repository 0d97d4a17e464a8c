package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Lane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** A number of clones, made by threads that take one after the other. */
final class ParallelClones implements Lane {
  private final Volumes volumes;
  private final String source;
  private final String snapshot;
  private final int threads;
  private final int clones;
  private final ExecutorService executor;
  private int turn;

  /**
   * Starts the threads.
   *
   * @param clones in a run
   */
  ParallelClones(Volumes volumes, String source, String snapshot, int threads, int clones) {
    this.volumes = volumes;
    this.source = source;
    this.snapshot = snapshot;
    this.threads = threads;
    this.clones = clones;
    this.executor = Executors.newFixedThreadPool(threads, run -> new Thread(run, "clones"));
  }

  private String name(int clone) {
    return "by-" + threads + "-" + turn + "-" + clone;
  }

  @Override
  public void before() {
    turn++;
  }

  @Override
  public void run() throws IOException, InterruptedException {
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < clones; i++) {
      String target = name(i);
      all.add(
          executor.submit(
              () -> {
                volumes.cloneOf(source, snapshot, target);
                return target;
              }));
    }
    for (Future<?> each : all) {
      try {
        each.get();
      } catch (ExecutionException e) {
        throw new IOException("a clone failed: " + e.getCause(), e.getCause());
      }
    }
  }

  @Override
  public void after() throws IOException, InterruptedException {
    for (int i = 0; i < clones; i++) {
      volumes.delete(name(i));
    }
    volumes.reclaim();
  }

  /** Ends the threads; a clone that was interrupted has an end, too. */
  @Override
  public void close() {
    executor.shutdownNow();
    boolean interrupted = Thread.interrupted();
    while (!executor.isTerminated()) {
      try {
        executor.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
