package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.image.oci.OciFileSource;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** OCI images that are exported. */
@Timeout(120)
class LayoutArchiveTest {
  private final Path root;
  private final Path out;
  private final MemoryStateStore state = new MemoryStateStore();
  private final byte[] base = FakeRegistry.layer(Map.of("etc/passwd", "root"));
  private final byte[] top = FakeRegistry.layer(Map.of("app/main", "1"));
  private final OciFiles layout = OciFiles.layout();
  private final ImageStore store;

  LayoutArchiveTest(@TempDir Path root) throws IOException {
    this.root = root;
    this.out = root.resolve("out.tar");
    this.store = ImageStore.open(root, state, new FakeHost(root), Decoders.JAVA, Clock.systemUTC());
  }

  @AfterEach
  void nothing_is_left_on_its_way() throws IOException {
    state.close();
    try (Stream<Path> files = Files.list(root)) {
      assertEquals(List.of(), files.filter(path -> path.toString().contains(".partial")).toList());
    }
  }

  private ImageInfo bring(Path archive) {
    return store
        .importFrom(new OciFileSource(OciFileSpec.of(archive)), List.of(), Progress.NONE)
        .image();
  }

  private ImageInfo bring() throws IOException {
    return bring(layout.archive(root.resolve("in.tar")));
  }

  private static Map<String, byte[]> files(Path archive, List<String> order) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new ByteArrayInputStream(Files.readAllBytes(archive)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        assertEquals(FileTime.fromMillis(0), entry.getLastModifiedTime());
        assertEquals(0, entry.getLongUserId());
        order.add(entry.getName());
        if (entry.isFile()) {
          files.put(entry.getName(), tar.readAllBytes());
        }
      }
    }
    return files;
  }

  private static String text(Map<String, byte[]> files, String name) {
    return new String(Objects.requireNonNull(files.get(name)), StandardCharsets.UTF_8);
  }

  @Test
  void an_image_becomes_a_layout_with_the_bytes_that_came() throws IOException {
    byte[] manifest = layout.image("registry.example.org/team/app:1.2", base, top, base);
    ImageInfo image = bring();
    store.export(image.fingerprint(), out, Progress.NONE);
    List<String> order = new ArrayList<>();
    Map<String, byte[]> files = files(out, order);
    assertEquals(
        List.of("oci-layout", "index.json", "blobs/", "blobs/sha256/", OciFiles.blob(manifest)),
        order.subList(0, 5));
    assertEquals(8, order.size());
    assertArrayEquals(manifest, files.get(OciFiles.blob(manifest)));
    assertArrayEquals(base, files.get(OciFiles.blob(base)));
    assertArrayEquals(top, files.get(OciFiles.blob(top)));
    assertEquals("{\"imageLayoutVersion\":\"1.0.0\"}", text(files, "oci-layout"));
    assertEquals(
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
            + "\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
            + "\"digest\":\"sha256:"
            + image.fingerprint()
            + "\",\"size\":"
            + manifest.length
            + ",\"annotations\":{\"org.opencontainers.image.ref.name\":"
            + "\"registry.example.org/team/app:1.2\"}}]}",
        text(files, "index.json"));
  }

  @Test
  void the_same_image_gives_the_same_bytes_wherever_it_goes() throws IOException {
    layout.image("registry.example.org/team/app:1.2", base, top);
    ImageInfo image = bring();
    store.export(image.fingerprint(), out, Progress.NONE);
    byte[] first = Files.readAllBytes(out);
    store.delete(image.fingerprint(), Map.of());
    ImageInfo back = bring(out);
    assertEquals(image.fingerprint(), back.fingerprint());
    assertEquals(image.metadata(), back.metadata());
    Path again = root.resolve("again.tar");
    store.export(back.fingerprint(), again, Progress.NONE);
    assertArrayEquals(first, Files.readAllBytes(again));
  }

  @Test
  void the_type_of_a_manifest_of_docker_stays_and_a_name_that_is_none_goes() throws IOException {
    String docker = "application/vnd.docker.distribution.manifest.v2+json";
    byte[] config = layout.addBlob(FakeRegistry.json(FakeRegistry.config("amd64")));
    byte[] manifest =
        layout.addBlob(
            FakeRegistry.json(
                Map.of(
                    "mediaType",
                    docker,
                    "config",
                    FakeRegistry.descriptor(
                        "application/vnd.docker.container.image.v1+json", config),
                    "layers",
                    List.of(
                        FakeRegistry.descriptor(
                            "application/vnd.docker.image.rootfs.diff.tar.gzip",
                            layout.addBlob(base))))));
    layout.list(manifest, Map.of());
    ImageInfo image = bring();
    store.edit(
        image.fingerprint(),
        properties -> {
          properties.put("id", "no name");
          return properties;
        });
    store.export(image.fingerprint(), out, Progress.NONE);
    String index = text(files(out, new ArrayList<>()), "index.json");
    assertTrue(index.contains("{\"mediaType\":\"" + docker + "\""), index);
    assertFalse(index.contains("annotations"), index);
    assertEquals(image.fingerprint(), bring(out).fingerprint());
  }

  @Test
  void a_part_that_was_damaged_is_not_passed_on() throws IOException {
    layout.image("a", base, top);
    ImageInfo image = bring();
    Path blob =
        root.resolve("images/.blobs")
            .resolve(FakeRegistry.digest(top).substring("sha256:".length()));
    Files.write(blob, new byte[top.length]);
    StapesException e =
        assertThrows(
            StapesException.class, () -> store.export(image.fingerprint(), out, Progress.NONE));
    assertEquals(Kind.INVALID, e.kind());
    assertTrue(e.toString().contains("is damaged"), e.toString());
    assertFalse(Files.exists(out));
    Files.delete(blob);
    e =
        assertThrows(
            StapesException.class, () -> store.export(image.fingerprint(), out, Progress.NONE));
    assertEquals(Kind.UNAVAILABLE, e.kind());
  }

  @Test
  void a_file_that_is_there_stays_and_an_interrupt_leaves_none() throws IOException {
    layout.image("a", base, top);
    ImageInfo image = bring();
    Files.writeString(out, "mine");
    StapesException e =
        assertThrows(
            StapesException.class, () -> store.export(image.fingerprint(), out, Progress.NONE));
    assertEquals(Kind.CONFLICT, e.kind());
    assertEquals("mine", Files.readString(out));
    Files.delete(out);

    Progress interrupting = (stage, done, total) -> Thread.currentThread().interrupt();
    e =
        assertThrows(
            StapesException.class, () -> store.export(image.fingerprint(), out, interrupting));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, e.kind());
    assertFalse(Files.exists(out));
  }
}
