package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Output;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The sources that bring a file, a directory, and what debootstrap makes. */
class SourcesTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final ImageMetadata METADATA =
      ImageMetadata.container("aarch64", NOW, Map.of("os", "test"));

  private final Path root;
  private final Path work;
  private final FakeHost host;
  private final MemoryTree machine = new MemoryTree();
  private final MemoryTree target = new MemoryTree();

  SourcesTest(@TempDir Path root) throws IOException {
    this.root = root;
    this.work = Files.createDirectory(root.resolve("work"));
    this.host = new FakeHost(root);
    host.trees.put(root, machine);
    host.trees.put(work.resolve("target"), target);
  }

  private ImageSource.Fetched fetch(ImageSource source) {
    return source.fetch(
        new ImageSource.Context(host, work, work, (digest, target) -> false, Progress.NONE));
  }

  private static StapesException refused(Kind kind, String part, Executable action) {
    StapesException e = assertThrows(StapesException.class, action);
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
    return e;
  }

  private static void write(MemoryTree tree, String path, String content) {
    try (OutputStream out = tree.write(path, 0644)) {
      out.write(content.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static MemoryTree unpacked(Path archive) {
    MemoryTree tree = new MemoryTree();
    new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(archive, Optional.empty()), Progress.NONE);
    return tree;
  }

  @Test
  void a_file_is_copied_and_its_metadata_read() throws IOException {
    Path file = root.resolve("image.tar");
    ArchiveFile.write(
        file, true, METADATA, NOW, tar -> tar.add(TarEntry.directory("rootfs", 0755, NOW)));
    ImageSource.Fetched fetched = fetch(new FileSource(file, Optional.empty()));
    assertEquals(METADATA, fetched.metadata());
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(fetched.archive()));
    assertTrue(fetched.archive().startsWith(work));
  }

  @Test
  void a_file_that_is_no_image_is_refused() throws IOException {
    refused(
        Kind.NOT_FOUND,
        "nothing",
        () -> fetch(new FileSource(root.resolve("nothing"), Optional.empty())));
    refused(Kind.INVALID, "no regular file", () -> fetch(new FileSource(root, Optional.empty())));
    Path split = root.resolve("split.tar");
    ArchiveFile.write(split, false, METADATA, NOW, tar -> {});
    refused(
        Kind.INVALID,
        "half of a split image",
        () -> fetch(new FileSource(split, Optional.empty())));
    Path machine = root.resolve("machine.tar");
    ArchiveFile.write(
        machine,
        false,
        METADATA,
        NOW,
        tar -> tar.add(TarEntry.file("rootfs.img", 0644, 1, NOW), new byte[1]));
    refused(
        Kind.INVALID, "no whole sectors", () -> fetch(new FileSource(machine, Optional.empty())));
    ByteArrayOutputStream bare = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(bare);
    tar.add(TarEntry.directory("rootfs", 0755, NOW));
    tar.finish();
    Path without = Files.write(root.resolve("without.tar"), bare.toByteArray());
    refused(
        Kind.INVALID, "no metadata.yaml", () -> fetch(new FileSource(without, Optional.empty())));
  }

  @Test
  void the_two_files_of_a_split_image_are_copied() throws IOException {
    Path metadata = root.resolve("metadata.tar");
    ArchiveFile.write(metadata, true, METADATA, NOW, tar -> {});
    Path rootfs = Files.write(root.resolve("rootfs.tar"), bare("etc"));
    ImageSource.Fetched fetched = fetch(new FileSource(metadata, Optional.of(rootfs)));
    assertEquals(METADATA, fetched.metadata());
    assertArrayEquals(Files.readAllBytes(metadata), Files.readAllBytes(fetched.archive()));
    Path copy = fetched.rootfs().orElseThrow();
    assertArrayEquals(Files.readAllBytes(rootfs), Files.readAllBytes(copy));
    assertTrue(copy.startsWith(work));
  }

  @Test
  void halves_that_do_not_make_an_image_are_refused() throws IOException {
    Path metadata = root.resolve("metadata.tar");
    ArchiveFile.write(metadata, true, METADATA, NOW, tar -> {});
    Path rootfs = Files.write(root.resolve("rootfs.tar"), bare("etc"));
    Path whole = root.resolve("whole.tar");
    ArchiveFile.write(
        whole, true, METADATA, NOW, tar -> tar.add(TarEntry.directory("rootfs", 0755, NOW)));
    Path nothing = root.resolve("nothing");
    Path empty = root.resolve("empty.tar.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(empty))) {
      out.write(bare());
    }
    Path text = Files.writeString(root.resolve("text"), "hello");
    refused(Kind.NOT_FOUND, "nothing", () -> fetch(split(nothing, rootfs)));
    refused(Kind.NOT_FOUND, "nothing", () -> fetch(split(metadata, nothing)));
    refused(Kind.INVALID, "rootfs/ of its own", () -> fetch(split(whole, rootfs)));
    refused(Kind.INVALID, "no metadata.yaml", () -> fetch(split(rootfs, rootfs)));
    refused(Kind.INVALID, "empty", () -> fetch(split(metadata, empty)));
    refused(Kind.INVALID, "no tar archive", () -> fetch(split(metadata, text)));
  }

  private static FileSource split(Path metadata, Path rootfs) {
    return new FileSource(metadata, Optional.of(rootfs));
  }

  private static byte[] bare(String... directories) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(bytes);
    for (String directory : directories) {
      tar.add(TarEntry.directory(directory, 0755, NOW));
    }
    tar.finish();
    return bytes.toByteArray();
  }

  @Test
  void a_directory_is_packed_without_what_is_below_dev() {
    MemoryTree rootfs = new MemoryTree();
    rootfs.mkdir("dev", 0755);
    rootfs.mkdir("dev/shm", 01777);
    rootfs.mkdir("etc", 0750);
    write(rootfs, "etc/motd", "hello");
    host.trees.put(root.resolve("rootfs"), rootfs);
    ImageSource.Fetched fetched = fetch(new DirectorySource(root.resolve("rootfs"), METADATA));
    MemoryTree copy = unpacked(fetched.archive());
    assertEquals(0750, copy.stat("etc").orElseThrow().mode());
    assertEquals(5, copy.stat("etc/motd").orElseThrow().size());
    assertTrue(copy.list("dev").isEmpty());
    assertEquals(METADATA, fetch(new FileSource(fetched.archive(), Optional.empty())).metadata());
  }

  private ImageSource debootstrap(String suite) {
    return new DebootstrapSource(
        suite,
        Clock.fixed(NOW, ZoneOffset.UTC),
        name ->
            name.equals("http_proxy") ? Optional.of("http://proxy.invalid:1") : Optional.empty());
  }

  private void machineWithDebootstrap() throws IOException {
    machine.mkdir("etc", 0755);
    write(machine, "etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
    Files.createDirectories(root.resolve("etc/apt"));
    Files.writeString(
        root.resolve("etc/apt/sources.list"), "deb http://m.invalid/debian bookworm main\n");
    host.programs.put("debootstrap", Path.of("/usr/sbin/debootstrap"));
  }

  @Test
  void debootstrap_runs_with_the_machines_mirror_and_leaves_no_mount() throws IOException {
    machineWithDebootstrap();
    host.root = true;
    host.answer =
        command -> {
          bootstrapped(command);
          return new Output("", "");
        };
    ImageSource.Fetched fetched = fetch(debootstrap("trixie"));
    Command command = host.commands.get(0);
    assertEquals(
        List.of(
            "sh",
            "-c",
            "exec \"$@\" >&2",
            "sh",
            "debootstrap",
            "--variant=minbase",
            "--include=systemd-sysv",
            "trixie",
            work.resolve("target").toString(),
            "http://m.invalid/debian"),
        command.arguments());
    assertEquals("http://proxy.invalid:1", command.environment().get("http_proxy"));
    assertEquals(List.of(), host.mounted);
    assertEquals("Debian", fetched.metadata().properties().get("os"));
    assertEquals("13", fetched.metadata().properties().get("version"));
    MemoryTree copy = unpacked(fetched.archive());
    assertEquals(0, copy.stat("etc/machine-id").orElseThrow().size());
    assertTrue(copy.stat("etc/hosts").isPresent());
    for (String gone :
        List.of("etc/hostname", "etc/resolv.conf", "var/cache/apt/archives/a.deb", "dev/null")) {
      assertFalse(copy.stat(gone).isPresent(), gone);
    }
  }

  private void bootstrapped(Command command) {
    assertEquals("debootstrap", command.arguments().get(4));
    host.mounted.add(work.resolve("target/proc"));
    host.mounted.add(work.resolve("target/proc/sys"));
    for (String directory :
        List.of(
            "etc",
            "usr",
            "usr/lib",
            "var",
            "var/cache",
            "var/cache/apt",
            "var/cache/apt/archives",
            "dev")) {
      target.mkdir(directory, 0755);
    }
    write(target, "usr/lib/os-release", "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\n");
    write(target, "etc/machine-id", "0123");
    write(target, "etc/hostname", "secret");
    write(target, "etc/resolv.conf", "nameserver");
    write(target, "var/cache/apt/archives/a.deb", "big");
    write(target, "dev/null", "");
  }

  @Test
  void a_debootstrap_that_fails_tells_the_end_of_its_log_and_leaves_no_mount() throws IOException {
    machineWithDebootstrap();
    host.root = true;
    host.answer =
        command -> {
          host.mounted.add(work.resolve("target/proc"));
          Path log = work.resolve("target/debootstrap/debootstrap.log");
          try {
            Files.createDirectories(log.getParent());
            Files.writeString(log, "first\n" + "line\n".repeat(20) + "dpkg: no space\n");
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          throw new StapesException(Kind.INTERNAL, "program debootstrap", "exit code 1");
        };
    StapesException e =
        refused(Kind.INTERNAL, "dpkg: no space", () -> fetch(debootstrap("trixie")));
    assertFalse(e.toString().contains("first"), e.toString());
    assertEquals(List.of(), host.mounted);
  }

  @Test
  void a_debootstrap_that_is_interrupted_leaves_no_mount() throws IOException {
    machineWithDebootstrap();
    host.root = true;
    host.answer =
        command -> {
          host.mounted.add(work.resolve("target/proc"));
          Thread.currentThread().interrupt();
          throw new StapesException(Kind.INTERRUPTED, "program debootstrap", "killed");
        };
    refused(Kind.INTERRUPTED, "killed", () -> fetch(debootstrap("trixie")));
    assertTrue(Thread.interrupted());
    assertEquals(List.of(), host.mounted);
  }

  @Test
  void what_debootstrap_needs_and_lacks_is_said() throws IOException {
    refused(Kind.INVALID, "\"../x\"", () -> debootstrap("../x"));
    refused(Kind.INVALID, "\"--foo\"", () -> debootstrap("--foo"));
    refused(Kind.UNAVAILABLE, "install the package", () -> fetch(debootstrap("trixie")));
    machineWithDebootstrap();
    refused(Kind.DENIED, "root", () -> fetch(debootstrap("trixie")));
    host.root = true;
    Files.writeString(root.resolve("etc/apt/sources.list"), "");
    refused(Kind.UNAVAILABLE, "no mirror", () -> fetch(debootstrap("trixie")));
  }
}
