package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import dev.stapes.internal.image.oci.OciFileSource;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images as docker save writes them. */
@Timeout(120)
class SavedImageTest {
  private static final String FIRST = "1".repeat(64) + "/layer.tar";
  private static final String SECOND = "2".repeat(64) + "/layer.tar";

  private final Path root;
  private final FakeHost host;
  private final FakePool pool = new FakePool();
  private final MemoryStateStore state = new MemoryStateStore();
  private final byte[] zipped = FakeRegistry.layer(Map.of("etc/passwd", "root", "etc/os", "base"));
  private final byte[] base = OciFiles.plain(zipped);
  private final byte[] top =
      OciFiles.plain(FakeRegistry.layer(Map.of("etc/.wh.os", "", "app/main", "1")));
  private final OciFiles saved = new OciFiles();
  private final ImageStore store;

  SavedImageTest(@TempDir Path root) throws IOException {
    this.root = root;
    this.host = new FakeHost(root);
    this.store = ImageStore.open(root, state, host, Decoders.JAVA, Clock.systemUTC());
    saved.files.put(FIRST, base);
    saved.files.put(SECOND, top);
  }

  @AfterEach
  void close() {
    state.close();
  }

  private Map<String, Object> image(String tag) {
    return OciFiles.saved(saved, tag, List.of(FIRST, SECOND), base, top);
  }

  private OciFileSpec spec() throws IOException {
    return OciFileSpec.of(saved.archive(root.resolve("saved.tar")));
  }

  private ImageInfo bring(OciFileSpec spec) {
    return store.importFrom(new OciFileSource(spec), List.of(), Progress.NONE).image();
  }

  private void refused(Kind kind, String part) throws IOException {
    refused(kind, part, spec());
  }

  private void refused(Kind kind, String part, OciFileSpec spec) {
    StapesException e = assertThrows(StapesException.class, () -> bring(spec));
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
    assertEquals(List.of(), store.list());
  }

  private List<String> etc(ImageInfo image) {
    return Objects.requireNonNull(
            pool.volumes.get(store.unpackInto("p", pool, image.fingerprint(), Progress.NONE)))
        .list("etc");
  }

  @Test
  void an_image_of_an_old_docker_gets_a_manifest_that_is_always_the_same() throws IOException {
    saved.savedList(List.of(image("app:1")));
    OciFileSource source = new OciFileSource(spec());
    ImageInfo image = store.importFrom(source, List.of(), Progress.NONE).image();
    assertEquals("app:1", image.metadata().properties().get("id"));
    assertEquals(List.of("passwd"), etc(image));
    assertEquals(Optional.empty(), store.newest(source, Progress.NONE));
    assertEquals(Optional.empty(), image.origin());
    store.delete(image.fingerprint(), Map.of("p", pool));
    OciFileSpec zippedUp = OciFileSpec.of(saved.gzip(root.resolve("saved.tgz")));
    assertEquals(image.fingerprint(), bring(zippedUp).fingerprint());
    OciFileSpec directory = OciFileSpec.of(saved.directory(root.resolve("saved"), host));
    assertEquals(image.fingerprint(), bring(directory).fingerprint());
  }

  @Test
  void what_it_becomes_can_be_exported_and_comes_back() throws IOException {
    saved.savedList(List.of(image("app:1")));
    ImageInfo image = bring(spec());
    Path out = root.resolve("out.tar");
    store.export(image.fingerprint(), out, Progress.NONE);
    store.delete(image.fingerprint(), Map.of());
    ImageInfo back = bring(OciFileSpec.of(out));
    assertEquals(image.fingerprint(), back.fingerprint());
    assertEquals(image.metadata(), back.metadata());
  }

  @Test
  void layers_that_are_here_are_not_read() throws IOException {
    saved.savedList(List.of(image("app:1")));
    ImageInfo image = bring(spec());
    saved.put(FIRST, "no layer at all");
    assertEquals(image.fingerprint(), bring(spec()).fingerprint());
  }

  @Test
  void the_same_layer_may_be_there_as_a_link_and_several_times() throws IOException {
    saved.files.remove(SECOND);
    saved.links.put(SECOND, "../" + FIRST);
    String third = "3".repeat(64) + "/layer.tar";
    saved.files.put(third, base);
    saved.savedList(
        List.of(
            OciFiles.saved(
                saved, "app:1", List.of(FIRST, SECOND, third, FIRST), base, base, base, base)));
    assertEquals(List.of("os", "passwd"), etc(bring(spec())));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void compressed_layers_stay_so_and_are_checked_inside(boolean zstd) throws IOException {
    saved.files.put(FIRST, zstd ? Zstd.compress(base) : zipped);
    saved.savedList(List.of(image("app:1")));
    ImageInfo image = bring(spec());
    assertEquals(List.of("passwd"), etc(image));
    String manifest = Files.readString(root.resolve("images").resolve(image.fingerprint()));
    assertTrue(manifest.contains(zstd ? "tar+zstd" : "tar+gzip"), manifest);
    store.delete(image.fingerprint(), Map.of("p", pool));

    saved.files.put(FIRST, zstd ? Zstd.compress(top) : FakeRegistry.layer(Map.of("x", "x")));
    refused(Kind.INVALID, "is damaged: " + FIRST);
    saved.files.put(FIRST, new byte[] {0x1f, (byte) 0x8b, 1, 2, 3});
    refused(Kind.INVALID, "is damaged");
  }

  @Test
  void of_several_images_one_is_chosen() throws IOException {
    Map<String, Object> other = OciFiles.saved(saved, "app:2", List.of(FIRST), base);
    saved.savedList(List.of(image("app:1"), other));
    refused(Kind.INVALID, "say which: app:1, app:2");
    refused(Kind.NOT_FOUND, "app:1, app:2", spec().image("3"));
    assertEquals(List.of("os", "passwd"), etc(bring(spec().image("2"))));
  }

  @Test
  void more_layers_than_an_image_may_have_are_refused() throws IOException {
    byte[][] plain = new byte[513][];
    Arrays.fill(plain, base);
    List<String> names = Collections.nCopies(513, FIRST);
    saved.savedList(List.of(OciFiles.saved(saved, "app:1", names, plain)));
    refused(Kind.INVALID, "more than 512 layers");
  }

  @Test
  void what_is_wrong_with_the_files_is_told() throws IOException {
    saved.savedList(List.of(image("app:1")));
    saved.files.remove(SECOND);
    refused(Kind.INVALID, "lacks " + SECOND);
    saved.files.put(SECOND, base);
    refused(Kind.INVALID, "is damaged: " + SECOND);
    saved.files.put(SECOND, top);
    saved.savedList(List.of(OciFiles.saved(saved, "app:1", List.of(FIRST), base, top)));
    refused(Kind.INVALID, "has 1 layers, and a configuration for 2");
    Map<String, Object> image = image("app:1");
    saved.savedList(List.of(image));
    String config = Objects.requireNonNull((String) image.get("Config"));
    saved.put(config, "{}");
    refused(Kind.INVALID, "is damaged");
    saved.files.remove(config);
    refused(Kind.INVALID, "lacks ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[]",
        "[",
        "[1]",
        "[{\"Config\":1}]",
        "[{\"Config\":\"../x\",\"Layers\":[]}]",
        "[{\"Config\":\"/etc/passwd\",\"RepoTags\":null,\"Layers\":null}]"
      })
  void a_damaged_list_is_refused(String text) throws IOException {
    saved.put("manifest.json", text);
    refused(Kind.INVALID, "");
    refused(Kind.INVALID, "", OciFileSpec.of(saved.directory(root.resolve("saved"), host)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_full_disk_is_said_to_be_full(boolean directory) throws IOException {
    saved.savedList(List.of(image("app:1")));
    OciFileSpec spec =
        directory ? OciFileSpec.of(saved.directory(root.resolve("saved"), host)) : spec();
    ImageSource.Context usual = SmallImage.context(root);
    Files.createSymbolicLink(usual.work().resolve("layer-0"), Path.of("/dev/full"));
    ImageSource.Context full =
        new ImageSource.Context(host, usual.work(), usual.cache(), usual.blobs(), Progress.NONE);
    StapesException e =
        assertThrows(StapesException.class, () -> new OciFileSource(spec).fetch(full));
    assertEquals(Kind.EXHAUSTED, e.kind(), e.toString());
  }

  @Test
  void what_a_new_docker_saves_is_a_layout() throws IOException {
    OciFiles both = OciFiles.layout();
    byte[] manifest = both.image("1", zipped);
    both.put("manifest.json", "[]");
    OciFileSpec spec = OciFileSpec.of(both.archive(root.resolve("both.tar")));
    assertEquals(FakeRegistry.digest(manifest), "sha256:" + bring(spec.image("1")).fingerprint());
  }
}
