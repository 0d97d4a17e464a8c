package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.Size;
import dev.stapes.spi.StateStore;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ImageRecordTest {
  private static final String FINGERPRINT = "0123456789abcdef".repeat(4);
  private static final ImageInfo IMAGE =
      new ImageInfo(
          FINGERPRINT,
          new TreeSet<>(List.of("a", "b/c")),
          ImageMetadata.container("x86_64", Instant.ofEpochSecond(7), Map.of("os", "x")),
          Size.ofBytes(5),
          "a test",
          Instant.parse("2026-01-02T03:04:05.678Z"));

  private static ImageInfo read(String json) {
    return ImageRecord.read(new StateStore.Entry(ImageRecord.key(FINGERPRINT), json, 1, 1)).info();
  }

  @Test
  void what_is_written_is_read() {
    assertEquals(IMAGE, read(ImageRecord.write(IMAGE, ImageForm.UNIFIED)));
    for (ImageOrigin.Protocol protocol : ImageOrigin.Protocol.values()) {
      ImageInfo image =
          IMAGE.withOrigin(
              true, Optional.of(ImageOrigin.of(protocol, "server", "alias", Map.of("o", "p"))));
      assertEquals(image, read(ImageRecord.write(image, ImageForm.UNIFIED)));
    }
  }

  @Test
  void what_an_earlier_version_has_written_is_read() {
    assertEquals(
        IMAGE,
        read(
            """
            {"aliases":["a","b/c"],"type":"container","architecture":"x86_64",
             "created_at":"1970-01-01T00:00:07Z","properties":{"os":"x"},"split":false,"size":5,
             "source":"a test","imported_at":"2026-01-02T03:04:05.678Z"}"""));
  }

  @Test
  void an_image_without_a_type_is_one_of_containers() {
    String written = ImageRecord.write(IMAGE, ImageForm.UNIFIED);
    assertEquals(IMAGE, read(written.replace("\"type\":\"container\",", "")));
  }

  @Test
  void what_a_later_version_knows_is_passed_over() {
    String written = ImageRecord.write(IMAGE, ImageForm.UNIFIED);
    String later =
        written.replaceFirst(
            "\\{", "{\"more\":[1],\"origin\":{\"protocol\":\"pigeon\",\"server\":\"x\"},");
    assertFalse(later.equals(written));
    assertEquals(IMAGE, read(later));
  }
}
