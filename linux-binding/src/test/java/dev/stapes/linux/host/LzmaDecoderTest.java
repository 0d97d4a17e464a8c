package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LibLzma;
import dev.stapes.linux.ffi.Lzma;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.LZMAOutputStream;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZInputStream;
import org.tukaani.xz.XZOutputStream;

@Timeout(60)
class LzmaDecoderTest {
  private static final Size MEMORY = Size.ofMebibytes(16);

  private final DecoderProvider provider = new LzmaDecoderProvider();
  private final byte[] content = new byte[1_000_003];

  LzmaDecoderTest() {
    Random random = new Random(1);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (random.nextInt(3) * i);
    }
  }

  private static byte[] encoded(Format format, byte[] plain, LZMA2Options options)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out =
        format == Format.XZ
            ? new XZOutputStream(bytes, options)
            : new LZMAOutputStream(bytes, options, -1)) {
      out.write(plain);
    }
    return bytes.toByteArray();
  }

  private static byte[] encoded(Format format, byte[] plain) throws IOException {
    return encoded(format, plain, new LZMA2Options(1));
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Arrays.asList(parts).forEach(bytes::writeBytes);
    return bytes.toByteArray();
  }

  private static byte[] all(Decoder decoder, byte[] encoded) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    decoder.begin(new ByteArrayInputStream(encoded));
    byte[] piece = new byte[100_000];
    for (int count = decoder.read(piece, 7, piece.length - 7);
        count >= 0;
        count = decoder.read(piece, 7, piece.length - 7)) {
      out.write(piece, 7, count);
    }
    assertEquals(-1, decoder.read(piece, 0, 1), "the end stays the end");
    return out.toByteArray();
  }

  private byte[] decoded(Format format, byte[] encoded) throws IOException {
    try (Decoder decoder = provider.open(format, MEMORY)) {
      return all(decoder, encoded);
    }
  }

  private IOException refused(Format format, byte[] encoded) {
    return assertThrows(IOException.class, () -> decoded(format, encoded));
  }

  @Test
  void it_is_found_and_available_here() {
    assertEquals(
        1,
        ServiceLoader.load(DecoderProvider.class).stream()
            .filter(found -> found.type() == LzmaDecoderProvider.class)
            .count());
    assertEquals(Availability.available(), provider.probe());
  }

  @Test
  void a_library_that_is_missing_is_named_with_its_package() {
    DecoderProvider missing = new LzmaDecoderProvider("liblzma.so.4711");
    Availability.Unavailable no = assertInstanceOf(Availability.Unavailable.class, missing.probe());
    assertEquals("liblzma.so.4711 not found", no.reason());
    assertEquals("install the package liblzma5", no.remedy());
    StapesException e = assertThrows(StapesException.class, () -> missing.open(Format.XZ, MEMORY));
    assertEquals(StapesException.Kind.UNAVAILABLE, e.kind());
  }

  @Test
  void both_formats_are_decoded() throws IOException {
    for (Format format : provider.formats()) {
      assertArrayEquals(content, decoded(format, encoded(format, content)), format.name());
      assertArrayEquals(new byte[0], decoded(format, encoded(format, new byte[0])));
    }
  }

  @Test
  void streams_in_a_row_with_padding_between_them_are_one() throws IOException {
    byte[] stream = encoded(Format.XZ, content);
    assertArrayEquals(
        joined(content, content),
        decoded(Format.XZ, joined(stream, new byte[8], stream, new byte[4])));
    refused(Format.XZ, joined(stream, new byte[3]));
    refused(Format.XZ, joined(stream, "behind".getBytes(StandardCharsets.US_ASCII)));
  }

  @Test
  void what_is_behind_an_lzma_stream_does_not_matter() throws IOException {
    assertArrayEquals(
        content, decoded(Format.LZMA, joined(encoded(Format.LZMA, content), new byte[100])));
  }

  @Test
  void one_decoder_decodes_one_after_the_other_also_after_a_failure() throws IOException {
    byte[] stream = encoded(Format.XZ, content);
    byte[] damaged = stream.clone();
    damaged[stream.length / 2] ^= 1;
    try (Decoder decoder = provider.open(Format.XZ, MEMORY)) {
      assertArrayEquals(content, all(decoder, stream));
      assertThrows(IOException.class, () -> all(decoder, damaged));
      assertArrayEquals(content, all(decoder, stream));
      decoder.begin(new ByteArrayInputStream(stream));
      assertEquals(1, decoder.read(new byte[1], 0, 1));
      assertArrayEquals(content, all(decoder, stream));
    }
  }

  @Test
  void a_stream_that_ends_early_is_told_so_wherever_it_ends() throws IOException {
    for (Format format : provider.formats()) {
      byte[] stream = encoded(format, Arrays.copyOf(content, 2_000));
      for (int length = 1; length < stream.length; length++) {
        IOException e = refused(format, Arrays.copyOf(stream, length));
        assertInstanceOf(EOFException.class, e, format + " " + length);
        assertEquals("Unexpected end of input", e.getMessage());
      }
    }
    refused(Format.XZ, new byte[0]);
    refused(Format.LZMA, new byte[0]);
  }

  @Test
  void damage_is_told_behind_what_is_whole() throws IOException {
    byte[] stream = encoded(Format.XZ, content);
    stream[stream.length - 100_000] ^= 1;
    try (Decoder decoder = provider.open(Format.XZ, MEMORY)) {
      decoder.begin(new ByteArrayInputStream(stream));
      assertTrue(decoder.read(new byte[1_000], 0, 1_000) > 0);
      IOException first = assertThrows(IOException.class, () -> drain(decoder));
      assertEquals("Compressed data is corrupt", first.getMessage());
      assertThrows(IOException.class, () -> drain(decoder), "it stays damaged");
    }
  }

  private static void drain(Decoder decoder) throws IOException {
    byte[] piece = new byte[10_000];
    while (decoder.read(piece, 0, piece.length) >= 0) {
      // Goes on.
    }
  }

  @Test
  void the_integrity_check_is_made() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] plain = "stored as it is, since that is shorter".getBytes(StandardCharsets.US_ASCII);
    try (XZOutputStream xz = new XZOutputStream(bytes, new LZMA2Options(0), XZ.CHECK_CRC64)) {
      xz.write(plain);
    }
    byte[] stream = bytes.toByteArray();
    String text = new String(stream, StandardCharsets.ISO_8859_1);
    stream[text.indexOf("shorter")] ^= 1;
    assertEquals("Compressed data is corrupt", refused(Format.XZ, stream).getMessage());
  }

  @Test
  void more_memory_than_allowed_is_refused_with_both_figures() throws IOException {
    LZMA2Options large = new LZMA2Options(1);
    large.setDictSize(64 << 20);
    for (Format format : provider.formats()) {
      String told = refused(format, encoded(format, content, large)).toString();
      assertTrue(
          told.matches(".*: 65\\d{3} KiB of memory would be needed; limit was 16384 KiB"), told);
    }
  }

  /** The flags of a stream are at its begin and its end, each with a CRC32. */
  @Test
  void a_check_or_a_filter_that_is_not_known_is_refused() throws IOException {
    byte[] check = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 0, 2, 0, 0, 0, 0};
    putCrc(check, 6, 2, 8);
    assertEquals("Unsupported Check ID 2", refused(Format.XZ, check).getMessage());
    byte[] stream = encoded(Format.XZ, content);
    stream[14] = 0x7f; // the id of the only filter
    putCrc(stream, 12, 8, 20);
    assertTrue(refused(Format.XZ, stream).toString().contains("Unsupported filter"));
  }

  private static void putCrc(byte[] bytes, int from, int length, int at) {
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(bytes, from, length);
    for (int i = 0; i < 4; i++) {
      bytes[at + i] = (byte) (crc.getValue() >> (8 * i));
    }
  }

  @Test
  void what_the_stream_throws_is_passed_on() {
    IOException broken = new IOException("no medium");
    try (Decoder decoder = provider.open(Format.XZ, MEMORY)) {
      decoder.begin(
          new InputStream() {
            @Override
            public int read() throws IOException {
              throw broken;
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
              throw broken;
            }
          });
      assertEquals(
          "no medium",
          assertThrows(IOException.class, () -> decoder.read(new byte[1], 0, 1)).getMessage());
    }
  }

  @Test
  void an_interrupt_ends_it_also_where_nothing_comes_out() throws Exception {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 0;
          }

          @Override
          public int read(byte[] into, int offset, int length) {
            Arrays.fill(into, offset, offset + length, (byte) 0);
            return length;
          }
        };
    byte[] empty = new byte[0];
    CountDownLatch reading = new CountDownLatch(1);
    List<Throwable> thrown = new ArrayList<>();
    try (Decoder decoder = provider.open(Format.XZ, MEMORY)) {
      byte[] stream = encoded(Format.XZ, empty);
      decoder.begin(new java.io.SequenceInputStream(new ByteArrayInputStream(stream), endless));
      Thread reader =
          new Thread(
              () -> {
                reading.countDown();
                thrown.add(assertThrows(IOException.class, () -> decoder.read(new byte[1], 0, 1)));
              });
      reader.start();
      reading.await();
      reader.interrupt();
      reader.join();
      assertInstanceOf(InterruptedIOException.class, thrown.get(0));
    }
  }

  @Test
  void closing_twice_is_harmless_and_ends_it() throws IOException {
    Decoder decoder = provider.open(Format.XZ, MEMORY);
    decoder.begin(new ByteArrayInputStream(encoded(Format.XZ, content)));
    decoder.read(new byte[10], 0, 10);
    decoder.close();
    decoder.close();
    assertThrows(IllegalStateException.class, () -> decoder.read(new byte[1], 0, 1));
    assertThrows(IllegalStateException.class, () -> decoder.begin(InputStream.nullInputStream()));
  }

  @Test
  void memory_is_freed_once_whatever_happens() throws IOException {
    List<String> calls = new ArrayList<>();
    LibC libc = recording(LibC.class, Syscalls.system().libc(), calls, Map.of());
    LibLzma real = jnr.ffi.LibraryLoader.create(LibLzma.class).load("liblzma.so.5");
    LibLzma lzma = recording(LibLzma.class, real, calls, Map.of());
    try (LzmaDecoder decoder = new LzmaDecoder(libc, lzma, Format.XZ, MEMORY)) {
      assertThrows(IOException.class, () -> all(decoder, new byte[100]));
      decoder.close();
    }
    assertEquals(1, calls.stream().filter("malloc"::equals).count());
    assertEquals(List.of("lzma_end", "free"), calls.subList(calls.size() - 2, calls.size()));
    assertEquals(1, calls.stream().filter("free"::equals).count());
  }

  @Test
  void no_memory_is_exhaustion_and_what_nobody_expects_internal() {
    LibC libc = Syscalls.system().libc();
    LibC poor = recording(LibC.class, libc, new ArrayList<>(), Map.of("malloc", 0));
    LibLzma real = jnr.ffi.LibraryLoader.create(LibLzma.class).load("liblzma.so.5");
    requireKind(
        StapesException.Kind.EXHAUSTED,
        () -> new LzmaDecoder(poor, real, Format.XZ, MEMORY).close());
    for (String call : List.of("lzma_stream_decoder", "lzma_code")) {
      for (int result : new int[] {Lzma.LZMA_MEM_ERROR, Lzma.LZMA_PROG_ERROR}) {
        LibLzma failing = recording(LibLzma.class, real, new ArrayList<>(), Map.of(call, result));
        try (LzmaDecoder decoder = new LzmaDecoder(libc, failing, Format.XZ, MEMORY)) {
          requireKind(
              result == Lzma.LZMA_MEM_ERROR
                  ? StapesException.Kind.EXHAUSTED
                  : StapesException.Kind.INTERNAL,
              () -> all(decoder, new byte[10]));
        }
      }
    }
  }

  private static void requireKind(
      StapesException.Kind kind, org.junit.jupiter.api.function.Executable call) {
    assertEquals(kind, assertThrows(StapesException.class, call).kind());
  }

  /** The library, of which some functions answer what the caller wants; 0 is NULL of malloc. */
  private static <T> T recording(
      Class<T> type, T real, List<String> calls, Map<String, Integer> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              calls.add(method.getName());
              Integer answer = answers.get(method.getName());
              if (answer != null) {
                return method.getReturnType() == int.class ? answer : null;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  /** Whatever is changed, both find the same in it, or both refuse it. */
  @Test
  void it_decodes_what_java_decodes_and_nothing_else() throws IOException {
    Random random = new Random(4711);
    byte[] plain = Arrays.copyOf(content, 3_000);
    byte[] seed =
        joined(
            encoded(Format.XZ, plain), new byte[4], encoded(Format.XZ, Arrays.copyOf(plain, 99)));
    try (Decoder decoder = provider.open(Format.XZ, MEMORY)) {
      for (int i = 0; i < 3_000; i++) {
        byte[] changed = Arrays.copyOf(seed, seed.length - (random.nextInt(20) == 0 ? i % 500 : 0));
        for (int flips = random.nextInt(3); flips >= 0; flips--) {
          changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
        }
        String number = "change " + i;
        byte[] expected;
        try (InputStream java = new XZInputStream(new ByteArrayInputStream(changed), 16 << 10)) {
          expected = java.readAllBytes();
        } catch (IOException e) {
          assertThrows(IOException.class, () -> all(decoder, changed), number);
          continue;
        }
        assertArrayEquals(expected, all(decoder, changed), number);
      }
    }
  }

  @Test
  void a_changed_lzma_stream_is_refused_or_decoded_as_java_does() throws IOException {
    Random random = new Random(12);
    byte[] seed = encoded(Format.LZMA, Arrays.copyOf(content, 3_000));
    try (Decoder decoder = provider.open(Format.LZMA, MEMORY)) {
      for (int i = 0; i < 3_000; i++) {
        byte[] changed = seed.clone();
        changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
        byte[] found;
        try {
          found = all(decoder, changed);
        } catch (IOException e) {
          continue;
        }
        try (InputStream java = new LZMAInputStream(new ByteArrayInputStream(changed), 16 << 10)) {
          assertArrayEquals(java.readAllBytes(), found, "change " + i);
        }
      }
    }
  }
}
