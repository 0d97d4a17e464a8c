package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Transport;
import java.util.Optional;

/**
 * Where a machine that arrives is sent to. One end of each connection is the emulator's that waits
 * for it, the other one is for the emulator that sends it: neither opens one by itself.
 */
interface ArrivalSockets extends AutoCloseable {
  /** Those of a transport. */
  static ArrivalSockets of(
      Transport transport, String subject, Monitor monitor, VmFiles files, Syscalls sys) {
    if (transport instanceof Transport.Tcp tcp) {
      return new TcpArrivalSockets(subject, monitor, sys, tcp.address());
    }
    if (transport instanceof Transport.Local) {
      return new UnixArrivalSockets(files, sys);
    }
    throw new IllegalArgumentException("transport " + transport);
  }

  /** Opens that of the disk, once; the answer are the arguments of {@code nbd-server-start}. */
  ObjectNode listenForDisk();

  /** Opens that of the memory, once; the answer is the argument of {@code migrate-incoming}. */
  String listenForMemory();

  /** The other end of the disk's; the caller closes it. */
  Fd connectDisk();

  /** The other end of the memory's, once; the caller closes it. */
  Fd connectMemory();

  /** What encrypts both; empty: nobody else can reach them. */
  Optional<PreSharedKey> key();

  /** Closes what nobody has. Idempotent. */
  @Override
  void close();
}
