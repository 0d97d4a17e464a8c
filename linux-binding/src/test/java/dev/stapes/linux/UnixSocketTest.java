package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixSocketTest {
  private final Syscalls sys = Syscalls.system();
  private final Path dir;

  UnixSocketTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @Test
  void what_one_side_writes_the_other_reads_and_nothing_waits() {
    try (UnixSocket.Pair pair = UnixSocket.pair(sys)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(100);
      assertEquals(0, pair.one().read(buffer));
      assertEquals(5, pair.other().write(bytes("hello")));
      assertEquals(5, pair.one().read(buffer));
      assertEquals("hello", text(buffer));
      pair.other().shutdown();
      assertEquals(-1, pair.one().read(buffer));
      LinuxException e =
          assertThrows(LinuxException.class, () -> pair.one().write(bytes("nobody reads this")));
      assertEquals(Errno.EPIPE, e.errno());
    }
  }

  @Test
  void a_side_that_sends_no_more_still_hears_the_other() {
    try (UnixSocket.Pair pair = UnixSocket.pair(sys)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(100);
      assertEquals(4, pair.one().write(bytes("last")));
      pair.one().shutdownOutput();
      assertEquals(4, pair.other().read(buffer));
      assertEquals(-1, pair.other().read(buffer));
      assertEquals(6, pair.other().write(bytes("answer")));
      assertEquals(6, pair.one().read(buffer.clear()));
      assertEquals("answer", text(buffer));
      assertThrows(LinuxException.class, () -> pair.one().write(bytes("more")));
    }
  }

  @Test
  void a_full_socket_takes_nothing_and_passes_nothing() {
    try (UnixSocket.Pair pair = UnixSocket.pair(sys);
        Fd passed = Fd.openDirectory(sys, dir)) {
      ByteBuffer much = ByteBuffer.allocateDirect(1 << 20);
      while (pair.one().write(much.clear()) > 0) {
        assertTrue(much.position() > 0);
      }
      assertEquals(0, pair.one().write(bytes("x"), passed));
    }
  }

  @Test
  void a_descriptor_is_passed_with_the_first_byte() throws Exception {
    Path file = Files.writeString(dir.resolve("f"), "content");
    try (UnixSocket.Pair pair = UnixSocket.pair(sys);
        Fd passed = Fd.open(sys, file, Set.of(OpenFlag.READ))) {
      assertEquals(4, pair.one().write(bytes("take"), passed));
      ByteBuffer buffer = ByteBuffer.allocateDirect(100);
      UnixSocket.Received received = pair.other().receive(buffer);
      assertEquals(4, received.count());
      assertEquals("take", text(buffer));
      try (Fd theirs = received.passed().orElseThrow()) {
        assertFalse(theirs.number() == passed.number());
        assertTrue(theirs.stat().sameFileAs(passed.stat()));
      }
      assertEquals(0, pair.other().receive(buffer).count());
      pair.one().write(bytes("plain"));
      assertTrue(pair.other().receive(buffer).passed().isEmpty());
      pair.one().close();
      assertEquals(-1, pair.other().receive(buffer).count());
    }
  }

  @Test
  void connects_before_anybody_accepts() {
    Path path = dir.resolve("s");
    try (Fd listening = UnixSocket.listen(sys, path, 1)) {
      assertTrue(UnixSocket.accept(sys, listening).isEmpty());
      try (UnixSocket client = UnixSocket.connect(sys, path)) {
        client.write(bytes("early"));
        try (UnixSocket served = UnixSocket.accept(sys, listening).orElseThrow()) {
          ByteBuffer buffer = ByteBuffer.allocateDirect(100);
          assertEquals(5, served.read(buffer));
        }
      }
    }
  }

  @Test
  void a_directory_of_any_length_will_do() throws Exception {
    Path deep = dir;
    for (int i = 0; i < 20; i++) {
      deep = deep.resolve("a-directory-with-a-name");
    }
    Path path = Files.createDirectories(deep).resolve("s");
    assertTrue(path.toString().length() > 400);
    try (Fd listening = UnixSocket.listen(sys, path, 1);
        UnixSocket client = UnixSocket.connect(sys, path)) {
      assertTrue(client.fd().isOpen());
      assertTrue(UnixSocket.accept(sys, listening).map(Closing::close).isPresent());
    }
    Path longName = dir.resolve("x".repeat(120));
    LinuxException e =
        assertThrows(LinuxException.class, () -> UnixSocket.connect(sys, longName).close());
    assertEquals(Errno.ENAMETOOLONG, e.errno());
    assertEquals(longName.toString(), e.subject());
  }

  private static final class Closing {
    static boolean close(UnixSocket socket) {
      socket.close();
      return true;
    }
  }

  @Test
  void what_is_wrong_with_a_socket_is_told() {
    Path path = dir.resolve("s");
    assertEquals(Errno.ENOENT, errnoOfConnect(path));
    Fd listening = UnixSocket.listen(sys, path, 0);
    try (UnixSocket first = UnixSocket.connect(sys, path)) {
      assertTrue(first.fd().isOpen());
      assertEquals(Errno.EAGAIN, errnoOfConnect(path));
    }
    listening.close();
    assertEquals(Errno.ECONNREFUSED, errnoOfConnect(path));
    LinuxException e =
        assertThrows(LinuxException.class, () -> UnixSocket.listen(sys, path, 1).close());
    assertEquals(Errno.EADDRINUSE, e.errno());
  }

  private int errnoOfConnect(Path path) {
    return assertThrows(LinuxException.class, () -> UnixSocket.connect(sys, path).close()).errno();
  }

  @Test
  void an_epoll_tells_what_can_be_read_and_written() {
    List<String> ready = new ArrayList<>();
    Epoll.Sink sink = (key, readable, writable) -> ready.add(key + " " + readable + " " + writable);
    try (Epoll epoll = Epoll.open(sys, "test");
        UnixSocket.Pair pair = UnixSocket.pair(sys)) {
      epoll.add(pair.one().fd(), 7, false);
      epoll.await(0, sink);
      assertEquals(List.of(), ready);
      pair.other().write(bytes("x"));
      epoll.await(-1, sink);
      assertEquals(List.of("7 true false"), ready);
      epoll.change(pair.one().fd(), 7, true, true);
      epoll.await(-1, sink);
      assertEquals("7 true true", ready.get(1));
      epoll.remove(pair.one().fd());
      epoll.await(0, sink);
      assertEquals(2, ready.size());
      pair.other().close();
      epoll.add(pair.one().fd(), 8, false);
      epoll.await(-1, sink);
      assertEquals("8 true true", ready.get(2));
    }
  }

  @Test
  void an_epoll_that_waits_is_woken_once() throws Exception {
    try (Epoll epoll = Epoll.open(sys, "test")) {
      Thread waiting = new Thread(() -> epoll.await(-1, (key, readable, writable) -> {}));
      waiting.start();
      epoll.wake();
      waiting.join(TimeUnit.SECONDS.toMillis(30));
      assertFalse(waiting.isAlive());
      long start = System.nanoTime();
      epoll.await(TimeUnit.MILLISECONDS.toNanos(20), (key, readable, writable) -> {});
      assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(19));
    }
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(ByteBuffer buffer) {
    return StandardCharsets.UTF_8.decode(buffer.flip()).toString();
  }
}
