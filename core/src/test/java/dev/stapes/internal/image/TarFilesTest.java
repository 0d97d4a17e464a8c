package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.image.TarFiles.Entry;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is passed over in archives. */
@Timeout(120)
class TarFilesTest {
  private static final long LARGE = Size.ofGibibytes(20).bytes();
  private static final byte[] CONTENT = {1, 2, 3};

  @TempDir private Path directory = Path.of("");

  /** A large file of holes on the disk, which the archive knows nothing of, and a small one. */
  private Path archive(long length) throws IOException {
    Path archive = directory.resolve("large.tar");
    ByteArrayOutputStream end = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(end);
    tar.add(TarEntry.file("small", 0644, CONTENT.length, Instant.EPOCH), CONTENT);
    tar.finish();
    try (RandomAccessFile file = new RandomAccessFile(archive.toFile(), "rw")) {
      file.write(header("large"));
      file.seek(file.getFilePointer() + LARGE);
      file.write(end.toByteArray());
      file.setLength(Math.min(length, file.length()));
    }
    return archive;
  }

  private static byte[] header(String name) {
    byte[] header = new byte[TarFormat.BLOCK];
    for (int i = 0; i < name.length(); i++) {
      header[i] = (byte) name.charAt(i);
    }
    TarFormat.putNumber(header, TarFormat.MODE, TarFormat.SHORT, 0644);
    header[TarFormat.TYPE] = '0';
    // 20 GiB do not fit octal digits: base 256, as GNU tar writes it.
    header[TarFormat.SIZE] = (byte) 0x80;
    for (int i = 0; i < Long.BYTES; i++) {
      header[TarFormat.SIZE + TarFormat.LONG - 1 - i] = (byte) (LARGE >> (8 * i));
    }
    TarFormat.seal(header);
    return header;
  }

  @Test
  void a_large_file_of_a_plain_archive_is_passed_over_without_reading_it() throws IOException {
    List<Long> told = new ArrayList<>();
    Path archive = archive(Long.MAX_VALUE);
    try (TarFiles files = TarFiles.open(archive, (stage, done, total) -> told.add(done), "look")) {
      assertEquals(Optional.of(new Entry("large", LARGE, Optional.empty())), files.next());
      Entry small = files.next().orElseThrow();
      assertEquals("small", small.name());
      assertArrayEquals(new byte[] {1}, files.start(small, 1));
      ByteArrayOutputStream rest = new ByteArrayOutputStream();
      files.copy(small, rest);
      assertArrayEquals(new byte[] {2, 3}, rest.toByteArray());
      assertEquals(Optional.empty(), files.next());
    }
    assertTrue(told.size() < 10, told::toString); // each is 256 KiB that were read
    assertTrue(told.get(told.size() - 1) > LARGE, told::toString);
  }

  @Test
  void an_archive_that_ends_where_it_is_passed_over_is_cut() throws IOException {
    for (long length : new long[] {LARGE / 2, LARGE, LARGE + TarFormat.BLOCK}) {
      Path archive = archive(length);
      try (TarFiles files = TarFiles.open(archive, Progress.NONE, "look")) {
        assertEquals("large", files.next().orElseThrow().name());
        StapesException e = assertThrows(StapesException.class, files::next);
        assertEquals(Kind.INVALID, e.kind());
        assertTrue(e.toString().contains("ends early"), e.toString());
      }
    }
  }
}
