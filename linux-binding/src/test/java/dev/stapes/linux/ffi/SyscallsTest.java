package dev.stapes.linux.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyscallsTest {
  private final Syscalls sys = Syscalls.system();
  private final LibC libc = sys.libc();

  @Test
  void the_c_library_of_this_machine_is_usable() {
    assertEquals(Optional.empty(), Syscalls.unavailable());
    assertEquals(ProcessHandle.current().pid(), libc.getpid());
  }

  @Test
  void a_failed_call_tells_call_subject_and_errno() {
    LinuxException e =
        assertThrows(
            LinuxException.class,
            () -> sys.check(libc.open(CString.of("/no/such"), 0, 0), "open", "/no/such"));
    assertEquals("/no/such: open: ENOENT (no such file or directory)", e.getMessage());
    assertEquals("open", e.call());
    assertEquals("/no/such", e.subject());
    assertEquals(Errno.ENOENT, e.errno());
    assertEquals("ENOENT", e.errnoName());
    assertTrue(e.is(Errno.EBUSY, Errno.ENOENT));
  }

  @Test
  void an_expected_errno_is_a_negative_result_and_no_exception() {
    int result = libc.close(-1);
    assertEquals(-Errno.EBADF, sys.checkUnless(result, "close", -1, Errno.EBADF));
    assertThrows(
        LinuxException.class, () -> sys.checkUnless(libc.close(-1), "close", -1, Errno.EINTR));
  }

  @Test
  void buffers_are_read_and_written_from_their_position_in_heap_and_outside(@TempDir Path dir)
      throws Exception {
    Path file = Files.writeString(dir.resolve("f"), "0123456789");
    int fd = sys.check(libc.open(CString.of(file), Constants.O_RDWR, 0), "open", file);
    try {
      ByteBuffer direct = Syscalls.buffer(8);
      direct.position(2);
      assertEquals(4, libc.read(fd, direct, 4));
      assertEquals("\0\0" + "0123\0\0", text(direct));
      ByteBuffer heap = ByteBuffer.allocate(8);
      heap.position(2);
      assertEquals(4, libc.read(fd, heap, 4));
      assertEquals("\0\0" + "4567\0\0", text(heap));
      ByteBuffer out = ByteBuffer.wrap("..abc".getBytes(StandardCharsets.UTF_8)).position(2);
      assertEquals(3, libc.pwrite(fd, out, 3, 0));
      assertEquals("abc3456789", Files.readString(file));
    } finally {
      libc.close(fd);
    }
  }

  private static String text(ByteBuffer buffer) {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < buffer.capacity(); i++) {
      all.append((char) buffer.get(i));
    }
    return all.toString();
  }

  @Test
  void another_libc_can_stand_in_and_set_errno() {
    LibC failing =
        (LibC)
            Proxy.newProxyInstance(
                LibC.class.getClassLoader(),
                new Class<?>[] {LibC.class},
                (proxy, method, arguments) -> {
                  Syscalls.errno(Errno.EIO);
                  return -1;
                });
    Syscalls over = Syscalls.over(failing);
    LinuxException e =
        assertThrows(
            LinuxException.class, () -> over.check(over.libc().fsync(3), "fsync", "some file"));
    assertEquals(Errno.EIO, e.errno());
  }
}
