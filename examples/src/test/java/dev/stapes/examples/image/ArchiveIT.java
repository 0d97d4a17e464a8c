package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives of other tools, on real file systems. */
@RequiresRoot
@RequiresKernel("loop")
@RequiresKernel("btrfs")
@RequiresTool("mkfs.btrfs")
class ArchiveIT {
  private static final Instant TIME = Instant.parse("2021-03-04T05:06:07.123456789Z");

  private ImageBench bench;

  @BeforeEach
  void open() throws IOException {
    bench = new ImageBench();
  }

  @AfterEach
  void close() {
    bench.close();
  }

  /** A directory with something of everything. */
  private Path sample() throws IOException {
    Path image = Files.createDirectories(bench.root().resolve("sample"));
    Files.writeString(
        image.resolve("metadata.yaml"),
        "architecture: x86_64\ncreation_date: 1600000000\nproperties:\n  os: sample\n");
    Path rootfs = Files.createDirectory(image.resolve("rootfs"));
    try (Tree tree = bench.host().tree(rootfs, Tree.Resolution.BENEATH)) {
      fill(tree);
    }
    return image;
  }

  private static void fill(Tree tree) throws IOException {
    byte[] capability = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    byte[] binary = {0, (byte) 0xff, '\n', (byte) 0x80, '='};
    String deep = "d" + "/directory-with-a-name".repeat(20);
    List<String> paths = new ArrayList<>();
    for (int at = deep.indexOf('/'); at > 0; at = deep.indexOf('/', at + 1)) {
      tree.mkdir(deep.substring(0, at), 0755);
      paths.add(deep.substring(0, at));
    }
    tree.mkdir(deep, 02750);
    paths.add(deep);
    write(tree, "plain", "hello");
    write(tree, "set-user-id", "x");
    write(tree, "capable", "y");
    write(tree, deep + "/\u00e9\u4e2d \n odd\\", "z");
    tree.hardlink("plain", "d/second-name");
    tree.symlink("/etc/../" + "long/".repeat(40), "link");
    tree.mkfifo("pipe", 0620);
    tree.chown("plain", 1_234, 70_000);
    tree.chown("set-user-id", 3_000_000, 3_000_000_000L);
    tree.chown("link", 5, 6);
    tree.chmod("set-user-id", 06755);
    tree.setXattr("capable", "security.capability", capability);
    tree.setXattr("plain", "user.binary=%", binary);
    tree.setXattr("d", "user.of-a-directory", binary);
    paths.addAll(List.of("plain", "set-user-id", "capable", "link", "pipe"));
    paths.add(deep + "/\u00e9\u4e2d \n odd\\");
    for (int i = paths.size() - 1; i >= 0; i--) {
      tree.setModified(paths.get(i), TIME.minusSeconds(i));
    }
    tree.setModified("/", TIME);
  }

  private static void write(Tree tree, String path, String content) throws IOException {
    try (OutputStream out = tree.create(path, 0644)) {
      out.write(content.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void sparse(Path file) throws IOException {
    try (SeekableByteChannel channel =
        Files.newByteChannel(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int i = 1; i < 60; i += 2) {
        channel.position(i * 100_000L);
        channel.write(StandardCharsets.UTF_8.encode("data " + i));
      }
      channel.position(8_000_000);
      channel.write(StandardCharsets.UTF_8.encode("\0"));
    }
  }

  private Path tar(Path image, String... options) {
    Path archive = bench.root().resolve("archive");
    List<String> command =
        new ArrayList<>(List.of("tar", "-C", image.toString(), "--numeric-owner"));
    command.addAll(List.of("--xattrs", "--xattrs-include=*", "-cf", archive.toString()));
    command.addAll(Arrays.asList(options));
    command.addAll(List.of("metadata.yaml", "rootfs"));
    bench.run(command.toArray(new String[0]));
    return archive;
  }

  private static List<String> describe(ImageBench bench, Path directory) {
    try (Tree tree = bench.host().tree(directory, Tree.Resolution.BENEATH)) {
      return ImageBench.describe(tree);
    }
  }

  private List<String> describe(VolumeId volume) {
    try (Tree tree = bench.files(volume)) {
      return ImageBench.describe(tree);
    }
  }

  private static void assertSame(List<String> expected, List<String> actual) {
    assertEquals(String.join("\n", expected), String.join("\n", actual));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format=posix",
        "--format=posix --sparse --sparse-version=0.0",
        "--format=posix --sparse --sparse-version=0.1 --gzip",
        "--format=posix --sparse --sparse-version=1.0 --xz",
        "--format=posix --bzip2",
        "--format=posix --zstd",
        "--format=posix --lzma"
      })
  void what_gnu_tar_packs_unpacks_identical(String options) throws IOException {
    Path image = sample();
    sparse(image.resolve("rootfs/sparse"));
    Path archive = tar(image, options.split(" "));
    ImageInfo imported = bench.bring(ImageSources.file(archive));
    assertEquals("sample", imported.metadata().properties().get("os"));
    assertSame(describe(bench, image.resolve("rootfs")), describe(bench.unpacked(imported)));
  }

  @Test
  void a_split_image_of_gnu_tar_unpacks_identical() throws IOException {
    Path image = sample();
    Path metadata = bench.root().resolve("metadata.tar.xz");
    bench.run("tar", "-C", image.toString(), "-cJf", metadata.toString(), "metadata.yaml");
    Path rootfs = bench.root().resolve("rootfs.tar.zst");
    bench.run(
        "tar",
        "-C",
        image.resolve("rootfs").toString(),
        "--numeric-owner",
        "--format=posix",
        "--xattrs",
        "--xattrs-include=*",
        "--zstd",
        "-cf",
        rootfs.toString(),
        ".");
    ImageInfo imported = bench.bring(ImageSources.split(metadata, rootfs));
    assertEquals("sample", imported.metadata().properties().get("os"));
    assertSame(describe(bench, image.resolve("rootfs")), describe(bench.unpacked(imported)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "xz", "lz4", "zstd", "lzma -b 4096", "zstd -b 1M -no-fragments"})
  @RequiresTool("mksquashfs")
  void a_split_image_of_mksquashfs_unpacks_identical_but_for_fractions_of_seconds(String options)
      throws IOException {
    Path image = sample();
    Path rootfs = image.resolve("rootfs");
    sparse(rootfs.resolve("sparse"));
    Files.writeString(rootfs.resolve("d/large"), "0123456789abcdef".repeat(90_001));
    Path metadata = bench.root().resolve("metadata.tar.xz");
    bench.run("tar", "-C", image.toString(), "-cJf", metadata.toString(), "metadata.yaml");
    Path squash = bench.root().resolve("rootfs.squashfs");
    List<String> command =
        new ArrayList<>(
            List.of("mksquashfs", rootfs.toString(), squash.toString(), "-no-progress", "-comp"));
    command.addAll(List.of(options.split(" ")));
    bench.run(command.toArray(new String[0]));
    ImageInfo imported = bench.bring(ImageSources.split(metadata, squash));
    assertSame(
        wholeSeconds(describe(bench, rootfs)), wholeSeconds(describe(bench.unpacked(imported))));
  }

  private static List<String> wholeSeconds(List<String> described) {
    return described.stream().map(line -> line.replaceAll("\\.\\d+Z", "Z")).toList();
  }

  @Test
  void the_old_format_of_gnu_tar_unpacks_identical_but_for_fractions_of_seconds()
      throws IOException {
    Path image = sample();
    sparse(image.resolve("rootfs/sparse"));
    Path archive = bench.root().resolve("archive");
    bench.run(
        "tar",
        "-C",
        image.toString(),
        "--numeric-owner",
        "--format=gnu",
        "--sparse",
        "-cf",
        archive.toString(),
        "metadata.yaml",
        "rootfs");
    Path expected = Files.createDirectory(bench.root().resolve("expected"));
    bench.run("tar", "-C", expected.toString(), "--numeric-owner", "-xpf", archive.toString());
    assertSame(
        describe(bench, expected.resolve("rootfs")),
        describe(bench.unpacked(bench.bring(ImageSources.file(archive)))));
  }

  @Test
  void gnu_tar_unpacks_what_is_packed_here() throws IOException {
    Path rootfs = sample().resolve("rootfs");
    ImageInfo image =
        bench.bring(
            ImageSources.directory(rootfs, ImageMetadata.container("x86_64", TIME, Map.of())));
    Path exported = bench.root().resolve("exported.tar.zst");
    bench.store().export(image.fingerprint(), exported, Progress.NONE);
    Path unpacked = Files.createDirectory(bench.root().resolve("unpacked"));
    bench.run(
        "tar",
        "-C",
        unpacked.toString(),
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--zstd",
        "-xpf",
        exported.toString());
    assertSame(describe(bench, rootfs), describe(bench, unpacked.resolve("rootfs")));
    assertSame(describe(bench, rootfs), describe(bench.unpacked(image)));
  }

  @Test
  void a_name_through_a_link_writes_nothing_outside_and_leaves_no_volume() throws IOException {
    Path outside = Files.createDirectory(bench.root().resolve("outside"));
    Path image = Files.createDirectory(bench.root().resolve("evil"));
    Path rootfs = Files.createDirectory(image.resolve("rootfs"));
    Files.writeString(image.resolve("metadata.yaml"), "architecture: x86_64\n");
    Files.createSymbolicLink(rootfs.resolve("escape"), outside);
    Path archive = bench.root().resolve("evil.tar");
    bench.run("tar", "-C", image.toString(), "-cf", archive.toString(), "metadata.yaml", "rootfs");
    Files.delete(rootfs.resolve("escape"));
    Files.createDirectory(rootfs.resolve("escape"));
    Files.writeString(rootfs.resolve("escape/file"), "got out");
    bench.run("tar", "-C", image.toString(), "-rf", archive.toString(), "rootfs/escape/file");
    ImageInfo imported = bench.bring(ImageSources.file(archive));
    StapesException e = assertThrows(StapesException.class, () -> bench.unpacked(imported));
    assertEquals(StapesException.Kind.INVALID, e.kind(), e.toString());
    assertTrue(e.toString().contains("\"rootfs/escape/file\""), e.toString());
    assertEquals(List.of(), Arrays.asList(outside.toFile().list()));
    assertTrue(bench.pool().list().isEmpty());
  }

  @Test
  @RequiresTool("busybox")
  void the_busybox_image_runs_and_everything_in_it_is_roots() throws IOException {
    ImageInfo image = bench.bring(ImageSources.busybox());
    assertEquals(
        image.fingerprint(),
        bench.bring(ImageSources.busybox()).fingerprint(),
        "the same busybox, the same image");
    VolumeId volume = bench.unpacked(image);
    for (String line : describe(volume)) {
      assertTrue(line.contains(" 0:0 "), line);
    }
    try (StoragePool.Attachment attached = bench.pool().attach(volume, Optional.empty(), true)) {
      String root = attached.path().toString();
      assertEquals(
          "root\nlocalhost\n",
          bench.run(
              "chroot", root, "/bin/sh", "-c", "whoami; cat /etc/hostname; test -x /sbin/init"));
    }
  }
}
