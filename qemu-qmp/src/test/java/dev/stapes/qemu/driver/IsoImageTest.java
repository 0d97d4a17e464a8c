package dev.stapes.qemu.driver;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Images are read here as ECMA-119 says, and by Linux in the tests of virtual machines. */
class IsoImageTest {
  private static final int SECTOR = 2048;

  private static byte[] image(String label, Map<String, String> files) {
    Map<String, byte[]> bytes = new TreeMap<>();
    files.forEach((name, text) -> bytes.put(name, text.getBytes(UTF_8)));
    return IsoImage.of(label, bytes);
  }

  private static String text(byte[] image, int at, int length, Charset charset) {
    return new String(image, at, length, charset);
  }

  /** A number that is there in both byte orders. */
  private static int both(byte[] image, int at) {
    int little = ByteBuffer.wrap(image, at, 4).order(ByteOrder.LITTLE_ENDIAN).getInt();
    assertEquals(little, ByteBuffer.wrap(image, at + 4, 4).getInt());
    return little;
  }

  /** What the root directory that a descriptor names has, by name. */
  private static Map<String, String> files(byte[] image, int descriptor, Charset charset) {
    int root = descriptor * SECTOR + 156;
    assertEquals(34, image[root]);
    int directory = both(image, root + 2) * SECTOR;
    assertEquals(SECTOR, both(image, root + 10));
    Map<String, String> files = new LinkedHashMap<>();
    int at = directory;
    for (int i = 0; image[at] > 0; i++) {
      int length = image[at];
      int start = both(image, at + 2) * SECTOR;
      int size = both(image, at + 10);
      if (i < 2) {
        assertEquals(2, image[at + 25], "a directory");
        assertEquals(directory, start);
        assertEquals(i, image[at + 33]);
      } else {
        assertEquals(0, image[at + 25], "a file");
        files.put(text(image, at + 33, image[at + 32], charset), text(image, start, size, UTF_8));
      }
      at += length;
    }
    return files;
  }

  private static void requireDescriptor(byte[] image, int sector, int type) {
    assertEquals(type, image[sector * SECTOR] & 0xff);
    assertEquals("CD001\1", text(image, sector * SECTOR + 1, 6, US_ASCII));
  }

  private static void requireTables(byte[] image, int descriptor) {
    int at = descriptor * SECTOR;
    int root = both(image, at + 158);
    assertEquals(image.length / SECTOR, both(image, at + 80));
    assertEquals(10, both(image, at + 132));
    int little = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).getInt(at + 140);
    int big = ByteBuffer.wrap(image).getInt(at + 148);
    ByteBuffer first = ByteBuffer.wrap(image, little * SECTOR, 10).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer second = ByteBuffer.wrap(image, big * SECTOR, 10);
    for (ByteBuffer table : List.of(first, second)) {
      assertEquals(1, table.get());
      assertEquals(0, table.get());
      assertEquals(root, table.getInt());
      assertEquals(1, table.getShort());
    }
  }

  @Test
  void both_trees_have_all_files() {
    String large = "x".repeat(5000);
    byte[] image = image("cidata", Map.of("user-data", large, "meta-data", "m", "none", ""));
    requireDescriptor(image, 16, 1);
    requireDescriptor(image, 17, 2);
    requireDescriptor(image, 18, 255);
    requireTables(image, 16);
    requireTables(image, 17);
    assertEquals(
        Map.of("META-DATA.;1", "m", "USER-DATA.;1", large, "NONE.;1", ""),
        files(image, 16, US_ASCII));
    assertEquals(
        Map.of("meta-data;1", "m", "user-data;1", large, "none;1", ""), files(image, 17, UTF_16BE));
    assertEquals(0, image.length % SECTOR);
  }

  @Test
  void it_has_a_label_in_both_alphabets() {
    byte[] image = image("cidata", Map.of());
    assertEquals("cidata" + " ".repeat(26), text(image, 16 * SECTOR + 40, 32, US_ASCII));
    assertEquals("cidata" + " ".repeat(10), text(image, 17 * SECTOR + 40, 32, UTF_16BE));
    assertEquals("%/E\0", text(image, 17 * SECTOR + 88, 4, US_ASCII));
    for (int descriptor : List.of(16, 17)) {
      assertEquals("0".repeat(16), text(image, descriptor * SECTOR + 813, 16, US_ASCII));
      assertEquals(1, image[descriptor * SECTOR + 881]);
    }
    assertEquals(" ".repeat(18), text(image, 17 * SECTOR + 739, 36, UTF_16BE));
  }

  @Test
  void the_same_files_are_the_same_bytes() {
    assertArrayEquals(image("a", Map.of("b", "c")), image("a", Map.of("b", "c")));
    assertEquals(false, Arrays.equals(image("a", Map.of("b", "c")), image("a", Map.of("b", "d"))));
  }

  @Test
  void what_it_cannot_hold_is_refused() {
    for (String label : List.of("", "x".repeat(17), "a b", "\u00e4")) {
      assertThrows(IllegalArgumentException.class, () -> image(label, Map.of()));
    }
    for (String name : List.of("", "x".repeat(29), "A", "a/b", "a;1", "\u00e4")) {
      assertThrows(IllegalArgumentException.class, () -> image("l", Map.of(name, "")));
    }
    Map<String, String> many =
        IntStream.range(0, 60).boxed().collect(Collectors.toMap(i -> "file-" + i, i -> "c"));
    assertThrows(IllegalArgumentException.class, () -> image("l", many));
  }
}
