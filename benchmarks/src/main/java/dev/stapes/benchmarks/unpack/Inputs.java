package dev.stapes.benchmarks.unpack;

import dev.stapes.ImageSources;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Tool;
import dev.stapes.model.Progress;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * What is unpacked: the root file system of a minimal Debian, in files that are made once and kept.
 * Each appears whole or not at all.
 */
final class Inputs {
  /** Not tar --delete, which stumbles over sparse files. */
  private static final String METADATA =
      "mkdir \"$1.parts\" && zstd -qdc \"$0\" | tar -C \"$1.parts\" -xf - --exclude=rootfs"
          + " && tar -C \"$1.parts\" -cf \"$1\" .";

  private static final String SUITE = "bookworm";
  private static final String TAR_OPTIONS =
      "tar --numeric-owner --xattrs --xattrs-include='*' --sort=name";

  private final Path directory;
  private final Path work;
  private final PrintStream log;
  private final Host host;

  /**
   * Has made nothing.
   *
   * @param directory where they are kept
   * @param work on the same file system, for what is not finished
   */
  Inputs(Path directory, Path work, Host host, PrintStream log) {
    this.directory = directory;
    this.work = work;
    this.host = host;
    this.log = log;
  }

  /** Makes a file. */
  @FunctionalInterface
  private interface Making {
    void make(Path target) throws IOException, InterruptedException;
  }

  /**
   * The root file system itself, in a subvolume.
   *
   * @param target does not exist
   */
  Contents unpackInto(LoopBtrfs btrfs, Path target) throws IOException, InterruptedException {
    btrfs.create(target);
    new Tool("tar")
        .run(
            "--zstd",
            "-xpf",
            image().toString(),
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
            "--strip-components=1",
            "-C",
            target.toString(),
            "rootfs");
    return Contents.of(target);
  }

  /**
   * The file of a path.
   *
   * @param path one of {@link UnpackPath#ofFile}
   * @param rootfs the root file system itself
   */
  Path archive(UnpackPath path, Path rootfs) throws IOException, InterruptedException {
    return switch (path) {
      case TAR_ZST -> compressed("debian.tar.zst", rootfs, "zstd -q");
      case TAR_GZ -> compressed("debian.tar.gz", rootfs, "gzip -n");
      case TAR_XZ -> compressed("debian.tar.xz", rootfs, "xz -T0 --block-size=4MiB");
      case SQUASHFS -> squashfs(rootfs);
      default -> throw new IllegalArgumentException(path.label());
    };
  }

  private Path squashfs(Path rootfs) throws IOException, InterruptedException {
    return made(
        "debian.squashfs",
        target ->
            new Tool("mksquashfs")
                .run(
                    rootfs.toString(),
                    target.toString(),
                    "-comp",
                    "zstd",
                    "-noappend",
                    "-no-progress",
                    "-quiet"));
  }

  /** An OCI layout with {@link OciImages}. */
  Path layout(Path rootfs) throws IOException, InterruptedException {
    return made("oci", target -> OciImages.make(rootfs, target));
  }

  /** What belongs to the root file system of a split image: an archive with its metadata. */
  Path metadata() throws IOException, InterruptedException {
    return made(
        "metadata.tar",
        target -> new Tool("sh", "-c", METADATA).run(image().toString(), target.toString()));
  }

  private Path compressed(String name, Path rootfs, String compressor)
      throws IOException, InterruptedException {
    String script = TAR_OPTIONS + " -C \"$0\" -cf - . | " + compressor + " -c >\"$1\"";
    return made(
        name, target -> new Tool("sh", "-c", script).run(rootfs.toString(), target.toString()));
  }

  private Path image() throws IOException, InterruptedException {
    return made("image.tar.zst", this::debootstrap);
  }

  private void debootstrap(Path target) throws IOException {
    ImageSource.Fetched fetched =
        ImageSources.debootstrap(SUITE)
            .fetch(
                new ImageSource.Context(
                    host,
                    Files.createDirectory(work.resolve("debootstrap")),
                    Files.createDirectory(work.resolve("cache")),
                    (digest, link) -> false,
                    Progress.NONE));
    Files.move(fetched.archive(), target);
  }

  private Path made(String name, Making making) throws IOException, InterruptedException {
    Path file = directory.resolve(name);
    if (!Files.exists(file)) {
      log.println("making " + name + " ...");
      Path part = work.resolve(name);
      making.make(part);
      Files.createDirectories(directory);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return file;
  }

  /** Reads a file, so that nobody waits for the disk. */
  static Path warm(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return file;
  }
}
