package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Images of two files in the store. */
class SplitImageTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final ImageMetadata METADATA =
      ImageMetadata.container("x86_64", NOW, Map.of("os", "test"));

  private final Path root;
  private final StateStore state = new MemoryStateStore();
  private final FakePool pool = new FakePool();
  private ImageStore store;

  SplitImageTest(@TempDir Path root) {
    this.root = root;
    this.store = open();
  }

  @AfterEach
  void close() {
    state.close();
  }

  private ImageStore open() {
    return ImageStore.open(
        root, state, new FakeHost(root), Decoders.JAVA, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  private Set<String> archives() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("images"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals(".cache") && !name.equals(".blobs"))
          .collect(Collectors.toSet());
    }
  }

  private static void refused(Kind kind, Executable action) {
    StapesException e = assertThrows(StapesException.class, action);
    assertEquals(kind, e.kind(), e.toString());
  }

  private static ImageSource splitSource() {
    return new ImageSource() {
      @Override
      public String describe() {
        return "a split test";
      }

      @Override
      public Fetched fetch(Context context) {
        Path metadata = context.work().resolve("metadata");
        ArchiveFile.write(metadata, true, METADATA, NOW, tar -> {});
        Path rootfs = context.work().resolve("root");
        try (OutputStream out = Files.newOutputStream(rootfs)) {
          TarWriter tar = new TarWriter(out);
          tar.add(
              TarEntry.file("etc/motd", 0644, 5, NOW), "hello".getBytes(StandardCharsets.UTF_8));
          tar.finish();
        } catch (IOException e) {
          throw new AssertionError(e);
        }
        return new Fetched(metadata, Optional.of(rootfs), METADATA);
      }
    };
  }

  @Test
  void a_split_image_keeps_its_two_files() throws Exception {
    ImageInfo image = store.importFrom(splitSource(), List.of("two"), Progress.NONE).image();
    Path images = root.resolve("images");
    byte[] metadata = Files.readAllBytes(images.resolve(image.fingerprint()));
    byte[] rootfs = Files.readAllBytes(images.resolve(image.fingerprint() + ".rootfs"));
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(metadata);
    assertEquals(HexFormat.of().formatHex(digest.digest(rootfs)), image.fingerprint());
    assertEquals(metadata.length + rootfs.length, image.size().bytes());
    store.addAlias("two", "zwei");
    store = open();
    assertEquals(2, archives().size());
    VolumeId volume = store.unpackInto("p", pool, "zwei", Progress.NONE);
    assertEquals(5, pool.files(volume).stat("etc/motd").orElseThrow().size());

    Path target = root.resolve("exported");
    Path second = root.resolve("exported.root");
    store.export("two", target, Progress.NONE);
    assertArrayEquals(metadata, Files.readAllBytes(target));
    assertArrayEquals(rootfs, Files.readAllBytes(second));
    Files.delete(target);
    refused(Kind.CONFLICT, () -> store.export("two", target, Progress.NONE));
    assertFalse(Files.exists(target));

    assertFalse(store.importFrom(splitSource(), List.of(), Progress.NONE).isNew());
    Files.delete(images.resolve(image.fingerprint() + ".rootfs"));
    refused(Kind.UNAVAILABLE, () -> store.unpackInto("q", new FakePool(), "two", Progress.NONE));
    assertFalse(store.importFrom(splitSource(), List.of(), Progress.NONE).isNew());
    assertEquals(2, archives().size());
    store.delete("two", Map.of("p", pool));
    assertEquals(Set.of(), archives());
  }

  @Test
  void the_second_file_of_nobody_is_collected_at_the_next_open() throws IOException {
    Path images = root.resolve("images");
    Files.writeString(images.resolve("0".repeat(64) + ".rootfs"), "without record");
    Files.writeString(images.resolve("keep.rootfs"), "not ours");
    store = open();
    assertEquals(Set.of("keep.rootfs"), archives());
  }
}
