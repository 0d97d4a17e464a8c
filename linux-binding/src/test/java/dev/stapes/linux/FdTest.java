package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FdTest {
  private final Syscalls sys = Syscalls.system();
  private final Path dir;

  FdTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @Test
  void closing_twice_is_fine_and_use_after_it_is_not() {
    Fd fd = Fd.openDirectory(sys, dir);
    assertTrue(fd.isOpen());
    fd.close();
    fd.close();
    assertFalse(fd.isOpen());
    assertThrows(IllegalStateException.class, fd::number);
  }

  @Test
  void its_path_leads_to_the_open_file_even_after_a_rename() throws Exception {
    Path sub = Files.createDirectory(dir.resolve("sub"));
    try (Fd fd = Fd.openDirectory(sys, sub)) {
      Files.move(sub, dir.resolve("moved"));
      Files.writeString(fd.path().resolve("f"), "x");
      assertEquals("x", Files.readString(dir.resolve("moved/f")));
    }
  }

  @Test
  void a_missing_file_is_enoent() {
    Path path = dir.resolve("missing");
    LinuxException e = assertThrows(LinuxException.class, () -> Fd.open(sys, path, Set.of()));
    assertEquals(Errno.ENOENT, e.errno());
    assertEquals(path.toString(), e.subject());
  }

  @Test
  void reads_and_writes_at_offsets_and_says_when_the_file_ends() {
    Set<OpenFlag> flags = Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE);
    try (Fd fd = Fd.open(sys, dir.resolve("f"), flags)) {
      fd.write(bytes("hello world"));
      fd.write(bytes("HE"), 0);
      ByteBuffer buffer = ByteBuffer.allocate(5);
      assertEquals(5, fd.read(buffer, 0));
      assertArrayEquals("HEllo".getBytes(StandardCharsets.UTF_8), buffer.array());
      assertEquals(-1, fd.read(buffer.clear()));
      fd.truncate(3);
      assertEquals(3, fd.stat().size());
    }
  }

  @Test
  void attributes_are_set_and_read_also_through_a_descriptor_of_the_place_only() throws Exception {
    Path file = Files.writeString(dir.resolve("f"), "x");
    Instant time = Instant.ofEpochSecond(-5, 123_456_789);
    try (Fd place = Fd.open(sys, file, Set.of(OpenFlag.PATH_ONLY));
        Fd open = Fd.open(sys, file, Set.of(OpenFlag.READ))) {
      place.chmod(04751);
      open.times(null, time);
      FileStat stat = place.stat();
      assertEquals(04751, stat.permissions());
      assertEquals(time, stat.modified());
      assertEquals(FileKind.FILE, stat.kind());
      assertTrue(stat.sameFileAs(open.stat()));
    }
  }

  @Test
  void a_lock_is_held_by_one_open_file_at_a_time() {
    Set<OpenFlag> flags = Set.of(OpenFlag.WRITE, OpenFlag.CREATE);
    try (Fd one = Fd.open(sys, dir.resolve("lock"), flags);
        Fd two = Fd.open(sys, dir.resolve("lock"), flags)) {
      assertTrue(one.tryLock());
      assertFalse(two.tryLock());
      one.close();
      assertTrue(two.tryLock());
    }
  }

  @Test
  void streams_carry_much_data_through_a_pipe() throws Exception {
    byte[] data = new byte[1_000_003];
    new Random(7).nextBytes(data);
    Pipe pipe = Pipe.open(sys);
    try (InputStream in = pipe.read().input()) {
      CompletableFuture<Void> writer =
          CompletableFuture.runAsync(
              () -> {
                try (OutputStream out = pipe.write().output()) {
                  out.write(data);
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      assertArrayEquals(data, in.readAllBytes());
      writer.get(30, TimeUnit.SECONDS);
    }
    assertFalse(pipe.read().isOpen());
    assertFalse(pipe.write().isOpen());
  }

  @Test
  void closing_a_stream_ends_a_read_that_waits() throws Exception {
    Pipe pipe = Pipe.open(sys);
    try (Fd write = pipe.write()) {
      InputStream in = pipe.read().input();
      CountDownLatch reading = new CountDownLatch(1);
      CompletableFuture<Integer> reader =
          CompletableFuture.supplyAsync(
              () -> {
                reading.countDown();
                try {
                  return in.read();
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      reading.await();
      in.close();
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> reader.get(30, TimeUnit.SECONDS));
      assertTrue(String.valueOf(e.getCause()).contains("closed"), String.valueOf(e.getCause()));
      assertFalse(pipe.read().isOpen());
    }
  }

  @Test
  void a_write_that_waits_for_the_reader_ends_when_its_stream_is_closed() throws Exception {
    Pipe pipe = Pipe.open(sys);
    try (Fd read = pipe.read()) {
      OutputStream out = pipe.write().output();
      CompletableFuture<Void> writer =
          CompletableFuture.runAsync(
              () -> {
                try {
                  out.write(new byte[1 << 20]);
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      // The pipe is full before the writer has to wait: its first bytes are here.
      assertEquals(1, read.read(ByteBuffer.allocateDirect(1)));
      out.close();
      assertThrows(ExecutionException.class, () -> writer.get(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void a_released_descriptor_stays_open() {
    Fd fd = Fd.openDirectory(sys, dir);
    int number = fd.release();
    fd.close();
    try (Fd again = Fd.adopt(sys, number, "again")) {
      assertEquals(FileKind.DIRECTORY, again.stat().kind());
    }
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
