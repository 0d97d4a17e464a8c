package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConsoleLogTurnsTest {
  @TempDir Path directory;
  private Path log = Path.of("");

  @BeforeEach
  void name() {
    log = directory.resolve("console.log");
  }

  private ConsoleLogTurns turns() {
    return new ConsoleLogTurns(Syscalls.system(), log);
  }

  private Path beside(String suffix) {
    return directory.resolve("console.log" + suffix);
  }

  private static byte[] full() {
    byte[] content = new byte[(int) ConsoleLogTurns.FULL + 1];
    Arrays.fill(content, (byte) 'f');
    return content;
  }

  @Test
  void a_log_that_is_not_full_stays() throws IOException {
    turns().turn(); // nor does it have to exist
    Files.write(log, Arrays.copyOf(full(), (int) ConsoleLogTurns.FULL));
    turns().turn();
    assertEquals(ConsoleLogTurns.FULL, Files.size(log));
    assertFalse(Files.exists(beside(".1")));
  }

  @Test
  void who_has_it_open_goes_on_at_the_beginning() throws IOException {
    Files.writeString(beside(".1"), "before");
    Files.writeString(beside(".new"), "half of a copy");
    try (OutputStream writer =
        Files.newOutputStream(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      writer.write(full());
      turns().turn();
      writer.write("next".getBytes(StandardCharsets.UTF_8));
    }
    assertEquals("next", Files.readString(log));
    assertArrayEquals(full(), Files.readAllBytes(beside(".1")));
    assertFalse(Files.exists(beside(".new")));
  }

  @Test
  void of_what_was_written_while_nobody_looked_the_end_is_kept() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
      file.seek(ConsoleLogTurns.MOST);
      file.write("end".getBytes(StandardCharsets.UTF_8));
    }
    turns().turn();
    assertEquals(0, Files.size(log));
    assertEquals(ConsoleLogTurns.FULL, Files.size(beside(".1")));
    String kept = Files.readString(beside(".1"));
    assertTrue(kept.endsWith("\0end"));
  }

  @Test
  void files_of_others_are_left_alone() throws IOException {
    Path other = Files.write(directory.resolve("other"), full());
    Files.createSymbolicLink(log, other);
    turns().turn();
    assertArrayEquals(full(), Files.readAllBytes(other));
    Files.delete(log);
    Files.createLink(log, other);
    turns().turn();
    assertArrayEquals(full(), Files.readAllBytes(other));
    Files.delete(log);
    Files.write(log, full());
    Files.createSymbolicLink(beside(".new"), other);
    turns().turn();
    assertArrayEquals(full(), Files.readAllBytes(other));
    assertFalse(Files.isSymbolicLink(beside(".1")));
  }

  @Test
  void a_copy_that_cannot_be_made_leaves_the_log() throws IOException {
    Files.write(log, full());
    Files.createDirectories(beside(".new").resolve("in the way"));
    assertThrows(IOException.class, () -> turns().turn());
    assertArrayEquals(full(), Files.readAllBytes(log));
    Files.delete(beside(".new").resolve("in the way"));
    Files.createDirectories(beside(".1").resolve("in the way"));
    assertThrows(IOException.class, () -> turns().turn());
    assertTrue(Files.exists(beside(".new"), LinkOption.NOFOLLOW_LINKS), "kept for the next");
  }

  @Test
  void what_a_jvm_left_that_died_at_it_is_mended() throws IOException {
    Files.writeString(log, "all of it and more");
    Files.writeString(beside(".new"), "all of it");
    turns().mend();
    assertFalse(Files.exists(beside(".new")), "nothing was taken out yet");
    assertFalse(Files.exists(beside(".1")));

    Files.writeString(log, "more");
    Files.writeString(beside(".new"), "all of it");
    turns().mend();
    assertEquals("all of it", Files.readString(beside(".1")));
    assertEquals("more", Files.readString(log));
    turns().mend();
    assertEquals("all of it", Files.readString(beside(".1")));
  }

  @Test
  void it_is_watched_until_the_end() throws IOException {
    Files.write(log, full());
    ConsoleLogTurns watched = turns();
    watched.watch(Runnable::run);
    assertEquals(0, Files.size(log));
    Files.write(log, full(), StandardOpenOption.APPEND);
    while (Files.size(log) > 0 || Files.exists(beside(".new"))) {
      Thread.onSpinWait();
    }
    watched.end();
    watched.end();
    Files.write(log, full());
    Files.writeString(beside(".new"), "of the next");
    watched.turn();
    watched.mend();
    watched.watch(Runnable::run);
    assertEquals(ConsoleLogTurns.FULL + 1, Files.size(log));
    assertEquals("of the next", Files.readString(beside(".new")));
  }
}
