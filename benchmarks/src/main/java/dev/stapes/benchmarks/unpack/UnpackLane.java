package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Lane;
import dev.stapes.benchmarks.LoopBtrfs;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Somebody who unpacks into an empty subvolume. It is deleted, and all is written to the disk,
 * before the next run begins. The first result is counted.
 */
final class UnpackLane implements Lane {
  private final LoopBtrfs btrfs;
  private final Path target;
  private final Contents expected;
  private final Unpacking unpacking;
  private boolean there;
  private boolean checked;

  /**
   * Prepares.
   *
   * @param target a path on the Btrfs that nobody else uses
   * @param expected what is there in the end
   */
  UnpackLane(LoopBtrfs btrfs, Path target, Contents expected, Unpacking unpacking) {
    this.btrfs = btrfs;
    this.target = target;
    this.expected = expected;
    this.unpacking = unpacking;
  }

  /** Unpacks what it knows of. */
  @FunctionalInterface
  interface Unpacking {
    /** Into an empty directory. */
    void into(Path target) throws IOException, InterruptedException;
  }

  @Override
  public void before() throws IOException, InterruptedException {
    btrfs.create(target);
    there = true;
    btrfs.settle();
  }

  @Override
  public void run() throws IOException, InterruptedException {
    unpacking.into(target);
  }

  @Override
  public void after() throws IOException, InterruptedException {
    if (!checked) {
      Contents actual = Contents.of(target);
      if (!actual.equals(expected)) {
        throw new IOException("unpacked " + actual + " instead of " + expected);
      }
      checked = true;
    }
    delete();
  }

  private void delete() throws IOException, InterruptedException {
    btrfs.delete(target);
    there = false;
    btrfs.settle();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (there) {
      delete();
    }
  }
}
