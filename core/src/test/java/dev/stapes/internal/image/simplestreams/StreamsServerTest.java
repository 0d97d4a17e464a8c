package dev.stapes.internal.image.simplestreams;

import static dev.stapes.internal.http.TestSettings.PATIENT;
import static dev.stapes.internal.http.TestSettings.assertInterruptible;
import static dev.stapes.internal.http.TestSettings.refused;
import static dev.stapes.internal.image.simplestreams.StreamsTree.METADATA;
import static dev.stapes.internal.image.simplestreams.StreamsTree.ROOT;
import static dev.stapes.internal.image.simplestreams.StreamsTree.SQUASHFS;
import static dev.stapes.internal.image.simplestreams.StreamsTree.UNIFIED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.internal.http.LoopbackServer;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.image.SmallImage;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.ImageServerSpec;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.RemoteImage;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StateStore;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole servers, over connections that may break. */
class StreamsServerTest {
  private static final String ALIAS = "debian/13";
  private static final String SQUASHFS_PATH = "/base/images/some:1/squashfs";
  private static final String BASE_PRODUCTS = "/base/" + StreamsTree.PRODUCTS;

  private final Path root;
  private final StreamsTree tree = new StreamsTree();

  StreamsServerTest(@TempDir Path root) {
    this.root = root;
  }

  private static StreamsServer at(ImageServerSpec spec) {
    return new StreamsServer(spec, () -> PATIENT);
  }

  private static ImageServerSpec spec(LoopbackServer server) {
    return ImageServerSpec.of(server.uri("/base"));
  }

  private ImageSource.Fetched fetch(ImageServerSpec spec, String alias) {
    return at(spec).source(alias, InstanceType.CONTAINER).fetch(SmallImage.context(root));
  }

  private ImageSource.Fetched fetch(LoopbackServer server) {
    return fetch(spec(server), ALIAS);
  }

  private LoopbackServer serve() {
    return new LoopbackServer(tree::answer);
  }

  private static void assertFiles(ImageSource.Fetched fetched, byte[] archive, byte[]... rootfs)
      throws IOException {
    assertArrayEquals(archive, Files.readAllBytes(fetched.archive()));
    assertEquals(rootfs.length > 0, fetched.rootfs().isPresent());
    if (rootfs.length > 0) {
      assertArrayEquals(rootfs[0], Files.readAllBytes(fetched.rootfs().orElseThrow()));
    }
  }

  @Test
  void an_image_comes_with_what_the_server_says_of_it() throws IOException {
    try (LoopbackServer server = serve()) {
      ImageSource.Fetched fetched = fetch(server);
      assertFiles(fetched, METADATA, SQUASHFS);
      assertEquals(
          Map.of(
              "architecture", "amd64",
              "description", "Debian Trixie amd64 (" + StreamsTree.NEWEST + ")",
              "name", "own-name",
              "os", "Debian",
              "release", "trixie",
              "requirements.secureboot", "false",
              "serial", StreamsTree.NEWEST,
              "type", "squashfs",
              "variant", "default"),
          fetched.metadata().properties());
      assertEquals(SmallImage.METADATA.createdAt(), fetched.metadata().createdAt());
      assertEquals(
          "image \"debian/13\" of " + server.uri("/base"),
          at(spec(server)).source(ALIAS, InstanceType.CONTAINER).describe());
    }
  }

  @Test
  void the_store_gives_an_image_the_fingerprint_that_the_server_says() {
    try (LoopbackServer server = serve();
        StateStore state = new MemoryStateStore()) {
      StreamsServer images = at(spec(server));
      ImageStore store =
          ImageStore.open(
              root, state, SmallImage.context(root).host(), Decoders.JAVA, InstantSource.system());
      ImageInfo info =
          store
              .importFrom(
                  images.source(ALIAS, InstanceType.CONTAINER), Set.of("mine"), Progress.NONE)
              .image();
      RemoteImage offered = images.list().get(0);
      assertEquals(offered.fingerprint(), info.fingerprint());
      assertEquals(offered.size(), info.size());
      assertEquals(info, store.find("mine"));
      assertEquals(images.source(ALIAS, InstanceType.CONTAINER).origin(), info.origin());
      assertEquals(
          Optional.of(info.fingerprint()),
          store.newest(images.source(ALIAS, InstanceType.CONTAINER), Progress.NONE));
    }
  }

  @Test
  void the_preferred_form_is_taken_where_it_is_whole() throws IOException {
    try (LoopbackServer server = serve()) {
      ImageServerSpec spec = spec(server);
      assertFiles(fetch(spec.withForms(Form.TAR, Form.SQUASHFS), ALIAS), METADATA, ROOT);
      assertFiles(fetch(spec.withForms(Form.UNIFIED), ALIAS), UNIFIED);
      ObjectNode items = items();
      items.remove("squashfs");
      assertFiles(fetch(spec, ALIAS), METADATA, ROOT);
      items.remove("incus.tar.xz");
      assertFiles(fetch(spec, ALIAS), UNIFIED);
      refused(Kind.NOT_FOUND, "forms [TAR]", () -> fetch(spec.withForms(Form.TAR), ALIAS));
    }
  }

  private ObjectNode items() {
    return (ObjectNode)
        tree.document.at(
            "/products/debian:trixie:amd64:default/versions/" + StreamsTree.NEWEST + "/items");
  }

  @Test
  void an_image_without_a_date_of_its_own_has_that_of_its_serial() {
    byte[] undated = SmallImage.metadata(ImageMetadata.container("amd64", Instant.EPOCH, Map.of()));
    ObjectNode items = items();
    items.removeAll();
    tree.item(items, "lxd.tar.xz", undated)
        .put("combined_sha256", SmallImage.sha256(undated, ROOT));
    tree.item(items, "root.tar.xz", ROOT);
    try (LoopbackServer server = serve()) {
      assertEquals(Instant.parse("2026-01-02T00:00:00Z"), fetch(server).metadata().createdAt());
    }
  }

  @Test
  void an_image_of_a_virtual_machine_is_brought_when_it_is_asked_for() {
    byte[] disk = new byte[1024];
    disk[510] = 0x55;
    disk[511] = (byte) 0xaa;
    ObjectNode items = items();
    ((ObjectNode) items.get("incus.tar.xz"))
        .put("combined_disk-kvm-img_sha256", SmallImage.sha256(METADATA, disk));
    tree.item(items, "disk-kvm.img", disk);
    try (LoopbackServer server = serve()) {
      ImageSource source = at(spec(server)).source(ALIAS, InstanceType.VIRTUAL_MACHINE);
      ImageSource.Fetched fetched = source.fetch(SmallImage.context(root));
      assertEquals(InstanceType.VIRTUAL_MACHINE, fetched.metadata().type());
      assertEquals("disk-kvm.img", fetched.metadata().properties().get("type"));
      assertEquals("false", fetched.metadata().properties().get("requirements.secureboot"));
      ImageOrigin origin = source.origin().orElseThrow();
      assertEquals("virtual-machine", origin.options().get("type"));
      assertEquals(origin, StreamsServer.source(origin).origin().orElseThrow());
      assertEquals(InstanceType.CONTAINER, fetch(server).metadata().type());
    }
  }

  @Test
  void what_is_no_disk_is_no_image_of_a_virtual_machine() {
    ObjectNode items = items();
    ((ObjectNode) items.get("incus.tar.xz"))
        .put("combined_disk-kvm-img_sha256", SmallImage.sha256(METADATA, ROOT));
    tree.item(items, "disk-kvm.img", ROOT);
    try (LoopbackServer server = serve()) {
      ImageSource source = at(spec(server)).source(ALIAS, InstanceType.VIRTUAL_MACHINE);
      refused(
          Kind.INVALID,
          "is for a container and not for a virtual-machine",
          () -> source.fetch(SmallImage.context(root)));
    }
  }

  @Test
  void what_a_server_offers_is_listed() {
    ObjectNode other = tree.product("debian:trixie:arm64:default", "debian/13", "arm64");
    ObjectNode items = StreamsTree.version(other, "20260101");
    ObjectNode metadata = tree.item(items, "incus.tar.xz", METADATA);
    metadata.put("combined_disk-kvm-img_sha256", SmallImage.sha256(METADATA, new byte[7]));
    tree.item(items, "disk-kvm.img", new byte[7]);
    try (LoopbackServer server = serve()) {
      List<RemoteImage> images = at(spec(server)).list();
      assertEquals(2, images.size());
      RemoteImage first = images.get(0);
      assertEquals("debian:trixie:amd64:default", first.product());
      assertEquals(List.of("debian/13", "debian/trixie"), List.copyOf(first.aliases()));
      assertEquals(SmallImage.sha256(METADATA, SQUASHFS), first.fingerprint());
      assertEquals("x86_64", first.architecture());
      assertEquals(InstanceType.CONTAINER, first.type());
      assertEquals(Size.ofBytes(METADATA.length + SQUASHFS.length), first.size());
      assertEquals(InstanceType.VIRTUAL_MACHINE, images.get(1).type());
      assertEquals("aarch64", images.get(1).architecture());
      refused(
          Kind.UNSUPPORTED,
          "virtual machines only",
          () -> at(spec(server).withArchitecture("arm64")).find(ALIAS, InstanceType.CONTAINER));
      assertEquals(
          first, at(spec(server).withArchitecture("amd64")).find(ALIAS, InstanceType.CONTAINER));
    }
  }

  @Test
  void an_image_that_is_not_there_is_not_found() {
    try (LoopbackServer server = serve()) {
      ImageServerSpec spec = spec(server);
      refused(Kind.NOT_FOUND, "\"debian/14\" of", () -> fetch(spec, "debian/14"));
      refused(
          Kind.NOT_FOUND,
          "not for riscv64 but for x86_64",
          () -> fetch(spec.withArchitecture("riscv64"), ALIAS));
    }
  }

  @Test
  void documents_that_have_not_changed_do_not_come_again() throws IOException {
    try (LoopbackServer server = serve()) {
      fetch(server);
      long first = server.sent();
      fetch(server);
      assertEquals(METADATA.length + SQUASHFS.length, server.sent() - first);
      assertEquals(2, server.count(BASE_PRODUCTS));
      tree.product("debian:trixie:amd64:default").put("release", "other");
      assertEquals("other", fetch(server).metadata().properties().get("release"));
    }
  }

  @Test
  void a_file_that_breaks_off_goes_on() throws IOException {
    AtomicInteger cuts = new AtomicInteger(1);
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.path().equals(SQUASHFS_PATH) && cuts.getAndDecrement() > 0) {
                response.file(SQUASHFS, null, 30_000);
              } else {
                tree.answer(request, response);
              }
            })) {
      assertFiles(fetch(server), METADATA, SQUASHFS);
      assertEquals(2, server.count(SQUASHFS_PATH));
      assertTrue(
          server.requests().stream()
              .anyMatch(request -> request.header("range").equals("bytes=30000-")));
    }
  }

  @Test
  void a_mirror_takes_over_in_the_middle_of_a_file() throws IOException {
    try (LoopbackServer broken =
            new LoopbackServer(
                (request, response) -> {
                  if (!request.path().equals(SQUASHFS_PATH)) {
                    tree.answer(request, response);
                  } else if (request.header("range").isEmpty()) {
                    response.file(SQUASHFS, null, 30_000);
                  } else {
                    response.send(500, "");
                  }
                });
        LoopbackServer mirror = serve()) {
      assertFiles(fetch(spec(broken).withMirror(mirror.uri("/base/")), ALIAS), METADATA, SQUASHFS);
      assertEquals(1, mirror.requests().size());
      assertEquals(SQUASHFS.length - 30_000, mirror.sent());
    }
  }

  @Test
  void a_mirror_that_answered_is_asked_first() throws IOException {
    try (LoopbackServer broken = new LoopbackServer((request, response) -> response.send(503, ""));
        LoopbackServer mirror = serve()) {
      ImageServerSpec spec = spec(broken).withMirror(mirror.uri("/base"));
      assertFiles(fetch(spec, ALIAS), METADATA, SQUASHFS);
      assertEquals(3, broken.requests().size());
      assertEquals(4, mirror.requests().size());
    }
  }

  @Test
  void a_server_and_mirrors_that_are_down_are_unavailable() {
    try (LoopbackServer one = new LoopbackServer((request, response) -> response.send(503, ""));
        LoopbackServer two = new LoopbackServer((request, response) -> {})) {
      refused(Kind.UNAVAILABLE, "answers 503", () -> fetch(one));
      StapesException e =
          refused(
              Kind.UNAVAILABLE,
              "none of 2 addresses",
              () -> fetch(spec(one).withMirror(two.uri("/")), ALIAS));
      assertTrue(e.toString().contains("answers 503"), e.toString());
    }
  }

  @Test
  void a_server_may_redirect_to_a_mirror() throws IOException {
    try (LoopbackServer mirror = serve();
        LoopbackServer server =
            new LoopbackServer(
                (request, response) -> response.redirect(mirror.uri(request.path()).toString()))) {
      assertFiles(fetch(server), METADATA, SQUASHFS);
    }
  }

  @Test
  void a_file_that_is_not_what_the_document_says_is_refused() {
    try (LoopbackServer server = serve()) {
      tree.files.put("images/some:1/squashfs", new byte[SQUASHFS.length]);
      refused(Kind.INVALID, "has SHA-256", () -> fetch(server));
      tree.files.put("images/some:1/squashfs", new byte[3]);
      refused(Kind.INVALID, "has 3 bytes", () -> fetch(server));
      tree.files.remove("images/some:1/squashfs");
      refused(Kind.NOT_FOUND, "404", () -> fetch(server));
    }
  }

  @Test
  void files_that_do_not_belong_together_are_refused() throws IOException {
    ((ObjectNode) items().get("incus.tar.xz"))
        .put("combined_squashfs_sha256", SmallImage.sha256(ROOT));
    try (LoopbackServer server = serve()) {
      refused(Kind.INVALID, "has the fingerprint", () -> fetch(server));
      try (Stream<Path> cached = Files.list(root.resolve("cache"))) {
        assertTrue(cached.noneMatch(path -> path.toString().endsWith(".part")));
      }
    }
  }

  @Test
  void an_image_of_another_architecture_than_is_said_is_refused() {
    tree.product("debian:trixie:amd64:default").put("arch", "riscv64");
    try (LoopbackServer server = serve()) {
      refused(
          Kind.INVALID,
          "is for x86_64 and not for riscv64",
          () -> fetch(spec(server).withArchitecture("riscv64"), ALIAS));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../outside",
        "a/../../outside",
        "/etc/passwd",
        "https://example.org/x",
        "//example.org/x",
        "a//b",
        "./a",
        "a\\b",
        "a\nb",
        "a b",
        "a/"
      })
  void a_path_that_leads_elsewhere_is_refused(String path) {
    ((ObjectNode) items().get("squashfs")).put("path", path);
    try (LoopbackServer server = serve()) {
      refused(Kind.INVALID, "does not lead below it", () -> fetch(server));
      tree.index.withObject("/index/images").put("path", path);
      refused(Kind.INVALID, "does not lead below it", () -> fetch(server));
    }
  }

  @Test
  void what_has_a_meaning_in_addresses_has_none_in_paths() {
    URI base = Addresses.base(URI.create("https://images.example.org/base"));
    assertEquals(
        "https://images.example.org/base/a:b/c%3Fd%23e%252e%252e",
        Addresses.resolve(base, "a:b/c?d#e%2e%2e").toString());
    refused(Kind.INVALID, "too long", () -> Addresses.resolve(base, "a".repeat(1_025)));
    refused(
        Kind.INVALID,
        "no query",
        () -> at(ImageServerSpec.of(URI.create("https://images.example.org/?a"))));
  }

  @Test
  void a_server_that_is_none_is_refused() {
    byte[] html = SmallImage.bytes("<html>");
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.send(200, html))) {
      refused(Kind.INVALID, "no JSON of an image server", () -> fetch(server));
    }
    try (LoopbackServer server =
        new LoopbackServer((request, response) -> response.begin(200, IndexFile.MOST + 1L))) {
      refused(Kind.UNAVAILABLE, "the connection failed", () -> fetch(server));
    }
  }

  @Test
  void an_interrupt_ends_the_import() throws Exception {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.path().equals(SQUASHFS_PATH)) {
                response.hang();
              }
              tree.answer(request, response);
            })) {
      assertInterruptible(server, () -> fetch(server));
    }
  }

  @Test
  void nothing_is_asked_before_it_is_needed() {
    try (LoopbackServer server = serve()) {
      at(spec(server)).source(ALIAS, InstanceType.CONTAINER).describe();
      assertEquals(List.of(), server.requests());
      assertEquals(Optional.empty(), spec(server).architecture());
    }
  }
}
