package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.http.LoopbackServer.Response;
import dev.stapes.internal.image.oci.OciSource;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.OciImageSpec;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Output;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.net.ProxySelector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of a registry on loopback, and of one that misbehaves. */
@Timeout(120)
class OciImageTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final String TAG = "/v2/team/app/manifests/1";
  private static final HttpSettings IMPATIENT =
      new HttpSettings(
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          3,
          Duration.ofMillis(1),
          Duration.ofSeconds(1),
          5,
          ProxySelector.of(null));

  private final Path root;
  private final FakeHost host;
  private final FakeRegistry registry = new FakeRegistry();
  private final FakePool pool = new FakePool();
  private final MemoryStateStore state = new MemoryStateStore();
  private final Map<String, String> environment = new HashMap<>();
  private final byte[] base = FakeRegistry.layer(Map.of("etc/passwd", "root", "etc/os", "base"));
  private final byte[] middle = FakeRegistry.layer(Map.of("etc/.wh.os", "", "app/lib", "1"));
  private final byte[] top = FakeRegistry.layer(Map.of("app/main", "1"));
  private ImageStore store;

  OciImageTest(@TempDir Path root) throws IOException {
    this.root = root;
    this.host = new FakeHost(root);
    this.store = open();
    registry.put("team/app", "1", FakeRegistry.config("amd64"), base, middle, top);
  }

  @AfterEach
  void nothing_is_left_on_its_way() throws IOException {
    registry.close();
    state.close();
    try (Stream<Path> files = Files.list(root.resolve("images"))) {
      assertEquals(
          List.of(),
          files.filter(path -> path.getFileName().toString().startsWith(".work")).toList());
    }
  }

  private ImageStore open() {
    return ImageStore.open(root, state, host, Decoders.JAVA, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  private OciImageSpec spec(String rest) {
    return OciImageSpec.of(registry.name() + "/" + rest);
  }

  private ImageInfo bring(OciImageSpec spec, String... aliases) {
    return store
        .importFrom(
            new OciSource(spec, IMPATIENT, environment::get), List.of(aliases), Progress.NONE)
        .image();
  }

  private StapesException refused(Kind kind, String part, OciImageSpec spec) {
    StapesException e = assertThrows(StapesException.class, () -> bring(spec));
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
    assertEquals(List.of(), store.list());
    return e;
  }

  private MemoryTree unpacked(ImageInfo image) {
    VolumeId id = store.unpackInto("p", pool, image.fingerprint(), Progress.NONE);
    return Objects.requireNonNull(pool.volumes.get(id));
  }

  private long blobs() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("images/.blobs"))) {
      return files.count();
    }
  }

  private static boolean unauthorized(Response response, String challenge) throws IOException {
    response.send(401, "", "WWW-Authenticate: " + challenge);
    return true;
  }

  private static String basic(String both) {
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void what_a_registry_has_is_known_by_its_manifest_alone() {
    ImageInfo old = bring(spec("team/app:1"), "app", "also");
    OciSource source = new OciSource(spec("team/app:1"), IMPATIENT, environment::get);
    assertEquals(source.origin(), old.origin());
    assertEquals(Optional.of(old.fingerprint()), store.newest(source, Progress.NONE));
    assertEquals(old.origin(), open().find("app").origin());
  }

  @Test
  void an_image_is_its_layers_one_over_the_other() throws IOException {
    byte[] manifest = registry.document(TAG);
    ImageInfo image = bring(spec("team/app:1"), "app");

    assertEquals("sha256:" + image.fingerprint(), FakeRegistry.digest(manifest));
    assertArrayEquals(
        manifest, Files.readAllBytes(root.resolve("images").resolve(image.fingerprint())));
    assertEquals(Instant.parse("2024-05-06T07:08:09.123Z"), image.metadata().createdAt());
    assertEquals("x86_64", image.metadata().architecture());
    Map<String, String> properties = image.metadata().properties();
    assertEquals("oci", properties.get("type"));
    assertEquals("/bin/sh -c 'echo it'\\''s'", properties.get("oci.entrypoint"));
    assertEquals("/srv", properties.get("oci.cwd"));
    assertEquals("nobody:daemon", properties.get("oci.user"));
    assertEquals("80/tcp", properties.get("oci.ports"));
    assertEquals("a test", properties.get("oci.title"));
    assertEquals("b=c", properties.get("environment.A"));
    assertEquals("", properties.get("environment.EMPTY"));
    MemoryTree tree = unpacked(image);
    assertEquals(List.of("app", "etc"), tree.list("/"));
    assertEquals(List.of("passwd"), tree.list("etc"));
    assertEquals(List.of("lib", "main"), tree.list("app"));
    assertEquals(2, pool.copied.get());
  }

  @Test
  void what_two_images_share_comes_and_is_unpacked_once() throws IOException {
    ImageInfo first = bring(spec("team/app:1"));
    unpacked(first);
    byte[] other = FakeRegistry.layer(Map.of("app/main", "2"));
    registry.put("other", "latest", FakeRegistry.config("amd64"), base, middle, other);

    ImageInfo second = bring(spec("other"));
    assertEquals(0, registry.asked("/v2/other/blobs/" + FakeRegistry.digest(base)));
    assertEquals(1, registry.asked("/v2/other/blobs/" + FakeRegistry.digest(other)));
    int copied = pool.copied.get();
    MemoryTree tree = unpacked(second);
    assertEquals(copied + 1, pool.copied.get());
    assertEquals(1, pool.created.get());
    assertEquals("2", new String(tree.read("app/main").readAllBytes(), StandardCharsets.UTF_8));
    assertEquals(4, pool.volumes.size());

    store.delete(first.fingerprint(), Map.of("p", pool));
    assertEquals(3, pool.volumes.size());
    assertEquals(4, blobs()); // three layers and a configuration, which both had the same
    unpacked(second);
    store.delete(second.fingerprint(), Map.of("p", pool));
    assertEquals(0, pool.volumes.size());
    assertEquals(0, blobs());
  }

  @Test
  void a_pool_without_cheap_copies_has_one_volume() {
    pool.copies = PoolInfo.Copies.PER_FILE;
    MemoryTree tree = unpacked(bring(spec("team/app:1")));
    assertEquals(List.of("passwd"), tree.list("etc"));
    assertEquals(0, pool.copied.get());
    assertEquals(1, pool.volumes.size());
  }

  @Test
  void layers_survive_the_next_open_and_what_belongs_to_none_does_not() throws IOException {
    ImageInfo image = bring(spec("team/app:1"));
    unpacked(image);
    Files.writeString(root.resolve("images/.blobs").resolve("0".repeat(64)), "of nobody");
    pool.create(new VolumeId(VolumeId.Kind.IMAGE, "0".repeat(32)));
    store = open();
    store.collect("p", pool);
    assertEquals(4, blobs());
    assertEquals(3, pool.volumes.size());
    unpacked(image);
    assertEquals(2, pool.copied.get());
  }

  @Test
  void an_index_leads_to_the_image_for_the_machine_or_the_one_asked_for() {
    byte[] amd64 = registry.document(TAG);
    byte[] arm = registry.put("team/app", "arm", FakeRegistry.config("arm"), base);
    byte[] index =
        FakeRegistry.json(
            Map.of(
                "schemaVersion",
                2,
                "manifests",
                List.of(
                    platform(amd64, "unknown", "unknown", ""),
                    platform(arm, "linux", "arm", "v6"),
                    platform(amd64, "linux", "amd64", ""))));
    registry.manifest("team/app", "all", index);

    assertEquals(FakeRegistry.digest(amd64), "sha256:" + bring(spec("team/app:all")).fingerprint());
    ImageInfo image = bring(spec("team/app:all").platform("linux/arm/v7"));
    assertEquals(FakeRegistry.digest(arm), "sha256:" + image.fingerprint());
    OciImageSpec nowhere = spec("team/app:all").platform("linux/s390x");
    StapesException e = assertThrows(StapesException.class, () -> bring(nowhere));
    assertEquals(Kind.NOT_FOUND, e.kind());
    assertTrue(e.toString().contains("linux/amd64, linux/arm/v6"), e.toString());
  }

  private static Map<String, Object> platform(
      byte[] manifest, String os, String architecture, String variant) {
    Map<String, Object> descriptor = FakeRegistry.descriptor(FakeRegistry.MANIFEST, manifest);
    descriptor.put(
        "platform",
        new TreeMap<>(Map.of("os", os, "architecture", architecture, "variant", variant)));
    return descriptor;
  }

  @Test
  void a_digest_is_what_comes_or_nothing_does() {
    String digest = FakeRegistry.digest(registry.document(TAG));
    assertEquals(digest, "sha256:" + bring(spec("team/app@" + digest)).fingerprint());
    store.delete(store.list().get(0).fingerprint(), Map.of());

    String wrong = "sha256:" + "0".repeat(64);
    registry.documents.put("/v2/team/app/manifests/" + wrong, registry.document(TAG));
    refused(Kind.INVALID, "instead of " + wrong, spec("team/app@" + wrong));
  }

  @Test
  void a_layer_that_is_not_what_the_manifest_says_is_refused() {
    registry.documents.put("/v2/team/app/blobs/" + FakeRegistry.digest(top), new byte[top.length]);
    refused(Kind.INVALID, "SHA-256", spec("team/app:1"));
  }

  @Test
  void a_layer_that_is_cut_goes_on_where_it_ended() throws IOException {
    String path = "/v2/team/app/blobs/" + FakeRegistry.digest(base);
    AtomicInteger times = new AtomicInteger();
    registry.fault(
        path,
        (request, response) -> {
          if (times.incrementAndGet() == 1) {
            response.file(base, null, 20);
          } else {
            assertEquals("bytes=20-", request.header("range"));
            response.file(base, null);
          }
          return true;
        });
    assertEquals(List.of("passwd"), unpacked(bring(spec("team/app:1"))).list("etc"));
    assertEquals(2, times.get());
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 500, 503})
  void a_registry_that_has_no_time_is_asked_again(int status) {
    AtomicInteger times = new AtomicInteger();
    registry.fault(
        TAG,
        (request, response) -> {
          if (times.incrementAndGet() > 2) {
            return false;
          }
          response.send(status, "", "Retry-After: 0");
          return true;
        });
    bring(spec("team/app:1"));
    assertEquals(3, times.get());
  }

  @Test
  void a_registry_that_never_has_time_is_unavailable() {
    registry.fault(
        TAG,
        (request, response) -> {
          response.send(503, "");
          return true;
        });
    refused(Kind.UNAVAILABLE, "tried 3 times", spec("team/app:1"));
    assertEquals(3, registry.asked(TAG));
  }

  @Test
  void an_image_that_is_not_there_is_not_found() {
    refused(Kind.NOT_FOUND, "404", spec("team/nothing"));
  }

  @Test
  void a_token_is_fetched_with_the_login_and_shown_to_the_registry() {
    registry.documents.put(
        "/token", "{\"token\":\"abc\",\"expires_in\":60}".getBytes(StandardCharsets.UTF_8));
    AtomicInteger queries = new AtomicInteger();
    registry.fault(
        "/token",
        (request, response) -> {
          String query = "?service=a%2Cb&scope=repository%3Ateam%2Fapp%3Apull";
          boolean known = basic("me:s3cret").equals(request.header("authorization"));
          queries.addAndGet(request.path().endsWith(query) ? 1 : 100);
          return !known && unauthorized(response, "Basic realm=\"x\"");
        });
    registry.fault(
        "/v2/",
        (request, response) ->
            !"Bearer abc".equals(request.header("authorization"))
                && unauthorized(
                    response,
                    "Bearer service=\"a,b\", scope=\"repository:team/app:pull\",realm=\"http://"
                        + registry.name()
                        + "/token\""));
    StapesException e = refused(Kind.DENIED, "401", spec("team/app:1"));
    assertFalse(e.toString().contains("s3cret"));

    bring(spec("team/app:1").login("me", "s3cret"));
    assertEquals(2, queries.get());
  }

  private void askForALogin() {
    registry.fault(
        "/v2/",
        (request, response) ->
            !basic("me:s3:cret").equals(request.header("authorization"))
                && unauthorized(response, "Basic realm=\"registry\""));
  }

  @Test
  void logins_of_docker_are_used() throws IOException {
    askForALogin();
    refused(Kind.DENIED, "401", spec("team/app:1"));
    String auth = Base64.getEncoder().encodeToString("me:s3:cret".getBytes(StandardCharsets.UTF_8));
    Files.write(
        root.resolve("config.json"),
        FakeRegistry.json(
            Map.of("auths", Map.of("https://" + registry.name() + "/v1/", Map.of("auth", auth)))));
    environment.put("DOCKER_CONFIG", root.toString());
    bring(spec("team/app:1"));
  }

  @Test
  void a_credential_helper_is_asked() throws IOException {
    askForALogin();
    Files.write(
        root.resolve("config.json"),
        FakeRegistry.json(Map.of("credHelpers", Map.of(registry.name(), "test"))));
    environment.put("DOCKER_CONFIG", root.toString());
    refused(Kind.UNAVAILABLE, "docker-credential-test", spec("team/app:1"));

    host.programs.put("docker-credential-test", root.resolve("helper"));
    host.answer = command -> new Output("{\"Username\":\"me\",\"Secret\":\"s3:cret\"}", "");
    bring(spec("team/app:1"));
    assertEquals(
        Map.of("REGISTRY", registry.name()),
        host.commands.get(host.commands.size() - 1).environment());
  }

  @Test
  void a_layer_behind_a_redirect_is_fetched_without_the_login() throws IOException {
    askForALogin();
    try (FakeRegistry store = new FakeRegistry()) {
      store.documents.put("/layer", base);
      store.fault(
          "/layer",
          (request, response) ->
              !request.header("authorization").isEmpty() && unauthorized(response, "Told"));
      registry.fault(
          "/v2/team/app/blobs/" + FakeRegistry.digest(base),
          (request, response) -> {
            response.redirect("http://" + store.name() + "/layer?key");
            return true;
          });
      bring(spec("team/app:1").login("me", "s3:cret"));
      assertEquals(1, store.asked("/layer"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"schemaVersion\":2}",
        "{\"config\":{},\"layers\":[]}",
        "{\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
            + "\"digest\":\"sha256:../../x\",\"size\":1},\"layers\":[]}",
        "{\"manifests\":[],\"manifests\":[]}"
      })
  void a_damaged_manifest_is_refused(String text) {
    registry.documents.put(TAG, text.getBytes(StandardCharsets.UTF_8));
    refused(Kind.INVALID, "", spec("team/app:1"));
  }

  @Test
  void an_index_that_leads_to_itself_ends() {
    byte[] index = registry.document(TAG);
    for (int i = 0; i < 10; i++) {
      index =
          FakeRegistry.json(Map.of("manifests", List.of(platform(index, "linux", "amd64", ""))));
      registry.manifest("team/app", "deep", index);
    }
    refused(Kind.INVALID, "without end", spec("team/app:deep"));
  }

  @Test
  void what_is_no_image_for_linux_is_unsupported() {
    Map<String, Object> windows = FakeRegistry.config("amd64");
    windows.put("os", "windows");
    registry.put("team/app", "1", windows, base);
    refused(Kind.UNSUPPORTED, "windows", spec("team/app:1"));

    registry.documents.put(
        TAG,
        FakeRegistry.json(
            Map.of(
                "config",
                FakeRegistry.descriptor("application/vnd.example.chart", base),
                "layers",
                List.of())));
    refused(Kind.UNSUPPORTED, "artifact", spec("team/app:1"));
  }

  @Test
  void a_hostile_layer_leaves_no_volume() throws IOException {
    byte[] hostile = FakeRegistry.layer(Map.of("../escape", "x"));
    registry.put("team/app", "1", FakeRegistry.config("amd64"), base, hostile);
    ImageInfo image = bring(spec("team/app:1"));
    StapesException e = assertThrows(StapesException.class, () -> unpacked(image));
    assertEquals(Kind.INVALID, e.kind());
    assertEquals(1, pool.volumes.size()); // that of the layer below, which is right
    bring(spec("team/app:1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "debian",
        "library/debian:12",
        "example.org/",
        "example.org/UPPER",
        "example.org/a:b:c",
        "example.org/a@sha256:1",
        "example.org/a b",
        "exa mple.org/a",
        "example.org/../a",
        "user:pw@example.org/a"
      })
  void references_that_are_none_are_refused(String text) {
    StapesException e = assertThrows(StapesException.class, () -> OciImageSpec.of(text));
    assertEquals(Kind.INVALID, e.kind());
  }

  @Test
  void references_are_read_and_shown() {
    for (String text :
        List.of(
            "example.org/a/b:1", "localhost:5000/x@sha256:" + "a".repeat(64), "[::1]:5000/x:y")) {
      assertEquals(text, OciImageSpec.of(text).toString());
    }
    assertEquals("example.org/a:latest", OciImageSpec.of("example.org/a").toString());
    assertFalse(
        OciImageSpec.of("example.org/a").login("me", "s3cret").login().toString().contains("s3"));
  }
}
