package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.SampleTree;
import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/**
 * What is put into volumes: the same for all pools, and again with the same seed.
 *
 * @param scale how much
 * @param seed of all content
 * @param archive of the sample files, below {@code rootfs/}
 */
record Inputs(Scale scale, long seed, Path archive) {
  private static final int BLOCK = 4096;
  private static final int CHUNK = 1 << 20;
  private static final String LARGE = "large";

  /** Makes the archive. */
  static Inputs make(Scale scale, long seed, Path directory)
      throws IOException, InterruptedException {
    Path rootfs = Files.createDirectories(directory.resolve("rootfs"));
    SampleTree.make(rootfs, scale.files(), scale.bytes(), seed);
    Path archive = directory.resolve("sample.tar");
    new Tool("tar")
        .run(
            "--sort=name",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "-C",
            directory.toString(),
            "-cf",
            archive.toString(),
            "rootfs");
    return new Inputs(scale, seed, archive);
  }

  /** Many files, such as a system has. */
  void fill(Path volume) throws IOException {
    SampleTree.make(volume, scale.files(), scale.bytes(), seed);
  }

  /** Few files, where it is numbers of volumes that matter. */
  void fillSmall(Path volume) throws IOException {
    SampleTree.make(volume, Scale.SMALL_FILES, Scale.SMALL_BYTES, seed);
  }

  /** One large file, which nothing compresses. */
  void fillLarge(Path volume) throws IOException {
    Random random = new Random(seed);
    byte[] chunk = new byte[CHUNK];
    try (FileChannel file =
        FileChannel.open(
            volume.resolve(LARGE), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long left = scale.largeBytes(); left > 0; left -= CHUNK) {
        random.nextBytes(chunk);
        file.write(ByteBuffer.wrap(chunk, 0, (int) Math.min(left, CHUNK)));
      }
      file.force(true);
    }
  }

  /** Overwrites 4 KiB in the middle of the large file; returns when they are on the disk. */
  void writeIntoLarge(Path volume) throws IOException {
    byte[] block = new byte[BLOCK];
    new Random(seed + 1).nextBytes(block);
    try (FileChannel file = FileChannel.open(volume.resolve(LARGE), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(block), scale.largeBytes() / 2 / BLOCK * (long) BLOCK);
      file.force(false);
    }
  }

  /** Writes more: about a tenth of what {@link #fill} writes, into new files. */
  void change(Path volume) throws IOException {
    Path more = Files.createDirectory(volume.resolve("more"));
    SampleTree.make(more, Math.max(scale.files() / 10, 1), scale.bytes() / 10, seed + 2);
  }
}
