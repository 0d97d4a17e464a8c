package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.FileTree.Resolution;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Fail the n-th call, for every n: nothing stays open, and what was made is gone. */
@Timeout(120)
class FaultsTest {
  private final Path dir;

  FaultsTest(@TempDir Path dir) {
    this.dir = dir;
  }

  private interface Operation {
    void run(Syscalls sys) throws Exception;
  }

  /** Runs it until no call is left to fail; returns the names of those that failed. */
  private Set<String> failEach(Operation operation) throws Exception {
    Set<String> failed = new TreeSet<>();
    for (int n = 1; n < 500; n++) {
      Set<String> before = names();
      FaultyLibC faulty = new FaultyLibC(n, Errno.EIO);
      boolean thrown = false;
      try {
        operation.run(faulty.syscalls());
      } catch (LinuxException | IOException | IllegalStateException e) {
        thrown = true;
      }
      String where = n + ": " + faulty.failed();
      assertEquals(Set.of(), faulty.open(), where);
      if (faulty.failed().isEmpty()) {
        assertTrue(!thrown, "failed without a fault");
        return failed;
      }
      failed.add(faulty.failed());
      if (thrown) {
        assertEquals(before, names(), where);
      }
    }
    throw new AssertionError("there is no end to the calls: " + failed);
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> files = Files.walk(dir)) {
      return files.map(file -> dir.relativize(file).toString()).collect(Collectors.toSet());
    }
  }

  @Test
  void a_child_is_started_watched_and_reaped_or_not_there() throws Exception {
    Set<String> failed =
        failEach(
            sys -> {
              try (Spawner spawner = Spawner.open(sys, "faults");
                  Pipe pipe = Pipe.open(sys)) {
                ChildProcess child =
                    spawner.spawn(
                        SpawnRequest.of(Path.of("/bin/cat"))
                            .stdin(pipe.read())
                            .descriptor(3, pipe.read())
                            .build());
                pipe.write().close();
                assertEquals(new ExitStatus(true, 0), child.awaitExit());
              }
            });
    assertTrue(
        failed.containsAll(Set.of("posix_spawn", "epoll_ctl", "eventfd", "pipe2")), failed + "");
  }

  @Test
  void sockets_and_what_they_pass_leave_nothing_open() throws Exception {
    Set<String> failed =
        failEach(
            sys -> {
              try (Epoll epoll = Epoll.open(sys, "faults");
                  UnixSocket.Pair pair = UnixSocket.pair(sys)) {
                epoll.add(pair.one().fd(), 1, true);
                epoll.await(-1, (key, readable, writable) -> {});
                pair.one().write(ByteBuffer.wrap(new byte[1]), pair.one().fd());
                pair.other()
                    .receive(ByteBuffer.allocateDirect(8))
                    .passed()
                    .ifPresent(fd -> Fd.adopt(Syscalls.system(), fd.release(), "passed").close());
                epoll.remove(pair.one().fd());
              }
            });
    assertTrue(failed.containsAll(Set.of("socketpair", "sendmsg", "recvmsg")), failed + "");
  }

  @Test
  void a_terminal_and_its_streams_leave_nothing_open() throws Exception {
    failEach(
        sys -> {
          try (Pty pty = Pty.open(sys)) {
            pty.resize(new Pty.Size(80, 25));
            pty.openSlave().close();
            try (Fd copy = pty.master().duplicate()) {
              copy.input().close();
            }
          }
        });
  }

  @Test
  void a_file_directory_or_fifo_is_made_as_wanted_or_not_at_all() throws Exception {
    Files.createDirectory(dir.resolve("base"));
    int[] names = {0};
    failEach(
        sys -> {
          try (FileTree tree = FileTree.open(sys, dir, Resolution.BENEATH)) {
            tree.mkdir("d" + names[0]++, 0750);
          }
        });
    failEach(
        sys -> {
          try (FileTree tree = FileTree.open(sys, dir, Resolution.BENEATH)) {
            tree.mkfifo("p" + names[0]++, 0640);
          }
        });
    failEach(
        sys -> {
          try (FileTree tree = FileTree.open(sys, dir, Resolution.BENEATH)) {
            tree.create("base/../f" + names[0]++, 0640).close();
          }
        });
    failEach(sys -> new Fifo(sys).create(dir.resolve("q" + names[0]++), 0600, -1, -1));
    failEach(
        sys -> {
          try (FileTree tree = FileTree.open(sys, dir, Resolution.BENEATH);
              FileTree same = tree.subtree("/")) {
            same.symlink("t", "s" + names[0]++);
          }
        });
  }

  @Test
  void reading_and_writing_leave_nothing_open() throws Exception {
    Files.createFile(dir.resolve("f"));
    failEach(
        sys -> {
          try (FileTree tree = FileTree.open(sys, dir, Resolution.IN_ROOT);
              Fd fd = tree.openOrCreateFile("f", Set.of(OpenFlag.WRITE, OpenFlag.READ), 0600)) {
            fd.write(ByteBuffer.allocate(10), 0);
            fd.read(ByteBuffer.allocate(10), 0);
            fd.sync();
            tree.stat("f");
            tree.list("/");
            tree.xattrs("f", Xattrs::list);
          }
        });
  }

  @Test
  void a_removal_that_fails_can_be_repeated() throws Exception {
    failEachRemoval();
    assertEquals(Set.of(""), names());
  }

  private void failEachRemoval() throws Exception {
    for (int n = 1; n < 500; n++) {
      Files.createDirectories(dir.resolve("top/a/b/c"));
      Files.createDirectories(dir.resolve("top/d"));
      Files.writeString(dir.resolve("top/a/b/f"), "x");
      FaultyLibC faulty = new FaultyLibC(n, Errno.EIO);
      try (FileTree tree = FileTree.open(faulty.syscalls(), dir, Resolution.BENEATH)) {
        tree.removeAll("top");
      } catch (LinuxException e) {
        assertEquals(Errno.EIO, e.errno());
      }
      assertEquals(Set.of(), faulty.open(), n + ": " + faulty.failed());
      try (FileTree tree = FileTree.open(Syscalls.system(), dir, Resolution.BENEATH)) {
        tree.removeAll("top");
      }
      if (faulty.failed().isEmpty()) {
        return;
      }
    }
    throw new AssertionError("there is no end to the calls");
  }
}
