package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FileWritersTest {
  private static final Tree.Attributes PLAIN =
      new Tree.Attributes(0, 0, 0644, Map.of(), Instant.EPOCH);
  private static final int MANY = 500;

  private final AtomicInteger open = new AtomicInteger();
  private final List<Recorded> files = new ArrayList<>();

  /** A file that remembers, and fails if it is told to. */
  private final class Recorded implements Tree.NewFile {
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private final boolean broken;
    private final boolean independent;
    private volatile boolean finished;

    Recorded(boolean broken, boolean independent) {
      this.broken = broken;
      this.independent = independent;
      open.incrementAndGet();
      files.add(this);
    }

    @Override
    public boolean isIndependent() {
      return independent;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      if (broken) {
        throw new StapesException(StapesException.Kind.EXHAUSTED, "file", "no space");
      }
      content.write(bytes, offset, length);
    }

    @Override
    public void skip(long length) {
      content.writeBytes(new byte[(int) length]);
    }

    @Override
    public void finish(Tree.Attributes attributes) {
      finished = true;
    }

    @Override
    public void close() {
      open.decrementAndGet();
    }
  }

  private static TarEntry entry(String name) {
    return TarEntry.file(name, 0644, 0, Instant.EPOCH);
  }

  private void write(FileWriters writers, String name, boolean broken, byte[] content) {
    Blocks blocks = new Blocks(1 << 16, 4);
    writers.write(
        entry(name),
        new Recorded(broken, true),
        PLAIN,
        to -> {
          for (int at = 0; at < content.length; at += 1 << 16) {
            Blocks.Block block = blocks.take();
            int length = Math.min(content.length - at, 1 << 16);
            System.arraycopy(content, at, block.bytes(), 0, length);
            to.data(block, 0, length);
            block.release();
          }
        });
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void all_files_get_their_content_and_are_finished_and_closed(int threads) {
    try (FileWriters writers = new FileWriters(threads)) {
      for (int i = 0; i < MANY; i++) {
        write(writers, "small" + i, false, random(i * 7, i));
      }
      write(writers, "large", false, random(20 << 20, MANY));
      writers.await();
    }
    for (int i = 0; i < MANY; i++) {
      assertArrayEquals(random(i * 7, i), files.get(i).content.toByteArray(), "file " + i);
    }
    assertArrayEquals(random(20 << 20, MANY), files.get(MANY).content.toByteArray());
    assertTrue(files.stream().allMatch(file -> file.finished));
    assertEquals(0, open.get());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void what_fails_is_told_with_the_name_and_leaves_no_file_open(int threads) {
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> {
              try (FileWriters writers = new FileWriters(threads)) {
                for (int i = 0; i < MANY; i++) {
                  write(writers, "f" + i, i == 100, random(1 << 16, i));
                }
                writers.await();
              }
            });
    assertEquals(StapesException.Kind.EXHAUSTED, e.kind());
    assertTrue(e.toString().contains("\"f100\""), e.toString());
    assertEquals(0, open.get());
    assertTrue(files.size() < MANY, "it went on for long");
  }

  @Test
  void a_failure_of_the_last_file_is_told_too() {
    FileWriters writers = new FileWriters();
    write(writers, "only", true, new byte[1]);
    assertThrows(StapesException.class, writers::await);
    writers.close();
    assertEquals(0, open.get());
  }

  @Test
  void a_file_that_goes_by_its_path_is_finished_at_once() {
    try (FileWriters writers = new FileWriters()) {
      writers.write(entry("f"), new Recorded(false, false), PLAIN, to -> to.hole(3));
      assertTrue(files.get(0).finished);
      assertEquals(0, open.get());
      assertArrayEquals(new byte[3], files.get(0).content.toByteArray());
      StapesException e =
          assertThrows(
              StapesException.class,
              () ->
                  writers.write(
                      entry("g"),
                      new Recorded(true, false),
                      PLAIN,
                      to -> to.data(new Blocks(1, 1).take(), 0, 1)));
      assertTrue(e.toString().contains("\"g\""), e.toString());
      assertEquals(0, open.get());
    }
  }

  @Test
  void closing_leaves_what_is_not_finished_and_no_file_open() {
    FileWriters writers = new FileWriters();
    write(writers, "waits", false, new byte[1]);
    writers.close();
    writers.close();
    assertEquals(false, files.get(0).finished);
    assertEquals(0, open.get());
  }

  @Test
  void a_source_that_fails_leaves_no_file_open() {
    try (FileWriters writers = new FileWriters()) {
      assertThrows(
          IllegalStateException.class,
          () ->
              writers.write(
                  entry("f"),
                  new Recorded(false, true),
                  PLAIN,
                  to -> {
                    throw new IllegalStateException("damaged");
                  }));
    }
    assertEquals(false, files.get(0).finished);
    assertEquals(0, open.get());
  }

  @Test
  void an_interrupt_ends_it_stays_visible_and_leaves_no_file_open() {
    Thread.currentThread().interrupt();
    try (FileWriters writers = new FileWriters()) {
      StapesException e =
          assertThrows(StapesException.class, () -> write(writers, "f", false, random(2 << 20, 1)));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals(0, open.get());
  }
}
