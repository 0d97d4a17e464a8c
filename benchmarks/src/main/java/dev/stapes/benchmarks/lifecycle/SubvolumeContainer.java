package dev.stapes.benchmarks.lifecycle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A container of a manager without storage: its root and what it keeps are subvolumes. */
abstract class SubvolumeContainer implements Container, Container.CopyOnWrite {
  private final ToolPool pool;
  private final String name;

  SubvolumeContainer(ToolPool pool, String name) {
    this.pool = pool;
    this.name = name;
  }

  abstract boolean runs() throws IOException, InterruptedException;

  final Path root() {
    return pool.path(name);
  }

  private Path kept(String snapshot) {
    return pool.path(name + "." + snapshot);
  }

  @Override
  public final Optional<CopyOnWrite> copyOnWrite() {
    return Optional.of(this);
  }

  @Override
  public final void snapshot(String snapshot) throws IOException, InterruptedException {
    pool.snapshot(root(), kept(snapshot), true);
  }

  @Override
  public final void deleteSnapshot(String snapshot) throws IOException, InterruptedException {
    pool.delete(kept(snapshot));
  }

  @Override
  public final void restore(String snapshot) throws IOException, InterruptedException {
    boolean running = runs();
    if (running) {
      stop();
    }
    pool.delete(root());
    pool.snapshot(kept(snapshot), root(), false);
    if (running) {
      start();
    }
  }

  /** Removes the root and all snapshots. */
  final void deleteSubvolumes() throws IOException, InterruptedException {
    pool.delete(root());
    try (var all = Files.newDirectoryStream(root().getParent(), name + ".*")) {
      for (Path kept : all) {
        pool.delete(kept);
      }
    }
  }
}
