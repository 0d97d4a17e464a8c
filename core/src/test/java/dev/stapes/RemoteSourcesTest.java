package dev.stapes;

import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.internal.image.oci.OciSource;
import dev.stapes.internal.image.remote.UrlSource;
import dev.stapes.internal.image.simplestreams.StreamsServer;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.ImageOrigin.Protocol;
import dev.stapes.model.ImageServerSpec;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.ImageUrl;
import dev.stapes.model.OciImageSpec;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What users write; nothing is asked before an import. */
class RemoteSourcesTest {
  private static final URI SERVER = URI.create("https://images.example.org");

  @Test
  void a_source_says_where_it_comes_from_without_what_is_secret() {
    URI archive = SERVER.resolve("/image.tar.xz?token=word");
    assertEquals(
        "https://images.example.org/image.tar.xz",
        ImageSources.url(archive, Map.of("Authorization", "Bearer word")).describe());
    assertEquals(
        "https://images.example.org/image.tar.xz and https://images.example.org/rootfs",
        ImageSources.url(ImageUrl.of(archive).withRootfs(SERVER.resolve("/rootfs"))).describe());
    assertEquals(
        "image \"debian/13\" of https://images.example.org",
        ImageSources.simplestreams(SERVER, "debian/13").describe());
  }

  @Test
  void where_an_image_can_be_asked_for_again_has_nothing_secret() {
    assertEquals(
        Optional.of(
            ImageOrigin.of(Protocol.URL, SERVER + "/a", "", Map.of("rootfs", SERVER + "/b"))),
        ImageSources.url(ImageUrl.of(SERVER.resolve("/a")).withRootfs(SERVER.resolve("/b")))
            .origin());
    for (ImageUrl url :
        List.of(
            ImageUrl.of(SERVER.resolve("/a?token=word")),
            ImageUrl.of(SERVER.resolve("/a")).withHeaders(Map.of("Authorization", "Bearer word")),
            ImageUrl.of(SERVER.resolve("/a")).withRootfs(SERVER.resolve("/b?token=word")),
            ImageUrl.of(SERVER.resolve("/a")).withFingerprint("0".repeat(64)))) {
      assertEquals(Optional.empty(), ImageSources.url(url).origin());
    }
    assertEquals(
        Optional.of(
            ImageOrigin.of(
                Protocol.OCI, "example.org:5000", "a/b:1", Map.of("platform", "linux/arm64"))),
        ImageSources.oci(OciImageSpec.of("example.org:5000/a/b:1").platform("linux/arm64"))
            .origin());
    assertEquals(
        Optional.empty(),
        ImageSources.oci(OciImageSpec.of("example.org/a").login("me", "word")).origin());
    assertEquals(
        Optional.of(
            ImageOrigin.of(
                Protocol.SIMPLESTREAMS,
                SERVER.toString(),
                "debian/13",
                Map.of(
                    "architecture", "arm64", "mirrors", SERVER + "/m", "forms", "TAR SQUASHFS"))),
        ImageServer.simplestreams(
                ImageServerSpec.of(SERVER)
                    .withArchitecture("arm64")
                    .withMirror(SERVER.resolve("/m"))
                    .withForms(Form.TAR, Form.SQUASHFS))
            .source("debian/13")
            .origin());
    assertEquals(Optional.empty(), ImageSources.busybox().origin());
  }

  @Test
  void what_is_asked_for_again_is_the_same() {
    ImageSource url =
        ImageSources.url(ImageUrl.of(SERVER.resolve("/a")).withRootfs(SERVER.resolve("/b")));
    assertEquals(url.origin(), UrlSource.of(url.origin().orElseThrow()).origin());
    ImageSource streams =
        ImageServer.simplestreams(
                ImageServerSpec.of(SERVER)
                    .withArchitecture("arm64")
                    .withMirror(SERVER.resolve("/m"))
                    .withMirror(SERVER.resolve("/n"))
                    .withForms(Form.TAR, Form.SQUASHFS))
            .source("debian/13");
    assertEquals(streams.origin(), StreamsServer.source(streams.origin().orElseThrow()).origin());
    String digest = "@sha256:" + "0".repeat(64);
    for (OciImageSpec spec :
        List.of(
            OciImageSpec.of("example.org/a/b:1").platform("linux/arm/v7").withoutTls(),
            OciImageSpec.of("example.org/a" + digest),
            OciImageSpec.of("example.org/a:2" + digest))) {
      assertEquals(spec, OciSource.spec(ImageSources.oci(spec).origin().orElseThrow()));
    }
  }

  @Test
  void what_is_no_address_of_a_server_is_refused_at_once() {
    URI nothing = URI.create("images.example.org");
    refused(Kind.INVALID, "address", () -> ImageSources.url(nothing));
    refused(Kind.INVALID, "address", () -> ImageServer.simplestreams(nothing));
    refused(
        Kind.INVALID,
        "address",
        () -> ImageServer.simplestreams(ImageServerSpec.of(SERVER).withMirror(nothing)));
    refused(
        Kind.INVALID,
        "each form once",
        () -> ImageServerSpec.of(SERVER).withForms(Form.TAR, Form.TAR));
    refused(Kind.INVALID, "one at least", () -> ImageServerSpec.of(SERVER).withForms());
  }
}
