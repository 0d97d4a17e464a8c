package dev.stapes.internal.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Sparse files as GNU tar writes them: 2,000 bytes, of which 100 to 102 are {@code abc} and the
 * last two {@code yz}.
 */
final class SparseSamples {
  private SparseSamples() {}

  /** What all of them hold. */
  static byte[] expected() {
    byte[] content = new byte[2_000];
    System.arraycopy("abc".getBytes(StandardCharsets.US_ASCII), 0, content, 100, 3);
    System.arraycopy("yz".getBytes(StandardCharsets.US_ASCII), 0, content, 1_998, 2);
    return content;
  }

  static byte[] format10(String name) {
    return format10(name, "2\n100\n3\n1998\n2\n", 2_000);
  }

  static byte[] format10(String name, String map, long size) {
    return pax(
        Map.of(
            "GNU.sparse.major",
            "1",
            "GNU.sparse.minor",
            "0",
            "GNU.sparse.name",
            name,
            "GNU.sparse.realsize",
            Long.toString(size)),
        "",
        block(map),
        517);
  }

  static byte[] format01(String name, String map) {
    return pax(
        Map.of(
            "GNU.sparse.name",
            name,
            "GNU.sparse.numblocks",
            "2",
            "GNU.sparse.size",
            "2000",
            "GNU.sparse.map",
            map),
        "",
        new byte[0],
        5);
  }

  static byte[] format00(String name) {
    ByteArrayOutputStream pairs = new ByteArrayOutputStream();
    for (String pair : new String[] {"offset=100", "numbytes=3", "offset=1998", "numbytes=2"}) {
      String[] parts = pair.split("=");
      PaxRecords.write(
          pairs, "GNU.sparse." + parts[0], parts[1].getBytes(StandardCharsets.US_ASCII));
    }
    return pax(
        Map.of("GNU.sparse.size", "2000", "GNU.sparse.numblocks", "2", "path", name),
        pairs.toString(StandardCharsets.US_ASCII),
        new byte[0],
        5);
  }

  /** With the type flag S. */
  static byte[] old(String name) {
    byte[] header = header(name, 'S', 5);
    int[] numbers = {100, 3, 1998, 2};
    for (int i = 0; i < numbers.length; i++) {
      TarFormat.putNumber(header, 386 + i * 12, 12, numbers[i]);
    }
    TarFormat.putNumber(header, 483, 12, 2_000);
    TarFormat.seal(header);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(header);
    out.writeBytes(block("abcyz"));
    return out.toByteArray();
  }

  private static byte[] pax(Map<String, String> records, String more, byte[] map, int size) {
    ByteArrayOutputStream pax = new ByteArrayOutputStream();
    new TreeMap<>(records)
        .forEach(
            (key, value) -> PaxRecords.write(pax, key, value.getBytes(StandardCharsets.UTF_8)));
    pax.writeBytes(more.getBytes(StandardCharsets.US_ASCII));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(extended(pax.toByteArray()));
    byte[] header = header("GNUSparseFile.0/x", '0', size);
    TarFormat.seal(header);
    out.writeBytes(header);
    out.writeBytes(map);
    out.writeBytes(block("abcyz"));
    return out.toByteArray();
  }

  /** An extended header for the entry that follows. */
  static byte[] extended(byte[] records) {
    byte[] header = header("x", 'x', records.length);
    TarFormat.seal(header);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(header);
    out.writeBytes(Arrays.copyOf(records, (records.length + 511) / 512 * 512));
    return out.toByteArray();
  }

  private static byte[] header(String name, char type, int size) {
    byte[] header = new byte[TarFormat.BLOCK];
    byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(ascii, 0, header, 0, ascii.length);
    TarFormat.putNumber(header, TarFormat.MODE, TarFormat.SHORT, 0644);
    TarFormat.putNumber(header, TarFormat.SIZE, TarFormat.LONG, size);
    header[TarFormat.TYPE] = (byte) type;
    return header;
  }

  private static byte[] block(String text) {
    return Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), TarFormat.BLOCK);
  }
}
