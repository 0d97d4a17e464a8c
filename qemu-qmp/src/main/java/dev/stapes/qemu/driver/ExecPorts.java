package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * The virtio-serial ports by which programs in a guest and this JVM talk, four for each program:
 * what it reads, what it writes to its two outputs, and how it is doing. So the data of one program
 * never waits for that of another one, and an end is an end.
 */
final class ExecPorts {
  /** How many programs can run at once: a virtio-serial device has 31 ports. */
  static final int SLOTS = 7;

  private final Syscalls sys;
  private final String subject;
  private final Path directory;
  private final BitSet taken = new BitSet(SLOTS);
  private boolean closed;

  /**
   * Those of a machine.
   *
   * @param directory where the sockets are
   */
  ExecPorts(Syscalls sys, String subject, Path directory) {
    this.sys = sys;
    this.subject = subject;
    this.directory = directory;
  }

  /** What a port is for. */
  enum Role {
    /** The standard input. */
    IN("in"),
    /** The standard output. */
    OUT("out"),
    /** The standard error. */
    ERR("err"),
    /** How it is doing. */
    STATUS("status");

    private final String text;

    Role(String text) {
      this.text = text;
    }

    /** The name by which the guest finds the port. */
    String port(int slot) {
      return "stapes." + slot + "." + text;
    }

    /** The name of its socket. */
    String socket(int slot) {
      return text + slot;
    }
  }

  /**
   * Takes a slot, waiting for one where all are in use.
   *
   * @return its number
   */
  synchronized int take() throws InterruptedException {
    while (!closed && taken.cardinality() == SLOTS) {
      wait();
    }
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "it was let go of");
    }
    int slot = taken.nextClearBit(0);
    taken.set(slot);
    return slot;
  }

  /** Gives a slot back, of which nobody in the guest has a port open any more. */
  synchronized void give(int slot) {
    taken.clear(slot);
    notifyAll();
  }

  /** Connects to a port of a slot. */
  UnixSocket connect(int slot, Role role) {
    try {
      return UnixSocket.connect(sys, directory.resolve(role.socket(slot)));
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its port " + role.port(slot) + " cannot be reached", e);
    }
  }

  /** Ends whoever waits for a slot. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
