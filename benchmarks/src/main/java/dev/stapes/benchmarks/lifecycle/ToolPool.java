package dev.stapes.benchmarks.lifecycle;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Btrfs in a loop file with the image, for the peers that have no storage of their own: what
 * somebody does with {@code btrfs} and {@code tar} before the first container. The loop device goes
 * with the mount, and the mount with the namespace that the run is in.
 */
final class ToolPool implements AutoCloseable {
  private static final long BYTES = 2L << 30;

  private final Path mountPoint;
  private final Tool btrfs = new Tool("btrfs");

  private ToolPool(Path mountPoint) {
    this.mountPoint = mountPoint;
  }

  /**
   * Makes it.
   *
   * @param archive an image as Incus has it: {@code rootfs/} in a tar
   */
  static ToolPool make(Path directory, Path archive) throws IOException, InterruptedException {
    Path file = directory.resolve("btrfs.img");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(BYTES);
    }
    new Tool("mkfs.btrfs").run("-q", file.toString());
    Path mountPoint = Files.createDirectory(directory.resolve("btrfs"));
    new Tool("mount").run("-o", "loop", file.toString(), mountPoint.toString());
    ToolPool pool = new ToolPool(mountPoint);
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
    new Tool("sync").run("-f", mountPoint.toString());
  }

  /** The root file system of the image, owned by the host's root. */
  Path image() {
    return mountPoint.resolve("image");
  }

  /** The same, owned by {@link Limit#FIRST_ID}. */
  Path shiftedImage() {
    return mountPoint.resolve("image-shifted");
  }

  /** A place on the file system. */
  Path path(String name) {
    return mountPoint.resolve(name);
  }

  void create(Path subvolume) throws IOException, InterruptedException {
    btrfs.run("subvolume", "create", subvolume.toString());
  }

  void snapshot(Path source, Path target, boolean readOnly)
      throws IOException, InterruptedException {
    if (readOnly) {
      btrfs.run("subvolume", "snapshot", "-r", source.toString(), target.toString());
    } else {
      btrfs.run("subvolume", "snapshot", source.toString(), target.toString());
    }
  }

  void delete(Path subvolume) throws IOException, InterruptedException {
    btrfs.run("subvolume", "delete", subvolume.toString());
  }

  /** Unmounts it; nothing of it is in use any more. */
  @Override
  public void close() throws IOException, InterruptedException {
    new Tool("umount").run(mountPoint.toString());
  }
}
