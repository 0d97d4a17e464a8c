package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.image.oci.OciFileSource;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of layouts and archives, also of hostile ones. */
@Timeout(120)
class OciFileTest {
  private static final Clock NOW = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

  private final Path root;
  private final FakeHost host;
  private final FakePool pool = new FakePool();
  private final MemoryStateStore state = new MemoryStateStore();
  private final byte[] base = FakeRegistry.layer(Map.of("etc/passwd", "root", "etc/os", "base"));
  private final byte[] top = FakeRegistry.layer(Map.of("etc/.wh.os", "", "app/main", "1"));
  private final OciFiles layout = OciFiles.layout();
  private final ImageStore store;

  OciFileTest(@TempDir Path root) throws IOException {
    this.root = root;
    this.host = new FakeHost(root);
    this.store = ImageStore.open(root, state, host, Decoders.JAVA, NOW);
  }

  @AfterEach
  void nothing_is_left_on_its_way() throws IOException {
    state.close();
    try (Stream<Path> files = Files.list(root.resolve("images"))) {
      assertEquals(
          List.of(),
          files.filter(path -> path.getFileName().toString().startsWith(".work")).toList());
    }
  }

  /** How the files are there. */
  enum Form {
    DIRECTORY,
    PLAIN,
    GZIP
  }

  private Path write(Form form, OciFiles files) throws IOException {
    return switch (form) {
      case DIRECTORY -> files.directory(root.resolve("layout"), host);
      case PLAIN -> files.archive(root.resolve("image.tar"));
      case GZIP -> files.gzip(root.resolve("image.tar.gz"));
    };
  }

  private OciFileSpec spec(Form form) throws IOException {
    return OciFileSpec.of(write(form, layout));
  }

  private OciFileSpec spec() throws IOException {
    return spec(Form.PLAIN);
  }

  private ImageInfo bring(OciFileSpec spec) {
    return bring(spec, Progress.NONE);
  }

  private ImageInfo bring(OciFileSpec spec, Progress progress) {
    return store.importFrom(new OciFileSource(spec), List.of(), progress).image();
  }

  private StapesException refused(Kind kind, String part, OciFileSpec spec) {
    StapesException e = assertThrows(StapesException.class, () -> bring(spec));
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
    assertEquals(List.of(), store.list());
    return e;
  }

  private MemoryTree unpacked(ImageInfo image) {
    return Objects.requireNonNull(
        pool.volumes.get(store.unpackInto("p", pool, image.fingerprint(), Progress.NONE)));
  }

  private static String fingerprint(byte[] manifest) {
    return FakeRegistry.digest(manifest).substring("sha256:".length());
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void an_image_of_a_layout_is_the_one_that_a_registry_has(Form form) throws IOException {
    byte[] manifest = layout.image("registry.example.org/team/app:1", base, top);
    OciFileSource source = new OciFileSource(spec(form));
    ImageInfo image = store.importFrom(source, List.of("app"), Progress.NONE).image();
    assertEquals(fingerprint(manifest), image.fingerprint());
    assertArrayEquals(
        manifest, Files.readAllBytes(root.resolve("images").resolve(image.fingerprint())));
    assertEquals("registry.example.org/team/app:1", image.metadata().properties().get("id"));
    assertEquals("x86_64", image.metadata().architecture());
    assertEquals(Optional.empty(), image.origin());
    assertEquals(Optional.of(image.fingerprint()), store.newest(source, Progress.NONE));
    assertEquals(List.of("passwd"), unpacked(image).list("etc"));
    assertEquals(List.of("main"), unpacked(image).list("app"));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void layers_that_are_here_are_not_read(Form form) throws IOException {
    layout.image("a", base);
    bring(spec());
    OciFiles other = OciFiles.layout();
    byte[] manifest = other.image("b", base, top);
    other.put(OciFiles.blob(base), "no layer at all");
    ImageInfo second = bring(OciFileSpec.of(write(form, other)));
    assertEquals(fingerprint(manifest), second.fingerprint());
    assertEquals(List.of("passwd"), unpacked(second).list("etc"));
  }

  @Test
  void an_archive_that_keeps_what_is_needed_last_is_read_all_the_same() throws IOException {
    OciFiles turned = new OciFiles();
    byte[] manifest = layout.image("a", base, top);
    List<String> names = List.copyOf(layout.files.keySet());
    for (int i = names.size(); i > 0; i--) {
      String name = names.get(i - 1);
      turned.files.put("./" + name, Objects.requireNonNull(layout.files.get(name)));
    }
    ImageInfo image = bring(OciFileSpec.of(write(Form.PLAIN, turned)));
    assertEquals(fingerprint(manifest), image.fingerprint());
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void of_several_images_one_is_chosen_by_name_tag_or_digest(Form form) throws IOException {
    byte[] first = layout.image("registry.example.org/app:1.0", base);
    byte[] second = layout.image("registry.example.org/app:2", base, top);
    byte[] nameless = layout.addParts(FakeRegistry.config("arm64"), base);
    layout.list(nameless, Map.of());
    OciFileSpec spec = spec(form);
    StapesException e = refused(Kind.INVALID, "say which", spec);
    assertTrue(e.toString().contains("app:1.0, registry.example.org/app:2, sha256:"), e.toString());
    refused(Kind.NOT_FOUND, "app:1.0, registry", spec.image("0"));
    refused(Kind.NOT_FOUND, "app:1.0, registry", spec.image("3"));
    assertEquals(
        fingerprint(first), bring(spec.image("registry.example.org/app:1.0")).fingerprint());
    assertEquals(fingerprint(second), bring(spec.image("app:2")).fingerprint());
    assertEquals(fingerprint(second), bring(spec.image("2")).fingerprint());
    ImageInfo third = bring(spec.image(FakeRegistry.digest(nameless)));
    assertEquals(fingerprint(nameless), third.fingerprint());
    assertEquals(spec.path().getFileName().toString(), third.metadata().properties().get("id"));
  }

  @Test
  void an_image_with_two_names_is_one() throws IOException {
    byte[] manifest = layout.image("a", base);
    layout.list(manifest, Map.of("annotations", Map.of(OciFiles.NAME, "b")));
    assertEquals(fingerprint(manifest), bring(spec()).fingerprint());
    assertEquals(fingerprint(manifest), bring(spec().image("b")).fingerprint());
  }

  @Test
  void a_platform_is_chosen_in_the_index_of_the_layout_and_in_others() throws IOException {
    byte[] amd64 = layout.addParts(FakeRegistry.config("amd64"), base);
    byte[] arm64 = layout.addParts(FakeRegistry.config("arm64"), base);
    Map<String, Object> one = FakeRegistry.descriptor(FakeRegistry.MANIFEST, amd64);
    one.putAll(OciFiles.platform("amd64"));
    Map<String, Object> other = FakeRegistry.descriptor(FakeRegistry.MANIFEST, arm64);
    other.putAll(OciFiles.platform("arm64"));
    byte[] index = layout.addBlob(FakeRegistry.json(Map.of("manifests", List.of(one, other))));
    layout.list(index, Map.of("annotations", Map.of(OciFiles.NAME, "nested")));
    layout.list(amd64, OciFiles.platform("amd64")).list(arm64, OciFiles.platform("arm64"));

    assertEquals(fingerprint(amd64), bring(spec().image("nested")).fingerprint());
    assertEquals(
        fingerprint(arm64), bring(spec().image("nested").platform("linux/arm64")).fingerprint());
    OciFileSpec nowhere = spec().image("nested").platform("linux/s390x");
    StapesException e = assertThrows(StapesException.class, () -> bring(nowhere));
    assertEquals(Kind.NOT_FOUND, e.kind());

    OciFiles flat = OciFiles.layout();
    flat.files.putAll(layout.files);
    flat.list(amd64, OciFiles.platform("amd64")).list(arm64, OciFiles.platform("arm64"));
    OciFileSpec spec = OciFileSpec.of(write(Form.PLAIN, flat));
    assertEquals(fingerprint(amd64), bring(spec).fingerprint());
    assertEquals(fingerprint(arm64), bring(spec.platform("linux/arm64")).fingerprint());
  }

  @Test
  void the_only_image_must_be_for_the_platform_that_is_asked_for() throws IOException {
    byte[] amd64 = layout.addParts(FakeRegistry.config("amd64"), base);
    layout.list(amd64, OciFiles.platform("amd64"));
    refused(Kind.NOT_FOUND, "linux/amd64", spec().platform("linux/arm64"));
    bring(spec().platform("linux/amd64"));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void what_is_missing_cut_or_wrong_is_refused(Form form) throws IOException {
    byte[] manifest = layout.image("a", base, top);
    String layer = OciFiles.blob(top);
    layout.files.remove(layer);
    refused(Kind.INVALID, "lacks " + layer, spec(form));
    layout.files.put(layer, Arrays.copyOf(top, top.length - 1));
    refused(Kind.INVALID, " bytes instead of " + top.length, spec(form));
    layout.files.put(layer, Arrays.copyOf(top, top.length + 1));
    refused(Kind.INVALID, " bytes", spec(form));
    layout.files.put(layer, new byte[top.length]);
    refused(Kind.INVALID, "is damaged: " + FakeRegistry.digest(top), spec(form));
    layout.files.put(layer, top);
    layout.put(OciFiles.blob(manifest), "{}");
    refused(Kind.INVALID, "instead of " + FakeRegistry.digest(manifest), spec(form));
    layout.files.remove(OciFiles.blob(manifest));
    refused(Kind.INVALID, "lacks ", spec(form));
    layout.files.put(OciFiles.blob(manifest), manifest);
    layout.files.remove("index.json");
    refused(Kind.INVALID, "lacks index.json", spec(form));
  }

  @Test
  void a_layer_that_the_store_has_in_another_size_than_the_manifest_says_is_refused()
      throws IOException {
    layout.image("a", base);
    ImageInfo first = bring(spec());
    OciFiles other = OciFiles.layout();
    Map<String, Object> layer = FakeRegistry.descriptor(FakeRegistry.LAYER, base);
    layer.put("size", base.length + 1);
    byte[] config = other.addBlob(FakeRegistry.json(FakeRegistry.config("amd64")));
    byte[] manifest =
        FakeRegistry.json(
            Map.of(
                "config",
                FakeRegistry.descriptor(FakeRegistry.CONFIG, config),
                "layers",
                List.of(layer)));
    other.list(other.addBlob(manifest), Map.of());
    OciFileSpec spec = OciFileSpec.of(write(Form.PLAIN, other));
    StapesException e = assertThrows(StapesException.class, () -> bring(spec));
    assertEquals(Kind.INVALID, e.kind());
    assertTrue(e.toString().contains("bytes instead of"), e.toString());
    assertEquals(
        List.of(first.fingerprint()), store.list().stream().map(ImageInfo::fingerprint).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"schemaVersion\":2}",
        "{\"manifests\":[]}",
        "{\"manifests\":[1]}",
        "{\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../x\",\"size\":1}]}",
        "{\"manifests\":[],\"manifests\":[]}"
      })
  void a_damaged_index_is_refused(String text) throws IOException {
    layout.put("index.json", text);
    for (Form form : Form.values()) {
      refused(Kind.INVALID, "", spec(form));
    }
  }

  @Test
  void what_is_too_large_is_refused() throws IOException {
    layout.put("index.json", "{\"x\":\"" + "x".repeat(5 << 20) + "\"}");
    refused(Kind.INVALID, "index.json has more than the allowed", spec());
    refused(Kind.INVALID, "index.json has more than the allowed", spec(Form.DIRECTORY));
  }

  @Test
  void another_version_and_what_is_no_layout_are_told_apart() throws IOException {
    layout.image("a", base);
    layout.put("oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
    refused(Kind.UNSUPPORTED, "unknown version 2.0.0", spec());
    layout.files.remove("oci-layout");
    refused(Kind.INVALID, "neither oci-layout nor manifest.json", spec());
    layout.put("repositories", "{}");
    refused(Kind.UNSUPPORTED, "before 1.10", spec());
    refused(Kind.NOT_FOUND, "nothing-here", OciFileSpec.of(root.resolve("nothing-here")));
    Path text = Files.writeString(root.resolve("text"), "text");
    refused(Kind.INVALID, "no tar archive", OciFileSpec.of(text));
    refused(Kind.INVALID, "no regular file", OciFileSpec.of(Path.of("/dev/null")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted;encrypted",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip;not distributed",
        "application/vnd.oci.image.layer.nondistributable.v1.tar;not distributed",
        "application/vnd.example.layer;another kind"
      })
  void layers_that_cannot_be_read_are_unsupported(String both) throws IOException {
    String[] parts = both.split(";", 2);
    byte[] config = layout.addBlob(FakeRegistry.json(FakeRegistry.config("amd64")));
    layout.list(
        layout.addBlob(
            FakeRegistry.json(
                Map.of(
                    "config",
                    FakeRegistry.descriptor(FakeRegistry.CONFIG, config),
                    "layers",
                    List.of(FakeRegistry.descriptor(parts[0], layout.addBlob(base)))))),
        Map.of());
    refused(Kind.UNSUPPORTED, parts[1], spec());
  }

  @Test
  void an_index_that_goes_on_and_on_ends() throws IOException {
    byte[] index = layout.addParts(FakeRegistry.config("amd64"), base);
    for (int i = 0; i < 10; i++) {
      Map<String, Object> descriptor = FakeRegistry.descriptor(FakeRegistry.INDEX, index);
      descriptor.putAll(OciFiles.platform("amd64"));
      index = layout.addBlob(FakeRegistry.json(Map.of("manifests", List.of(descriptor))));
    }
    layout.list(index, Map.of());
    refused(Kind.INVALID, "without end", spec());
  }

  @Test
  void links_may_lead_anywhere_inside() throws IOException {
    byte[] manifest = layout.image("a", base, top);
    String name = OciFiles.blob(top);
    layout.files.remove(name);
    layout.files.put("shared/layer", top);
    layout.links.put(name, "../../other");
    layout.links.put("other", "./shared/layer");
    assertEquals(fingerprint(manifest), bring(spec()).fingerprint());
    store.delete(fingerprint(manifest), Map.of());
    assertEquals(fingerprint(manifest), bring(spec(Form.DIRECTORY)).fingerprint());
  }

  @Test
  void links_that_lead_outside_or_nowhere_are_refused() throws IOException {
    layout.image("a", base, top);
    String name = OciFiles.blob(top);
    layout.files.remove(name);
    for (String target : List.of("/etc/passwd", "../../../etc/passwd")) {
      layout.links.put(name, target);
      refused(Kind.INVALID, "leaves the archive", spec());
      refused(Kind.INVALID, "", spec(Form.DIRECTORY));
    }
    layout.links.put(name, "../../again");
    layout.links.put("again", name);
    refused(Kind.INVALID, "lacks", spec());
    refused(Kind.INVALID, "", spec(Form.DIRECTORY));
    layout.links.clear();
    layout.files.remove("index.json");
    layout.links.put("index.json", "/etc/passwd");
    refused(Kind.INVALID, "", spec(Form.DIRECTORY));
  }

  @Test
  void entries_that_leave_the_archive_or_come_twice_are_refused() throws IOException {
    layout.image("a", base);
    layout.put("../escape", "x");
    refused(Kind.INVALID, "leaves the archive", spec());
    layout.files.remove("../escape");
    layout.put("/etc/escape", "x");
    refused(Kind.INVALID, "absolute", spec());
    layout.files.remove("/etc/escape");
    layout.put("./index.json", "{\"manifests\":[]}");
    refused(Kind.INVALID, "has index.json twice", spec());
  }

  @Test
  void a_sparse_file_is_refused() throws IOException {
    layout.image("a", base);
    byte[] sparse = SparseSamples.format10(OciFiles.blob(top));
    byte[] rest = layout.archive();
    byte[] both = Arrays.copyOf(sparse, sparse.length + rest.length);
    System.arraycopy(rest, 0, both, sparse.length, rest.length);
    Path archive = Files.write(root.resolve("sparse.tar"), both);
    refused(Kind.INVALID, "sparse", OciFileSpec.of(archive));
  }

  @Test
  void an_archive_that_is_cut_is_refused_wherever_it_is_cut() throws IOException {
    byte[] large = new byte[3 << 20];
    layout.image("a", large, top);
    byte[] whole = layout.archive();
    for (int length : new int[] {600, 1 << 20, whole.length / 2, whole.length - 20_000}) {
      Path cut = Files.write(root.resolve("cut.tar"), Arrays.copyOf(whole, length));
      refused(Kind.INVALID, "ends early", OciFileSpec.of(cut));
    }
    bring(OciFileSpec.of(Files.write(root.resolve("whole.tar"), whole)));
  }

  @Test
  void an_archive_that_changes_while_it_is_read_is_refused() throws IOException {
    layout.image("a", base, top);
    OciFileSpec spec = spec();
    OciFiles other = OciFiles.layout().put(OciFiles.blob(base), "x").put(OciFiles.blob(top), "x");
    byte[] changed = other.archive();
    Progress change =
        (stage, done, total) -> {
          if (stage.equals("read")) {
            assertEquals(spec.path(), rewritten(spec.path(), changed));
          }
        };
    StapesException e = assertThrows(StapesException.class, () -> bring(spec, change));
    assertEquals(Kind.INVALID, e.kind());
    assertTrue(e.toString().contains("has changed while it was read"), e.toString());
  }

  private static Path rewritten(Path file, byte[] content) {
    try {
      return Files.write(file, content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void an_interrupt_ends_it(Form form) throws IOException {
    layout.image("a", base, top);
    OciFileSpec spec = spec(form);
    Progress interrupting =
        (stage, done, total) -> {
          if (stage.equals("copy")) {
            Thread.currentThread().interrupt();
          }
        };
    StapesException e = assertThrows(StapesException.class, () -> bring(spec, interrupting));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, e.kind(), e.toString());
    assertEquals(List.of(), store.list());
    bring(spec);
  }

  @Test
  void progress_is_told_of_what_is_copied() throws IOException {
    layout.image("a", base, top);
    List<Long> told = new ArrayList<>();
    bring(
        spec(Form.DIRECTORY),
        (stage, done, total) -> {
          assertTrue(done <= total, stage);
          if (stage.equals("copy")) {
            told.add(done);
          }
        });
    assertEquals(base.length + top.length, (long) told.get(told.size() - 1));
    OciFileSpec spec = spec();
    List<String> stages = new ArrayList<>();
    store.delete(store.list().get(0).fingerprint(), Map.of());
    bring(spec, (stage, done, total) -> stages.add(stage));
    assertTrue(stages.containsAll(List.of("read", "copy", "hash")), stages.toString());
  }

  @Test
  void a_name_that_cannot_be_said_is_none() throws IOException {
    layout.image("a\nb", base);
    ImageInfo image = bring(spec());
    assertEquals("image.tar", image.metadata().properties().get("id"));
    for (OciFileSpec wrong : List.of(spec())) {
      assertThrows(StapesException.class, () -> wrong.image(""));
      assertThrows(StapesException.class, () -> wrong.platform("windows/amd64"));
    }
    assertEquals("x.tar:app", OciFileSpec.of(Path.of("x.tar")).image("app").toString());
  }

  @Test
  void hostile_layers_leave_no_volume() throws IOException {
    byte[] hostile =
        FakeRegistry.layer(Map.of("../escape", new String(base, StandardCharsets.ISO_8859_1)));
    layout.image("a", hostile);
    ImageInfo image = bring(spec());
    StapesException e = assertThrows(StapesException.class, () -> unpacked(image));
    assertEquals(Kind.INVALID, e.kind());
    assertEquals(0, pool.volumes.size());
  }
}
