package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FifoTest {
  private final Syscalls sys = Syscalls.system();
  private final Fifo fifo = new Fifo(sys);
  private final Path path;
  private final Path dir;

  FifoTest(@TempDir Path dir) {
    this.dir = dir;
    this.path = dir.resolve("fifo");
    int uid = sys.libc().geteuid();
    fifo.create(path, 0620, uid, -1);
  }

  @Test
  void it_has_exactly_the_permissions_and_is_made_once() {
    try (Fd fd = fifo.openBoth(path)) {
      assertEquals(FileKind.FIFO, fd.stat().kind());
      assertEquals(0620, fd.stat().permissions());
    }
    LinuxException e = assertThrows(LinuxException.class, () -> fifo.create(path, 0600, -1, -1));
    assertEquals(Errno.EEXIST, e.errno());
    assertThrows(LinuxException.class, () -> fifo.create(dir.resolve("a/b"), 0600, -1, -1));
  }

  @Test
  void a_new_one_can_be_opened_at_once() {
    Path read = dir.resolve("read");
    try (Fd fd = fifo.createRead(read, 0640, -1, -1)) {
      assertEquals(0640, fd.stat().permissions());
      assertEquals(-1, fd.read(ByteBuffer.allocateDirect(1)));
    }
    try (Fd both = fifo.createBoth(dir.resolve("both"), 0600, -1, -1)) {
      both.write(ByteBuffer.wrap(new byte[] {7}));
      assertEquals(1, both.read(ByteBuffer.allocateDirect(1)));
    }
    LinuxException e = assertThrows(LinuxException.class, () -> fifo.createRead(read, 0, -1, -1));
    assertEquals(Errno.EEXIST, e.errno());
  }

  @Test
  void no_open_waits_for_the_other_end() {
    assertEquals(Optional.empty(), fifo.openWrite(path));
    try (Fd read = fifo.openRead(path)) {
      assertEquals(-1, read.read(ByteBuffer.allocateDirect(1)));
      try (Fd write = fifo.openWrite(path).orElseThrow()) {
        write.write(ByteBuffer.wrap(new byte[] {7}));
        ByteBuffer one = ByteBuffer.allocateDirect(1);
        assertEquals(1, read.read(one));
        assertEquals(7, one.get(0));
      }
    }
  }

  @Test
  void the_end_that_is_both_never_sees_the_end_of_the_file() {
    try (Fd both = fifo.openBoth(path)) {
      Fd write = fifo.openWrite(path).orElseThrow();
      write.write(ByteBuffer.wrap(new byte[] {7}));
      write.close();
      assertEquals(1, both.read(ByteBuffer.allocateDirect(8)));
      both.blocking(false);
      LinuxException e =
          assertThrows(LinuxException.class, () -> both.read(ByteBuffer.allocateDirect(8)));
      assertEquals(Errno.EAGAIN, e.errno());
    }
  }
}
