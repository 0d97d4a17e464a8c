package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Limit;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Btrfs in a loop file with the image, for the peers that have no storage of their own: what
 * somebody does with {@code btrfs} and {@code tar} before the first container. The loop device goes
 * with the mount, and the mount with the namespace that the run is in.
 */
final class ToolPool implements AutoCloseable {
  private static final long BYTES = 2L << 30;

  private final LoopBtrfs btrfs;

  private ToolPool(LoopBtrfs btrfs) {
    this.btrfs = btrfs;
  }

  /**
   * Makes it.
   *
   * @param archive an image as Incus has it: {@code rootfs/} in a tar
   */
  static ToolPool make(Path directory, Path archive) throws IOException, InterruptedException {
    ToolPool pool = new ToolPool(LoopBtrfs.make(directory, BYTES));
    try {
      pool.fill(archive);
      return pool;
    } catch (IOException | InterruptedException | RuntimeException e) {
      pool.close();
      throw e;
    }
  }

  private void fill(Path archive) throws IOException, InterruptedException {
    create(image());
    new Tool("tar")
        .run(
            "-C",
            image().toString(),
            "--strip-components=1",
            "--numeric-owner",
            "-xf",
            archive.toString(),
            "rootfs");
    // For those that cannot map the owners of files: mapped once, as their users do it.
    snapshot(image(), shiftedImage(), false);
    String ids = Limit.FIRST_ID + ":" + Limit.FIRST_ID;
    new Tool("chown").run("-hR", ids, shiftedImage().toString());
    new Tool("sync").run("-f", image().toString());
  }

  /** The root file system of the image, owned by the host's root. */
  Path image() {
    return path("image");
  }

  /** The same, owned by {@link Limit#FIRST_ID}. */
  Path shiftedImage() {
    return path("image-shifted");
  }

  /** A place on the file system. */
  Path path(String name) {
    return btrfs.path(name);
  }

  void create(Path subvolume) throws IOException, InterruptedException {
    btrfs.create(subvolume);
  }

  void snapshot(Path source, Path target, boolean readOnly)
      throws IOException, InterruptedException {
    btrfs.snapshot(source, target, readOnly);
  }

  void delete(Path subvolume) throws IOException, InterruptedException {
    btrfs.delete(subvolume);
  }

  /** Unmounts it; nothing of it is in use any more. */
  @Override
  public void close() throws IOException, InterruptedException {
    btrfs.close();
  }
}
