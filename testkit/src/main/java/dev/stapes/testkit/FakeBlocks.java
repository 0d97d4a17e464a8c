package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.INTERNAL;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The block devices of a fake pool: real files, so that whoever is given the path can open it. */
final class FakeBlocks {
  /** In a stream: the bytes of a device, in a volume that has nothing else. */
  private static final String IN_STREAM = "#device";

  /** As with real ones, a device may be larger than was asked for: no power of two divides it. */
  private static final long EXTENT = 96 << 10;

  private final Path directory;

  FakeBlocks(Path place) {
    this.directory = place.resolve("blocks");
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void attempt(VolumeId id, Work work) {
    try {
      work.run();
    } catch (IOException e) {
      throw new StapesException(INTERNAL, "volume " + id, "the fake device fails: " + e, e);
    }
  }

  /** Where the device of a volume is, or would be. */
  Path file(VolumeId id) {
    return directory.resolve(id.kind().directory() + "-" + id.name());
  }

  /** Empty where the volume is none. */
  Optional<Size> size(VolumeId id) {
    try {
      return Files.exists(file(id))
          ? Optional.of(Size.ofBytes(Files.size(file(id))))
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void resize(VolumeId id, Size size) {
    attempt(
        id,
        () -> {
          Files.createDirectories(directory);
          try (RandomAccessFile file = new RandomAccessFile(file(id).toFile(), "rw")) {
            file.setLength((size.bytes() + EXTENT - 1) / EXTENT * EXTENT);
          }
        });
  }

  /** Copies the device, where the source has one. */
  void copy(VolumeId source, VolumeId target) {
    if (Files.exists(file(source))) {
      attempt(target, () -> Files.copy(file(source), file(target)));
    }
  }

  void discard(VolumeId id) {
    attempt(
        id,
        () -> {
          if (Files.deleteIfExists(file(id)) && list().isEmpty()) {
            Files.delete(directory);
          }
        });
  }

  /** Removes all of them. */
  void destroy() throws IOException {
    for (Path file : list()) {
      Files.delete(file);
    }
    Files.deleteIfExists(directory);
  }

  private List<Path> list() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  /** What goes into a stream for a volume: itself, or one that holds its device. */
  FakeInode sent(VolumeId id, FakeInode root) {
    if (size(id).isEmpty()) {
      return root;
    }
    FakeInode device = new FakeInode(Tree.Type.FILE, 0600);
    attempt(
        id,
        () -> {
          byte[] bytes = Files.readAllBytes(file(id));
          device.write(0, bytes, 0, bytes.length);
        });
    FakeInode carrier = FakeVolume.emptyRoot();
    carrier.children.put(IN_STREAM, device);
    return carrier;
  }

  /** Makes the device that came in a stream, where one did, and answers the root to keep. */
  FakeInode received(VolumeId id, FakeInode root) {
    FakeInode device = root.children.get(IN_STREAM);
    if (device == null) {
      return root;
    }
    attempt(
        id,
        () -> {
          Files.createDirectories(directory);
          Files.write(file(id), device.content());
        });
    return FakeVolume.emptyRoot();
  }
}
