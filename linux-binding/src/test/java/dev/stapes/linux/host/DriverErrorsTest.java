package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What the errors of the kernel are to those who call a storage driver. */
class DriverErrorsTest {
  private static StapesException named(RuntimeException reason) {
    Supplier<Boolean> work =
        () -> {
          throw reason;
        };
    StapesException error =
        assertThrows(
            StapesException.class, () -> DriverErrors.naming("pool p", "cannot be read", work));
    assertEquals("pool p", error.subject());
    assertTrue(String.valueOf(error.getMessage()).contains("cannot be read"), error.toString());
    assertSame(reason, error.getCause());
    return error;
  }

  @Test
  void an_error_of_the_kernel_has_the_kind_of_its_number() {
    assertEquals(Kind.NOT_FOUND, named(new LinuxException("open", "x", Errno.ESTALE)).kind());
    assertEquals(Kind.EXHAUSTED, named(new LinuxException("write", "x", Errno.EDQUOT)).kind());
    assertEquals(Kind.BUSY, named(new LinuxException("umount2", "x", Errno.EBUSY)).kind());
    assertEquals(Kind.INTERNAL, named(new LinuxException("read", "x", Errno.EIO)).kind());
  }

  @Test
  void an_error_of_a_file_is_one_of_stapes_too() {
    IOException full = new IOException("/x: No space left on device");
    assertEquals(Kind.EXHAUSTED, named(new UncheckedIOException("x: " + full, full)).kind());
    IOException broken = new IOException("Input/output error");
    assertEquals(Kind.INTERNAL, named(new UncheckedIOException(broken)).kind());
  }

  @Test
  void other_errors_stay_as_they_are() {
    IllegalStateException mine = new IllegalStateException("mine");
    Supplier<Boolean> work =
        () -> {
          throw mine;
        };
    assertSame(
        mine,
        assertThrows(
            IllegalStateException.class, () -> DriverErrors.naming("pool p", "read", work)));
  }

  @Test
  void a_stream_that_broke_because_its_thread_was_interrupted_says_so() {
    assertEquals(
        Kind.INTERRUPTED, DriverErrors.kindOfStream(new InterruptedIOException("interrupted")));
    assertEquals(Kind.INTERRUPTED, DriverErrors.kindOfStream(new ClosedByInterruptException()));
    IOException reset = new IOException("Connection reset");
    assertEquals(Kind.UNAVAILABLE, DriverErrors.kindOfStream(reset));
    Thread.currentThread().interrupt();
    assertEquals(Kind.INTERRUPTED, DriverErrors.kindOfStream(reset));
    assertTrue(Thread.interrupted());
  }

  /** It is one by its type, too. */
  @Test
  void the_other_end_that_says_nothing_for_too_long_is_no_interruption() {
    assertEquals(
        Kind.UNAVAILABLE, DriverErrors.kindOfStream(new SocketTimeoutException("Read timed out")));
    assertEquals(Kind.UNAVAILABLE, DriverErrors.kindOfStream(new ClosedChannelException()));
  }
}
