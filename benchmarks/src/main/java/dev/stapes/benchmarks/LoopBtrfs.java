package dev.stapes.benchmarks;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Btrfs in a loop file. The loop device goes with the mount, and the mount with the namespace that
 * the run is in.
 */
public final class LoopBtrfs implements AutoCloseable {
  private final Path mountPoint;
  private final Tool btrfs = new Tool("btrfs");

  private LoopBtrfs(Path mountPoint) {
    this.mountPoint = mountPoint;
  }

  /**
   * Makes it.
   *
   * @param directory where the file and the mount point will be
   * @param bytes of the file, which is sparse
   */
  public static LoopBtrfs make(Path directory, long bytes)
      throws IOException, InterruptedException {
    return make(directory, bytes, "loop");
  }

  /**
   * The same, mounted as the pools of the driver are: blocks are not cached twice, access times not
   * written, and freed space is freed in the file, too.
   */
  public static LoopBtrfs makeLikePool(Path directory, long bytes)
      throws IOException, InterruptedException {
    LoopBtrfs made = make(directory, bytes, "loop,noatime,discard=async");
    try {
      String loop = new Tool("findmnt").run("-no", "SOURCE", made.mountPoint.toString()).strip();
      new Tool("losetup").run("--direct-io=on", loop);
      return made;
    } catch (IOException | InterruptedException e) {
      made.close();
      throw e;
    }
  }

  private static LoopBtrfs make(Path directory, long bytes, String options)
      throws IOException, InterruptedException {
    Path file = directory.resolve("btrfs.img");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(bytes);
    }
    new Tool("mkfs.btrfs").run("-q", file.toString());
    Path mountPoint = Files.createDirectory(directory.resolve("btrfs"));
    new Tool("mount").run("-o", options, file.toString(), mountPoint.toString());
    return new LoopBtrfs(mountPoint);
  }

  /** A place on the file system. */
  public Path path(String name) {
    return mountPoint.resolve(name);
  }

  /** Makes an empty subvolume. */
  public void create(Path subvolume) throws IOException, InterruptedException {
    btrfs.run("subvolume", "create", subvolume.toString());
  }

  /** Makes a snapshot of a subvolume. */
  public void snapshot(Path source, Path target, boolean readOnly)
      throws IOException, InterruptedException {
    if (readOnly) {
      btrfs.run("subvolume", "snapshot", "-r", source.toString(), target.toString());
    } else {
      btrfs.run("subvolume", "snapshot", source.toString(), target.toString());
    }
  }

  /** Deletes a subvolume; its space comes back later. */
  public void delete(Path subvolume) throws IOException, InterruptedException {
    btrfs.run("subvolume", "delete", subvolume.toString());
  }

  /** Returns when all that was deleted is freed, and all that was written is on the disk. */
  public void settle() throws IOException, InterruptedException {
    btrfs.run("filesystem", "sync", mountPoint.toString());
    btrfs.run("subvolume", "sync", mountPoint.toString());
    btrfs.run("filesystem", "sync", mountPoint.toString());
  }

  /** Unmounts it; nothing of it is in use any more. */
  @Override
  public void close() throws IOException, InterruptedException {
    new Tool("umount").run(mountPoint.toString());
  }
}
