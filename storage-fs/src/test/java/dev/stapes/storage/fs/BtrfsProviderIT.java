package dev.stapes.storage.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Making and opening pools where something is not as it should be. */
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
@Timeout(120)
class BtrfsProviderIT {
  private static final PoolSpec SPEC = PoolSpec.of("test", "btrfs").size(Size.ofMebibytes(256));

  private final BtrfsProvider provider = new BtrfsProvider();
  private final Host host = TestDisk.openHost();
  private final Path directory;
  private final Path image;

  BtrfsProviderIT(@TempDir Path directory) throws IOException {
    this.directory = directory.toRealPath();
    this.image = this.directory.resolve("disk.img");
  }

  @AfterEach
  void nothing_is_left() {
    host.close();
    assertEquals(Set.of(), HostLeftovers.staying(PoolBench.PATIENCE, directory));
  }

  private void refused(Kind kind, String naming, Executable attempt) {
    StapesException error = assertThrows(StapesException.class, attempt);
    assertEquals(kind, error.kind(), error.toString());
    assertTrue(String.valueOf(error.getMessage()).contains(naming), error.toString());
  }

  private void made() {
    provider.create(host, SPEC, directory).close();
  }

  @Test
  void a_loop_file_that_is_gone_is_unavailable() throws IOException {
    made();
    Files.delete(image);
    refused(Kind.UNAVAILABLE, image.toString(), () -> provider.open(host, SPEC, directory));
    assertTrue(Files.notExists(image));
  }

  @Test
  void a_truncated_loop_file_is_unavailable_and_says_how_much_is_missing() throws IOException {
    made();
    long size = Size.ofMebibytes(200).bytes();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(size);
    }
    refused(Kind.UNAVAILABLE, "truncated", () -> provider.open(host, SPEC, directory));
    assertEquals(size, Files.size(image));
  }

  @Test
  void rubbish_in_a_loop_file_is_unavailable_and_stays_as_it_is() throws IOException {
    made();
    byte[] rubbish = "rubbish ".repeat(100_000).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    Files.write(image, rubbish);
    refused(Kind.UNAVAILABLE, image.toString(), () -> provider.open(host, SPEC, directory));
    assertArrayEquals(rubbish, Files.readAllBytes(image));
    Files.write(image, new byte[0]);
    refused(Kind.UNAVAILABLE, image.toString(), () -> provider.open(host, SPEC, directory));
  }

  @Test
  void a_damaged_file_system_is_unavailable() throws IOException {
    made();
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek((64 << 10) + 0x80); // in the superblock, behind what is looked at before
      file.write(new byte[64]);
    }
    refused(Kind.UNAVAILABLE, "test", () -> provider.open(host, SPEC, directory));
  }

  @Test
  void a_btrfs_of_somebody_else_is_no_pool() throws IOException {
    made();
    Files.delete(image);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(Size.ofMebibytes(256).bytes());
    }
    host.programs().run(Command.of("mkfs.btrfs", "-q", image.toString()));
    refused(Kind.UNAVAILABLE, "no btrfs pool", () -> provider.open(host, SPEC, directory));
  }

  @Test
  void a_loop_file_that_exists_already_is_not_overwritten() throws IOException {
    Files.writeString(image, "somebody's");
    refused(Kind.CONFLICT, image.toString(), () -> provider.create(host, SPEC, directory));
    assertEquals("somebody's", Files.readString(image));
  }

  @Test
  void sizes_and_sources_that_make_no_sense_are_quoted() {
    refused(
        Kind.INVALID,
        "\"64MiB\"",
        () -> provider.create(host, SPEC.size(Size.ofMebibytes(64)), directory));
    refused(
        Kind.INVALID,
        "\"relative/path\"",
        () -> provider.create(host, SPEC.source("relative/path"), directory));
    refused(Kind.INVALID, "size", () -> provider.create(host, SPEC.source("/dev/null"), directory));
    PoolSpec unsized = PoolSpec.of("test", "btrfs");
    refused(
        Kind.INVALID,
        "/dev/null",
        () -> provider.create(host, unsized.source("/dev/null"), directory));
    refused(
        Kind.INVALID,
        "/no/such",
        () -> provider.create(host, unsized.source("/no/such"), directory));
    refused(
        Kind.INVALID, "colour", () -> provider.create(host, SPEC.with("colour", "red"), directory));
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  @Test
  void bad_mount_options_leave_nothing() {
    PoolSpec spec = SPEC.with("btrfs.mount_options", "no_such_option");
    refused(Kind.UNAVAILABLE, "test", () -> provider.create(host, spec, directory));
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  @Test
  void without_a_size_a_fifth_of_the_free_space_is_taken_within_bounds() throws IOException {
    StoragePool pool = provider.create(host, PoolSpec.of("test", "btrfs"), directory);
    try {
      long free = Files.getFileStore(directory).getUsableSpace();
      long size = Files.size(image);
      long least = Math.min(Size.ofGibibytes(5).bytes(), free);
      assertTrue(size >= least - Size.ofGibibytes(1).bytes(), "size " + size);
      assertTrue(size <= Size.ofGibibytes(30).bytes(), "size " + size);
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_device_with_data_or_a_file_system_is_not_touched() throws IOException {
    try (TestDisk data = TestDisk.blank(256 << 20);
        TestDisk formatted = TestDisk.formatted("ext4")) {
      Files.write(data.device(), "somebody's".getBytes(java.nio.charset.StandardCharsets.UTF_8));
      for (TestDisk disk : java.util.List.of(data, formatted)) {
        PoolSpec spec = PoolSpec.of("test", "btrfs").source(disk.device().toString());
        byte[] before = start(disk);
        refused(
            Kind.CONFLICT, disk.device().toString(), () -> provider.create(host, spec, directory));
        assertArrayEquals(before, start(disk));
        refused(Kind.UNAVAILABLE, "no Btrfs", () -> provider.open(host, spec, directory));
      }
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  private static byte[] start(TestDisk disk) throws IOException {
    try (var in = Files.newInputStream(disk.device())) {
      return in.readNBytes(4 << 20);
    }
  }

  @Test
  void a_pool_follows_its_device_when_that_has_grown() {
    try (TestDisk disk = TestDisk.blank(256 << 20)) {
      PoolSpec spec = PoolSpec.of("test", "btrfs").source(disk.device().toString());
      provider.create(host, spec, directory).close();
      disk.grow(512 << 20);
      StoragePool pool = provider.open(host, spec, directory);
      try {
        assertEquals(Size.ofMebibytes(512), pool.info().total());
      } finally {
        pool.destroy();
      }
      assertTrue(disk.isFree());
    }
  }

  @Test
  void a_pool_dies_with_its_jvm_and_can_be_opened_by_the_next() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                PoolHolder.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var out = child.inputReader()) {
      assertEquals("held", out.readLine());
      child.destroyForcibly().waitFor();
    }
    assertEquals(Set.of(), HostLeftovers.staying(PoolBench.PATIENCE, directory));
    StoragePool pool = provider.open(host, SPEC, directory);
    try {
      assertEquals(Set.of(PoolBench.A, PoolBench.B), pool.list());
    } finally {
      pool.destroy();
    }
  }

  /** Makes a pool and holds it until it is killed. */
  static final class PoolHolder {
    private PoolHolder() {}

    /** The pool's directory is the only argument. */
    public static void main(String[] arguments) throws IOException {
      StoragePool pool =
          new BtrfsProvider().create(TestDisk.openHost(), SPEC, Path.of(arguments[0]));
      pool.create(PoolBench.A);
      pool.copy(PoolBench.A, PoolBench.B, false);
      pool.scratch().orElseThrow().create(PoolBench.A, PoolBench.C, Optional.empty());
      pool.attach(PoolBench.C, Optional.empty(), false);
      try (var out =
          new PrintStream(
              new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8)) {
        out.println("held");
        out.flush();
        System.in.read();
      }
    }
  }
}
