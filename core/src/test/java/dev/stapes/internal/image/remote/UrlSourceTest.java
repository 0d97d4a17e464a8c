package dev.stapes.internal.image.remote;

import static dev.stapes.internal.http.TestSettings.PATIENT;
import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.internal.http.LoopbackServer;
import dev.stapes.internal.image.SmallImage;
import dev.stapes.model.ImageUrl;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UrlSourceTest {
  private static final byte[] UNIFIED = SmallImage.unified();
  private static final byte[] METADATA = SmallImage.metadata();
  private static final byte[] ROOTFS = SmallImage.rootfs(100_000);

  private final Path root;

  UrlSourceTest(@TempDir Path root) {
    this.root = root;
  }

  private ImageSource.Fetched fetch(ImageUrl url) {
    return new UrlSource(url, () -> PATIENT).fetch(SmallImage.context(root));
  }

  private static LoopbackServer files() {
    return new LoopbackServer(
        (request, response) -> {
          switch (request.path().replaceFirst("\\?.*", "")) {
            case "/unified" -> response.file(UNIFIED, null);
            case "/metadata" -> response.file(METADATA, null);
            case "/rootfs" -> response.file(ROOTFS, "\"one\"", 60_000);
            default -> response.send(404, "");
          }
        });
  }

  @Test
  void an_archive_is_brought() throws IOException {
    try (LoopbackServer server = files()) {
      ImageUrl url = ImageUrl.of(server.uri("/unified?secret=word"));
      ImageSource.Fetched fetched = fetch(url);
      assertEquals(SmallImage.METADATA, fetched.metadata());
      assertArrayEquals(UNIFIED, Files.readAllBytes(fetched.archive()));
      assertEquals(server.uri("/unified").toString(), new UrlSource(url, () -> PATIENT).describe());
    }
  }

  @Test
  void a_server_without_head_will_do() {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              boolean get = request.method().equals("GET");
              response.send(get ? 200 : 405, get ? UNIFIED : new byte[0]);
            })) {
      assertEquals(SmallImage.METADATA, fetch(ImageUrl.of(server.uri("/"))).metadata());
    }
  }

  @Test
  void two_files_are_one_image() throws IOException {
    try (LoopbackServer server = files()) {
      ImageUrl url =
          ImageUrl.of(server.uri("/metadata"))
              .withRootfs(server.uri("/rootfs"))
              .withFingerprint(SmallImage.sha256(METADATA, ROOTFS));
      ImageSource.Fetched fetched = fetch(url);
      assertArrayEquals(ROOTFS, Files.readAllBytes(fetched.rootfs().orElseThrow()));
      refused(
          Kind.INVALID,
          "instead of",
          () -> fetch(url.withFingerprint(SmallImage.sha256(METADATA))));
    }
  }

  @Test
  void the_fingerprint_must_be_the_one_that_is_wanted() {
    try (LoopbackServer server = files()) {
      ImageUrl url = ImageUrl.of(server.uri("/unified"));
      fetch(url.withFingerprint(SmallImage.sha256(UNIFIED)));
      refused(Kind.INVALID, "has SHA-256", () -> fetch(url.withFingerprint(SmallImage.sha256())));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Incus", "LXD"})
  void a_server_may_name_another_address_and_what_is_there(String name) throws IOException {
    String hash = SmallImage.sha256(UNIFIED);
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              if (request.path().equals("/named")) {
                response.send(
                    200, "no image", name + "-Image-URL: /unified", name + "-Image-Hash: " + hash);
              } else {
                response.file(UNIFIED, null);
              }
            })) {
      ImageSource.Fetched fetched = fetch(ImageUrl.of(server.uri("/named")));
      assertArrayEquals(UNIFIED, Files.readAllBytes(fetched.archive()));
      assertEquals(
          "x86_64",
          server.requests().get(0).header(name.toLowerCase(Locale.ROOT) + "-server-architectures"));
      refused(
          Kind.INVALID,
          "is the image " + hash,
          () ->
              fetch(ImageUrl.of(server.uri("/named")).withFingerprint(SmallImage.sha256(ROOTFS))));
    }
  }

  @Test
  void what_a_server_names_is_checked() {
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              String hash = "Incus-Image-Hash: " + SmallImage.sha256(ROOTFS);
              switch (request.path()) {
                case "/hash" -> response.send(200, "", "Incus-Image-URL: /unified");
                case "/url" -> response.send(200, "", "Incus-Image-URL: ftp://a/b", hash);
                case "/other" -> response.send(200, "", "Incus-Image-URL: /unified", hash);
                default -> response.file(UNIFIED, null);
              }
            })) {
      refused(
          Kind.INVALID,
          "no SHA-256 in the header Incus-Image-Hash",
          () -> fetch(ImageUrl.of(server.uri("/hash"))));
      refused(Kind.INVALID, "no address", () -> fetch(ImageUrl.of(server.uri("/url"))));
      refused(Kind.INVALID, "has SHA-256", () -> fetch(ImageUrl.of(server.uri("/other"))));
    }
  }

  @Test
  void headers_are_told_to_the_server_of_the_address_alone() {
    LoopbackServer[] self = new LoopbackServer[1];
    try (LoopbackServer server =
        new LoopbackServer(
            (request, response) -> {
              switch (request.path()) {
                case "/start" -> response.redirect("/same");
                case "/same" -> response.redirect(self[0].otherUri("/unified").toString());
                default -> response.file(UNIFIED, null);
              }
            })) {
      self[0] = server;
      ImageUrl url =
          ImageUrl.of(server.uri("/start")).withHeaders(Map.of("Authorization", "Bearer word"));
      fetch(url);
      for (LoopbackServer.Request request : server.requests()) {
        boolean told = request.header("authorization").equals("Bearer word");
        assertEquals(!request.path().equals("/unified"), told, request.toString());
      }
      assertFalse(url.toString().contains("word"), url.toString());
    }
  }

  @Test
  void an_error_of_the_server_does_not_quote_secrets() {
    try (LoopbackServer server = files()) {
      ImageUrl url =
          ImageUrl.of(server.uri("/nothing?word")).withHeaders(Map.of("X-Token", "word"));
      StapesException e = refused(Kind.NOT_FOUND, "/nothing", () -> fetch(url));
      assertFalse(e.toString().contains("word"), e.toString());
    }
  }

  @Test
  void headers_that_cannot_be_sent_are_refused_without_their_values() {
    ImageUrl url = ImageUrl.of(URI.create("https://images.example.org/"));
    for (String name : List.of("Host", "content-length", "If-Range", "a b", "")) {
      refused(Kind.INVALID, "header", () -> url.withHeaders(Map.of(name, "x")));
    }
    for (String value : List.of("", "word\r\nHost: x", "wörd")) {
      StapesException e =
          refused(Kind.INVALID, "header X", () -> url.withHeaders(Map.of("X", value)));
      assertFalse(e.toString().contains("rd"), e.toString());
    }
    refused(Kind.INVALID, "\"abc\"", () -> url.withFingerprint("abc"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://a/b",
        "https:///b",
        "a",
        "https://u:word@a/b",
        "https://a/b#c",
        "https://a:99999/"
      })
  void what_is_no_address_is_refused(String address) {
    StapesException e =
        refused(Kind.INVALID, "address", () -> UrlSource.of(ImageUrl.of(URI.create(address))));
    assertFalse(e.toString().contains("word"), e.toString());
  }

  @Test
  void what_is_no_image_is_refused() {
    try (LoopbackServer server = files()) {
      refused(Kind.INVALID, "no metadata.yaml", () -> fetch(ImageUrl.of(server.uri("/rootfs"))));
      refused(Kind.INVALID, "half", () -> fetch(ImageUrl.of(server.uri("/metadata"))));
    }
  }
}
