package dev.stapes;

import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.ImageServerSpec;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.ImageUrl;
import dev.stapes.model.StapesException.Kind;
import java.net.URI;
import java.util.Map;
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
