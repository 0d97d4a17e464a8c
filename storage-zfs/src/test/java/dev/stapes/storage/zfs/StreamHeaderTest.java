package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class StreamHeaderTest {
  private static final int FILE_SYSTEM = 2;
  private static final int VOLUME = 3;
  private static final int GUID = 77;
  private static final long RESUMING = 1L << 22;

  private static byte[] header(long version, int type, long base) {
    return FakeStream.header(version, type, base, ByteOrder.LITTLE_ENDIAN);
  }

  private static void refused(String why, byte[] start) {
    StapesException error =
        assertThrows(StapesException.class, () -> StreamHeader.parse(start, "volume a"));
    assertEquals(Kind.INVALID, error.kind());
    assertTrue(String.valueOf(error.getMessage()).contains(why), error.toString());
  }

  @Test
  void the_base_is_read_from_either_order_of_bytes() {
    for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
      long base = 0xfedcba9876543210L;
      assertEquals(
          new StreamHeader(GUID, base, false, false),
          StreamHeader.parse(FakeStream.header(1, FILE_SYSTEM, base, order), "volume a"));
    }
  }

  @Test
  void compressed_and_large_records_are_taken() {
    long features = 1L << (17 + 2) | 1L << (19 + 2) | 1L << (22 + 2);
    assertEquals(
        new StreamHeader(GUID, 0, false, false),
        StreamHeader.parse(header(features | 1, FILE_SYSTEM, 0), "volume a"));
  }

  @Test
  void a_stream_of_a_block_device_says_so() {
    assertEquals(
        new StreamHeader(GUID, 5, true, false),
        StreamHeader.parse(header(1, VOLUME, 5), "volume a"));
  }

  @Test
  void what_no_volume_can_be_made_of_is_refused() {
    refused("more than one", header(2, FILE_SYSTEM, 0));
    refused("neither a file system", header(1, 4, 0));
    for (int feature : new int[] {21, 24}) {
      refused("encrypted", header(1 | 1L << (feature + 2), FILE_SYSTEM, 0));
    }
    byte[] whole = header(1, FILE_SYSTEM, 0);
    refused("ends after 311", Arrays.copyOf(whole, 311));
    refused("ends after 0", new byte[0]);
    whole[0] = 1;
    refused("no stream", whole);
  }

  @Test
  void a_rest_says_so_and_where_it_goes_on() {
    ResumeToken.Position position = new ResumeToken.Position(2, 0x4c0000);
    byte[] rest = FakePairs.header(header(1, FILE_SYSTEM, 5), RESUMING, position);
    StreamHeader header = StreamHeader.parse(rest, "volume a");
    assertEquals(new StreamHeader(GUID, 5, false, true), header);
    StapesException error =
        assertThrows(StapesException.class, () -> header.requireBeginning("volume a"));
    assertEquals(Kind.INVALID, error.kind(), error::toString);
    assertEquals(Optional.of(position), StreamHeader.position(rest));
    for (int length = StreamHeader.BYTES; length < rest.length; length++) {
      assertEquals(Optional.empty(), StreamHeader.position(Arrays.copyOf(rest, length)));
    }
    assertEquals(Optional.empty(), StreamHeader.position(header(1, FILE_SYSTEM, 0)));
  }

  @Property
  void any_other_bytes_are_refused(@ForAll @Size(312) byte[] bytes) {
    refused("cannot be received", bytes);
  }
}
