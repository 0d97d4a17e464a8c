package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.net.TcpSocket;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Sockets at an address of the host, all opened here. For the memory there is one connection, and
 * nobody listens any more when the emulators get its ends. QEMU's NBD server takes no connection
 * but a socket that listens: there the key alone keeps others out.
 */
final class TcpArrivalSockets implements ArrivalSockets {
  private static final String DISK = "arriving-disk";
  private static final String MEMORY = "arriving-memory";

  private final String subject;
  private final Monitor monitor;
  private final Syscalls sys;
  private final InetAddress address;
  private final PreSharedKey key = PreSharedKey.random();
  private @Nullable InetSocketAddress disk;
  private @Nullable Fd memory;

  TcpArrivalSockets(String subject, Monitor monitor, Syscalls sys, InetAddress address) {
    this.subject = subject;
    this.monitor = monitor;
    this.sys = sys;
    this.address = address;
  }

  @Override
  public ObjectNode listenForDisk() {
    requireFirst(disk);
    try (Fd listening = TcpSocket.listen(sys, address)) {
      disk = TcpSocket.addressOf(sys, listening);
      monitor.give(DISK, listening);
    } catch (LinuxException e) {
      throw refused(e);
    }
    ObjectNode server = JsonNodeFactory.instance.objectNode();
    server.putObject("addr").put("type", "fd").putObject("data").put("str", DISK);
    return server;
  }

  @Override
  public String listenForMemory() {
    requireFirst(memory);
    TcpSocket.Pair pair;
    try {
      pair = TcpSocket.pair(sys, address);
    } catch (LinuxException e) {
      throw refused(e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    memory = pair.other();
    try (Fd its = pair.one()) {
      monitor.give(MEMORY, its);
    }
    return "fd:" + MEMORY;
  }

  private void requireFirst(@Nullable Object before) {
    if (before != null) {
      throw new IllegalStateException(subject + " listens already");
    }
  }

  private StapesException refused(LinuxException e) {
    boolean foreign = e.is(Errno.EADDRNOTAVAIL);
    return new StapesException(
        foreign ? Kind.INVALID : Kind.UNAVAILABLE,
        subject,
        (foreign ? "no address of this host: \"" : "no connection can be made at \"")
            + address.getHostAddress()
            + "\": "
            + e.getMessage(),
        e);
  }

  private StapesException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
  }

  @Override
  public Fd connectDisk() {
    InetSocketAddress listening = disk;
    if (listening == null) {
      throw new IllegalStateException(subject + " does not listen");
    }
    try {
      return TcpSocket.connect(sys, listening);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  @Override
  public Fd connectMemory() {
    Fd mine = memory;
    if (mine == null) {
      throw new IllegalStateException(subject + " has no connection left");
    }
    memory = null;
    return mine;
  }

  @Override
  public Optional<PreSharedKey> key() {
    return Optional.of(key);
  }

  @Override
  public void close() {
    if (memory != null) {
      memory.close();
      memory = null;
    }
  }
}
