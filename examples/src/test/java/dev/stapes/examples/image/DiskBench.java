package dev.stapes.examples.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Stapes;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An open Stapes whose virtual machines are fakes, on a pool of this machine, and a place for the
 * files of disks. Afterwards nothing of it may be left on the machine.
 */
final class DiskBench implements BeforeEachCallback, AfterEachCallback {
  /** The size of {@link #raw}. */
  static final long SIZE = 64 << 20;

  static final String METADATA =
      "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  os: tiny\n";

  private static final int CHUNK = 1 << 20;
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String driver;
  private final FakeMachineRoom room = FakeMachineRoom.create();
  private Path root = Path.of("");
  private Path files = Path.of("");
  private Stapes stapes;

  DiskBench(String driver) {
    this.driver = driver;
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    Path directory =
        Path.of(System.getProperty("stapes.build", "target"))
            .toAbsolutePath()
            .resolve("disks-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
    root = Files.createDirectories(directory.resolve("stapes"));
    files = Files.createDirectories(directory.resolve("files"));
    stapes = open();
  }

  private Stapes open() {
    return Stapes.builder(root)
        .with(FakeInstances.in(room).type(InstanceType.VIRTUAL_MACHINE))
        .defaultPool(PoolSpec.of("default", driver))
        .open();
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    if (stapes != null) {
      stapes
          .instances()
          .list()
          .forEach(info -> stapes.instances().get(info.name()).delete(dev.stapes.Delete.FORCE));
      stapes.close();
    }
    assertEquals(Set.of(), HostLeftovers.of(root), "left on the machine");
    try (Stream<Path> all = Files.walk(root.getParent())) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  Stapes stapes() {
    return stapes;
  }

  Stapes reopen() {
    stapes.close();
    stapes = open();
    return stapes;
  }

  Path root() {
    return root;
  }

  Path file(String name) {
    return files.resolve(name);
  }

  /** A disk with some data, which begins like one to boot from, and holes. */
  Path raw() throws IOException {
    Path raw = file("raw.img");
    try (RandomAccessFile disk = new RandomAccessFile(raw.toFile(), "rw")) {
      disk.setLength(SIZE);
      byte[] data = new byte[300_000];
      new Random(1).nextBytes(data);
      disk.write(data, 0, 510);
      disk.write(0x55);
      disk.write(0xaa);
      disk.seek(10_000_000);
      disk.write(data);
      disk.seek(SIZE - 512);
      disk.write(data, 0, 512);
    }
    return raw;
  }

  /** The same in another format. */
  Path converted(String format, String... options) throws IOException, InterruptedException {
    Path target = file("disk-" + COUNT.incrementAndGet() + "." + format);
    Stream<String> words =
        Stream.of(
                Stream.of("convert", "-f", "raw", "-O", format),
                Stream.of(options),
                Stream.of(raw().toString(), target.toString()))
            .flatMap(part -> part);
    qemuImg(words.toArray(String[]::new));
    return target;
  }

  static void qemuImg(String... words) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(Stream.concat(Stream.of("qemu-img"), Stream.of(words)).toList())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES), List.of(words)::toString);
    assertEquals(0, process.exitValue(), () -> List.of(words) + ": " + output);
  }

  /** An archive with metadata, and a disk where one is given. */
  Path archive(Path... disks) throws IOException {
    Path archive = file("image-" + COUNT.incrementAndGet() + ".tar");
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(Files.newOutputStream(archive))) {
      add(tar, "metadata.yaml", METADATA.getBytes(UTF_8));
      for (Path disk : disks) {
        add(tar, "rootfs.img", Files.readAllBytes(disk));
      }
    }
    return archive;
  }

  static void add(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setModTime(0);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  /** A file takes so many bytes. */
  static long allocated(Path file) throws IOException {
    Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
    return 512 * Long.parseLong(new String(stat.getInputStream().readAllBytes(), UTF_8).strip());
  }

  /** The content of one file is that of another, as far as that goes. */
  static void assertStartsAs(Path expected, Path file) throws IOException {
    try (InputStream one = Files.newInputStream(expected);
        InputStream other = Files.newInputStream(file)) {
      for (byte[] read = one.readNBytes(CHUNK); read.length > 0; read = one.readNBytes(CHUNK)) {
        assertArrayEquals(read, other.readNBytes(read.length));
      }
    }
  }

  /** The disks of this kind in the pool. */
  List<Path> disks(String kind) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(path -> path.endsWith("root.img"))
          .filter(path -> path.toString().contains("/" + kind + "/"))
          .toList();
    }
  }
}
