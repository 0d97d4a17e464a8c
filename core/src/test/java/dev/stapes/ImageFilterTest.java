package dev.stapes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFilterTest {
  private static final ImageInfo IMAGE =
      new ImageInfo(
          "0123456789abcdef".repeat(4),
          new TreeSet<>(List.of("debian/13", "stable")),
          ImageMetadata.container(
              "x86_64",
              Instant.EPOCH,
              Map.of(
                  "os", "Debian",
                  "release", "13",
                  "description", "My \"own\" Debian (1.5)",
                  "type", "squashfs",
                  "empty", "")),
          Size.ofBytes(7),
          "a test",
          Instant.EPOCH);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "  ",
        "os=Debian",
        "os=debian release=13",
        "os=*",
        "empty=",
        "empty=\"\"",
        "description=*(1.5)",
        "description=\"my \\\"OWN\\\" debian (1.5)\"",
        "description=\"My *\"",
        "architecture=x86_64",
        "architecture=AMD64",
        "architecture=x86*",
        "type=container properties.type=squashfs",
        "alias=stable",
        "alias=debian/*",
        "fingerprint=01234567",
        "cached=false",
        "0123",
        "ebian/1",
        "STABLE os=Debian",
      })
  void an_image_is_meant_and_what_is_written_reads_the_same(String text) {
    ImageFilter filter = ImageFilter.parse(text);
    assertTrue(filter.test(IMAGE), text);
    ImageFilter again = ImageFilter.parse(filter.toString());
    assertTrue(again.test(IMAGE), again.toString());
    assertEquals(filter.toString(), again.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "os=Debia",
        "os=.*",
        "OS=Debian",
        "os=Debian release=12",
        "variant=default",
        "variant=",
        "variant=*",
        "description=*(1x5)",
        "architecture=arm64",
        "type=virtual-machine",
        "type=container properties.type=oci",
        "alias=debian",
        "fingerprint=123",
        "cached=true os=Debian",
        "123",
        "unstable",
      })
  void an_image_is_not_meant(String text) {
    ImageFilter filter = ImageFilter.parse(text);
    assertFalse(filter.test(IMAGE), text);
    assertFalse(ImageFilter.parse(filter.toString()).test(IMAGE), filter.toString());
  }

  @Test
  void what_cannot_be_read_is_said() {
    for (Map.Entry<String, String> wrong :
        Map.of(
                "os=Debian =x", "no key in \"=x\"",
                "type=machine", "knows no type \"machine\", only [container, virtual-machine]",
                "cached=yes", "cached must be true or false: \"yes\"",
                "\"a b=c\"", "needs a name",
                "properties.=c", "needs a name",
                "description=\"My", "quote that does not end")
            .entrySet()) {
      StapesException e =
          assertThrows(StapesException.class, () -> ImageFilter.parse(wrong.getKey()));
      assertEquals(StapesException.Kind.INVALID, e.kind());
      assertTrue(String.valueOf(e.getMessage()).contains(wrong.getValue()), e.toString());
    }
  }

  @Test
  void one_is_made_without_a_text() {
    ImageFilter filter =
        ImageFilter.all()
            .os("debian")
            .release("1*")
            .architecture("amd64")
            .type(InstanceType.CONTAINER)
            .alias("stable")
            .fingerprint("01")
            .property("description", "My \"own\"*");
    assertTrue(filter.test(IMAGE));
    assertEquals(
        "properties.os=debian properties.release=1* architecture=amd64 type=container alias=stable"
            + " fingerprint=01 properties.description=\"My \\\"own\\\"*\"",
        filter.toString());
    assertTrue(ImageFilter.parse(filter.toString()).test(IMAGE));
    assertFalse(filter.os("alpine").test(IMAGE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "a\tb", "a=b", "=", "a\u0000"})
  void a_key_that_no_property_should_have_is_refused(String key) {
    StapesException e =
        assertThrows(StapesException.class, () -> ImageFilter.all().property(key, "x"));
    assertEquals(StapesException.Kind.INVALID, e.kind());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a\"b", "\"", "a\\b\"", "a\u3000b", "properties.a", "type", "a\\"})
  void any_other_key_is_read_as_it_is_written(String key) {
    ImageInfo image =
        IMAGE.withMetadata(
            IMAGE.metadata().withProperties(Map.of(key, "My \"own\" \\", "os", "x")));
    ImageFilter filter = ImageFilter.all().property(key, "my \"own\" \\").os("x");
    assertTrue(filter.test(image));
    ImageFilter again = ImageFilter.parse(filter.toString());
    assertEquals(filter.toString(), again.toString());
    assertTrue(again.test(image), again.toString());
    assertFalse(again.test(IMAGE));
  }
}
