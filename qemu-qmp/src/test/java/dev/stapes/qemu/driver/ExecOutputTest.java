package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.Syscalls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** The end of an output is behind all else, wherever reads are split. */
class ExecOutputTest {
  private static final byte[] END = "aaab".getBytes(StandardCharsets.US_ASCII);

  private final AtomicInteger over = new AtomicInteger();

  /** What is read of pieces that come one by one. */
  private byte[] read(byte[] all, int piece, int chunk, boolean closed) throws IOException {
    try (UnixSocket.Pair pair = UnixSocket.pair(Syscalls.system());
        OutputStream guest = pair.one().fd().duplicate().output();
        ExecOutput output = new ExecOutput(pair.other(), END, over::incrementAndGet)) {
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      byte[] buffer = new byte[chunk];
      for (int at = 0; at < all.length; at += piece) {
        guest.write(all, at, Math.min(piece, all.length - at));
      }
      if (closed) {
        pair.one().shutdown();
      }
      for (int n = output.read(buffer); n >= 0; n = output.read(buffer)) {
        read.write(buffer, 0, n);
      }
      assertEquals(1, over.get());
      return read.toByteArray();
    }
  }

  @Property(tries = 200)
  void all_that_was_written_is_read_and_nothing_of_the_end(
      @ForAll("texts") String text, @ForAll("sizes") int piece, @ForAll("sizes") int chunk)
      throws IOException {
    over.set(0);
    byte[] data = text.getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(data, data.length + END.length);
    System.arraycopy(END, 0, all, data.length, END.length);
    assertArrayEquals(data, read(all, piece, chunk, false));
  }

  @Provide
  Arbitrary<String> texts() {
    // Full of beginnings of the end, but for the end itself, which nobody could know.
    return Arbitraries.strings()
        .withChars('a', 'b', 'c')
        .ofMaxLength(60)
        .map(text -> text.replace("aaab", "aaac"))
        .filter(text -> !text.contains("aaab"));
  }

  @Provide
  Arbitrary<Integer> sizes() {
    return Arbitraries.integers().between(1, 9);
  }

  @Test
  void what_breaks_off_is_read_as_far_as_it_came() throws IOException {
    byte[] part = "text aa".getBytes(StandardCharsets.US_ASCII);
    assertArrayEquals(part, read(part, 100, 100, true));
  }
}
