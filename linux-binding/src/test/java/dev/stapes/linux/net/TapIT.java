package dev.stapes.linux.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.FaultyLibC;
import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Interfaces of this machine. */
@RequiresRoot
class TapIT {
  private static final Syscalls SYS = Syscalls.system();
  private static final int HEADER = 10;

  private final String name = "stp" + ProcessHandle.current().pid();

  private Path link() {
    return Path.of("/sys/class/net", name);
  }

  private String text(String file) throws IOException {
    return Files.readString(link().resolve(file)).strip();
  }

  @Test
  void it_is_up_with_its_mtu_takes_frames_and_goes_when_it_is_closed() throws IOException {
    try (Tap tap = Tap.create(SYS, name, Optional.of(1400))) {
      assertEquals(name, tap.name());
      assertTrue(Tap.exists(SYS, name));
      assertEquals("1400", text("mtu"));
      assertEquals(1, Integer.decode(text("flags")) & 1);
      long before = Long.parseLong(text("statistics/rx_packets"));
      tap.fd().write(ByteBuffer.allocateDirect(HEADER + 60));
      assertEquals(before + 1, Long.parseLong(text("statistics/rx_packets")));
    }
    assertFalse(Files.exists(link()));
    assertFalse(Tap.exists(SYS, name));
  }

  @Test
  void a_guest_gives_the_host_no_address_and_no_route() throws IOException {
    Path keys = Path.of("/proc/sys/net/ipv6/conf");
    try (Tap tap = Tap.create(SYS, name, Optional.empty())) {
      assertEquals(1, Integer.decode(text("flags")) & 1, tap.name());
      if (Files.exists(keys)) {
        assertEquals("1", Files.readString(keys.resolve(name).resolve("disable_ipv6")).strip());
        assertEquals("0", Files.readString(keys.resolve(name).resolve("accept_ra")).strip());
        assertFalse(Files.readString(Path.of("/proc/net/if_inet6")).contains(name));
        assertFalse(Files.readString(Path.of("/proc/net/ipv6_route")).contains(name));
      }
    }
  }

  @Test
  void who_has_a_duplicate_keeps_it() {
    Fd duplicate;
    try (Tap tap = Tap.create(SYS, name, Optional.empty())) {
      duplicate = tap.fd().duplicate();
    }
    assertTrue(Files.exists(link()));
    duplicate.close();
    assertFalse(Files.exists(link()));
  }

  @Test
  void a_name_is_given_once() {
    try (Tap tap = Tap.create(SYS, name, Optional.empty())) {
      LinuxException e =
          assertThrows(LinuxException.class, () -> Tap.create(SYS, name, Optional.empty()));
      assertTrue(e.is(Errno.EBUSY), e.toString());
      assertTrue(Files.exists(link()), tap.name());
    }
    LinuxException other =
        assertThrows(LinuxException.class, () -> Tap.create(SYS, "lo", Optional.empty()));
    assertTrue(other.is(Errno.EBUSY, Errno.EEXIST, Errno.EINVAL), other.toString());
  }

  @Test
  void what_the_kernel_cannot_have_leaves_nothing() {
    for (String bad : new String[] {"", "sixteen-letters-", "a/b", "all", "default"}) {
      LinuxException e =
          assertThrows(LinuxException.class, () -> Tap.create(SYS, bad, Optional.empty()));
      assertTrue(e.is(Errno.EINVAL), e.toString());
    }
    LinuxException mtu =
        assertThrows(LinuxException.class, () -> Tap.create(SYS, name, Optional.of(67)));
    assertEquals("ioctl(SIOCSIFMTU)", mtu.call());
    assertFalse(Files.exists(link()));
  }

  @Test
  void whichever_call_fails_nothing_is_left() {
    int n = 0;
    FaultyLibC faulty;
    do {
      faulty = new FaultyLibC(++n, Errno.EIO);
      Syscalls sys = faulty.syscalls();
      if (n > 20) {
        throw new AssertionError("too many calls");
      }
      try (Tap tap = Tap.create(sys, name, Optional.of(1400))) {
        assertEquals("", faulty.failed(), tap.name());
      } catch (LinuxException e) {
        assertTrue(e.is(Errno.EIO), e.toString());
      }
      assertEquals(Set.of(), faulty.open());
      assertFalse(Files.exists(link()), faulty.failed());
    } while (!faulty.failed().isEmpty());
    assertTrue(n > 6, "only " + n);
  }
}
