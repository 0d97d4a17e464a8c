package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleTreeTest {
  private static final int FILES = 120;
  private static final int BYTES = 2_000_000;

  @TempDir Path directory;

  private static byte[] all(Path directory) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try (Stream<Path> walk = Files.walk(directory)) {
      List<Path> files = walk.filter(Files::isRegularFile).sorted().toList();
      assertEquals(FILES, files.size());
      for (Path file : files) {
        all.write(Files.readAllBytes(file));
      }
    }
    return all.toByteArray();
  }

  @Test
  void files_are_the_same_each_time_of_the_size_asked_for_and_compressible() throws IOException {
    SampleTree.make(directory.resolve("a"), FILES, BYTES);
    SampleTree.make(directory.resolve("b"), FILES, BYTES);
    byte[] content = all(directory.resolve("a"));
    assertArrayEquals(content, all(directory.resolve("b")));
    assertEquals(BYTES, content.length);

    Deflater deflater = new Deflater();
    deflater.setInput(content);
    deflater.finish();
    double ratio = BYTES / (double) deflater.deflate(new byte[BYTES]);
    deflater.end();
    assertTrue(ratio > 2 && ratio < 4, "compressed to 1/" + ratio);
  }
}
