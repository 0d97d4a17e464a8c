package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Split images that nobody has seen before: all of the same root file system, each with metadata,
 * and so with a fingerprint, of its own.
 *
 * @param rootfs the squashfs that all of them have
 * @param directory where the metadata is made, with the content of the archive in {@code content}
 * @param count how many there have been
 */
record SplitImages(Path rootfs, Path directory, AtomicInteger count) {
  /**
   * Has made none.
   *
   * @param metadata an archive with metadata.yaml
   * @param directory an empty one
   */
  static SplitImages of(Path metadata, Path rootfs, Path directory)
      throws IOException, InterruptedException {
    Path content = Files.createDirectory(directory.resolve("content"));
    new Tool("tar").run("-C", content.toString(), "-xf", metadata.toString());
    return new SplitImages(rootfs, directory, new AtomicInteger());
  }

  /** The metadata of another one: a comment makes the difference. */
  Path next() throws IOException, InterruptedException {
    int number = count.incrementAndGet();
    Path content = directory.resolve("content");
    Files.write(
        content.resolve("metadata.yaml"),
        ("# number " + number + "\n").getBytes(StandardCharsets.UTF_8),
        StandardOpenOption.APPEND);
    Path metadata = directory.resolve("metadata.tar");
    new Tool("tar").run("-C", content.toString(), "-cf", metadata.toString(), ".");
    return metadata;
  }
}
