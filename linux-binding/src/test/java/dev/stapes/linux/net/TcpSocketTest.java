package dev.stapes.linux.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Ready;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TcpSocketTest {
  private final Syscalls sys = Syscalls.system();

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.0.0.2", "::1"})
  void two_ends_are_of_one_connection(String address) throws Exception {
    try (TcpSocket.Pair pair = TcpSocket.pair(sys, InetAddress.getByName(address))) {
      InetSocketAddress one = TcpSocket.addressOf(sys, pair.one());
      InetSocketAddress other = TcpSocket.addressOf(sys, pair.other());
      assertEquals(InetAddress.getByName(address), one.getAddress());
      assertEquals(InetAddress.getByName(address), other.getAddress());
      areConnected(pair.one(), pair.other());
    }
  }

  private static void areConnected(Fd one, Fd other) throws IOException {
    one.write(Syscalls.buffer(2).put(0, (byte) 4).put(1, (byte) 2));
    try (InputStream in = other.input()) {
      assertEquals(4, in.read()); // which waits until it comes
      assertEquals(2, in.read());
    }
  }

  private Ready within(Duration time) {
    return new Ready(sys, time);
  }

  private static Socket stranger(InetSocketAddress to) throws IOException {
    Socket stranger = new Socket(to.getAddress(), to.getPort());
    stranger.setSoTimeout(30_000);
    return stranger;
  }

  @Test
  void strangers_are_turned_away() throws Exception {
    try (Fd listening = TcpSocket.listen(sys, InetAddress.getLoopbackAddress())) {
      InetSocketAddress address = TcpSocket.addressOf(sys, listening);
      try (Socket first = stranger(address);
          Socket second = stranger(address);
          Fd one = TcpSocket.connect(sys, address);
          Fd other =
              TcpSocket.accept(
                  sys, listening, TcpSocket.addressOf(sys, one), within(Duration.ofSeconds(30)))) {
        assertEquals(-1, first.getInputStream().read());
        assertEquals(-1, second.getInputStream().read());
        areConnected(one, other);
      }
    }
  }

  /** While they fill the queue the kernel lets nobody in; it tries again after a second. */
  @Test
  void a_queue_full_of_strangers_is_in_nobodys_way() throws Exception {
    InetAddress here = InetAddress.getLoopbackAddress();
    List<SocketChannel> strangers = new ArrayList<>();
    try (Fd listening = TcpSocket.listen(sys, here)) {
      for (int i = 0; i < 20; i++) {
        SocketChannel stranger = SocketChannel.open();
        strangers.add(stranger);
        stranger.configureBlocking(false);
        boolean unusedYet = stranger.connect(TcpSocket.addressOf(sys, listening));
      }
      try (TcpSocket.Pair pair = TcpSocket.pair(sys, here, listening)) {
        areConnected(pair.one(), pair.other());
      }
    } finally {
      for (SocketChannel stranger : strangers) {
        stranger.close();
      }
    }
  }

  @Test
  void one_who_does_not_come_is_waited_for_so_long_and_no_longer_whoever_else_comes()
      throws Exception {
    try (Fd listening = TcpSocket.listen(sys, InetAddress.getLoopbackAddress())) {
      InetSocketAddress address = TcpSocket.addressOf(sys, listening);
      InetSocketAddress nobody = new InetSocketAddress(address.getAddress(), 1);
      try (Socket stranger = stranger(address)) {
        for (Duration time : List.of(Duration.ZERO, Duration.ofSeconds(2))) {
          LinuxException e =
              assertThrows(
                  LinuxException.class,
                  () -> TcpSocket.accept(sys, listening, nobody, within(time)));
          assertEquals(Errno.ETIMEDOUT, e.errno());
        }
        assertEquals(-1, stranger.getInputStream().read());
      }
    }
  }

  @Test
  void who_is_interrupted_waits_for_nobody() throws Exception {
    InetAddress here = InetAddress.getLoopbackAddress();
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, () -> TcpSocket.pair(sys, here));
    try (Fd listening = TcpSocket.listen(sys, here)) {
      InetSocketAddress address = TcpSocket.addressOf(sys, listening);
      Thread.currentThread().interrupt();
      assertThrows(InterruptedException.class, () -> TcpSocket.connect(sys, address));
    }
  }

  @Test
  void who_listens_is_found_at_its_port() throws Exception {
    try (Fd listening = TcpSocket.listen(sys, InetAddress.getLoopbackAddress())) {
      InetSocketAddress address = TcpSocket.addressOf(sys, listening);
      try (Socket unused = new Socket(address.getAddress(), address.getPort());
          Fd connected = TcpSocket.connect(sys, address)) {
        assertEquals(address.getAddress(), TcpSocket.addressOf(sys, connected).getAddress());
      }
    }
  }

  @Test
  void an_address_of_another_host_is_refused() throws IOException {
    InetAddress documentation = InetAddress.getByName("192.0.2.1");
    LinuxException e =
        assertThrows(LinuxException.class, () -> TcpSocket.listen(sys, documentation));
    assertEquals(Errno.EADDRNOTAVAIL, e.errno());
  }

  @Test
  void nobody_connects_where_nobody_listens() throws Exception {
    try (Socket bound = new Socket()) {
      bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      InetSocketAddress silent = (InetSocketAddress) bound.getLocalSocketAddress();
      LinuxException e = assertThrows(LinuxException.class, () -> TcpSocket.connect(sys, silent));
      assertEquals(Errno.ECONNREFUSED, e.errno());
    }
  }
}
