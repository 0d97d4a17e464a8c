package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.DiskFileSpec;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Output;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images of virtual machines in the store, where qemu-img is a function that fails when told. */
class MachineImageTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final int SIZE = 1 << 20;
  private static final byte[] RAW = raw();

  private final Path root;
  private final StateStore state = new MemoryStateStore();
  private final FakeHost host;
  private final FakePool pool = new FakePool();
  private final ImageStore store;
  private final List<String> asked = new ArrayList<>();
  private Predicate<String> fails = command -> false;

  MachineImageTest(@TempDir Path root) {
    this.root = root;
    this.host = new FakeHost(root);
    this.host.programs.put("qemu-img", Path.of("/usr/bin/qemu-img"));
    this.host.answer = this::qemuImg;
    this.store =
        ImageStore.open(root, state, host, Decoders.JAVA, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  @AfterEach
  void nothing_is_left_on_its_way() throws IOException {
    state.close();
    try (Stream<Path> all = Files.list(root.resolve("images"))) {
      assertEquals(
          List.of(),
          all.filter(path -> path.getFileName().toString().startsWith(".work")).toList());
    }
  }

  private static byte[] raw() {
    byte[] disk = new byte[SIZE];
    disk[510] = 0x55;
    disk[511] = (byte) 0xaa;
    Arrays.fill(disk, 100_000, 200_000, (byte) 7);
    return disk;
  }

  private static byte[] qcow2() {
    ByteBuffer header = ByteBuffer.allocate(1 << 16);
    header.put(new byte[] {'Q', 'F', 'I', (byte) 0xfb}).putInt(3);
    return header.putInt(20, 16).putLong(24, SIZE).putInt(100, 104).array();
  }

  private Output qemuImg(Command command) {
    List<String> words = command.arguments();
    String name = words.get(words.indexOf("qemu-img") + 1);
    asked.add(name);
    assertTrue(words.contains("-f"), "the format is always said: " + words);
    if (fails.test(name)) {
      throw new StapesException(Kind.INTERNAL, "program qemu-img", "failed: exit code 1");
    }
    if (name.equals("convert")) {
      MemoryTree tree = pool.volumes.values().iterator().next();
      try (OutputStream out = tree.create("root.img", 0644)) {
        out.write(RAW);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return new Output(
        "{\"virtual-size\": " + SIZE + ", \"format\": \"qcow2\", \"required\": 393216}", "");
  }

  private Path file(String name, byte[] content) throws IOException {
    return Files.write(root.resolve(name), content);
  }

  private Path archive(Optional<byte[]> disk) {
    Path archive = root.resolve("archive-" + disk.isPresent());
    ArchiveFile.write(
        archive,
        true,
        SmallImage.METADATA,
        NOW,
        tar -> {
          if (disk.isPresent()) {
            byte[] bytes = disk.get();
            tar.add(TarEntry.file("rootfs.img", 0644, bytes.length, NOW), bytes);
          }
        });
    return archive;
  }

  private ImageInfo bring(ImageSource source) {
    return store.importFrom(source, Set.of("vm"), Progress.NONE).image();
  }

  private byte[] unpacked() {
    VolumeId volume = store.unpackInto("p", pool, "vm", Progress.NONE);
    try (InputStream in = pool.files(volume).read("root.img")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void holdsTheDisk(ImageSource source) {
    ImageInfo image = bring(source);
    assertEquals(InstanceType.VIRTUAL_MACHINE, image.metadata().type());
    assertEquals(InstanceType.VIRTUAL_MACHINE, store.find("vm").metadata().type());
    assertEquals(-1, Arrays.mismatch(RAW, unpacked()));
    assertEquals(
        0600,
        pool.files(pool.list(VolumeId.Kind.IMAGE).iterator().next())
            .stat("root.img")
            .orElseThrow()
            .mode());
  }

  @Test
  void a_raw_disk_in_an_archive_needs_no_program() {
    holdsTheDisk(new FileSource(archive(Optional.of(RAW)), Optional.empty()));
    assertEquals(List.of(), asked);
  }

  @Test
  void a_raw_disk_beside_its_metadata_needs_no_program() throws IOException {
    holdsTheDisk(new FileSource(archive(Optional.empty()), Optional.of(file("disk", RAW))));
    assertEquals(List.of(), asked);
  }

  @Test
  void a_qcow2_is_looked_at_before_it_is_converted() throws IOException {
    holdsTheDisk(new FileSource(archive(Optional.of(qcow2())), Optional.empty()));
    assertEquals(List.of("info", "check", "measure", "convert"), asked);
  }

  @Test
  void a_bare_disk_is_an_image_with_what_is_said_of_it() throws IOException {
    DiskFileSpec spec = DiskFileSpec.of(file("disk", qcow2())).system("Tiny", "1");
    holdsTheDisk(new DiskSource(spec));
    assertEquals("Tiny", store.find("vm").metadata().properties().get("os"));
    assertEquals("x86_64", store.find("vm").metadata().architecture());
  }

  @Test
  void whatever_fails_leaves_nothing_and_can_be_tried_again() throws IOException {
    bring(new FileSource(archive(Optional.of(qcow2())), Optional.empty()));
    for (String step : List.of("info", "check", "measure", "convert")) {
      fails = step::equals;
      StapesException e = assertThrows(StapesException.class, this::unpacked);
      assertEquals(step.equals("convert") ? Kind.INTERNAL : Kind.INVALID, e.kind(), e::toString);
      assertEquals(Set.of(), pool.list(VolumeId.Kind.IMAGE), step);
      assertEquals(List.of(), state.prefix("image-volumes/"), step);
    }
    fails = step -> false;
    assertEquals(-1, Arrays.mismatch(RAW, unpacked()));
  }

  @Test
  void a_conversion_that_is_interrupted_leaves_nothing() throws IOException {
    bring(new FileSource(archive(Optional.of(qcow2())), Optional.empty()));
    host.answer =
        command -> {
          throw new StapesException(Kind.INTERRUPTED, "program qemu-img", "was interrupted");
        };
    StapesException e = assertThrows(StapesException.class, this::unpacked);
    assertEquals(Kind.INTERRUPTED, e.kind());
    assertEquals(Set.of(), pool.list(VolumeId.Kind.IMAGE));
  }

  @Test
  void without_the_program_it_is_said_what_to_install() throws IOException {
    host.programs.clear();
    bring(new FileSource(archive(Optional.of(qcow2())), Optional.empty()));
    StapesException e = assertThrows(StapesException.class, this::unpacked);
    assertEquals(Kind.UNAVAILABLE, e.kind());
    assertTrue(e.toString().contains("qemu-utils"), e::toString);
    StapesException bare =
        assertThrows(
            StapesException.class,
            () -> bring(new DiskSource(DiskFileSpec.of(file("disk", qcow2())))));
    assertEquals(Kind.UNAVAILABLE, bare.kind());
  }

  @Test
  void an_archive_with_two_disks_or_none_is_refused() throws IOException {
    Path both = root.resolve("both");
    ArchiveFile.write(
        both,
        false,
        SmallImage.METADATA,
        NOW,
        tar -> {
          tar.add(TarEntry.file("rootfs.img", 0644, SIZE, NOW), RAW);
          tar.add(TarEntry.file("rootfs.img", 0644, SIZE, NOW), RAW);
        });
    bring(new FileSource(both, Optional.empty()));
    StapesException e = assertThrows(StapesException.class, this::unpacked);
    assertTrue(e.toString().contains("taken already"), e::toString);
    StapesException split =
        assertThrows(
            StapesException.class,
            () -> bring(new FileSource(both, Optional.of(file("disk", RAW)))));
    assertTrue(split.toString().contains("a disk of its own"), split::toString);
    Path text = file("text", "hello".getBytes(StandardCharsets.UTF_8));
    assertThrows(
        StapesException.class,
        () -> bring(new FileSource(archive(Optional.empty()), Optional.of(text))));
  }
}
