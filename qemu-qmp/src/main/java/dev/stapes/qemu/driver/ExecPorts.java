package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.ChardevInfo;
import dev.stapes.qmp.qemu.QueryChardev;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
  private final Map<Object, Runnable> held = new ConcurrentHashMap<>();
  private final Set<Integer> foreign = new HashSet<>();
  private final Monitor monitor;
  private boolean closed;

  /**
   * Those of a machine.
   *
   * @param directory where the sockets are
   * @param monitor of the emulator
   */
  ExecPorts(Syscalls sys, String subject, Path directory, Monitor monitor) {
    this.sys = sys;
    this.subject = subject;
    this.directory = directory;
    this.monitor = monitor;
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

    /** What QEMU calls the end of it that the host has. */
    String chardev(int slot) {
      return "exec-" + socket(slot);
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
      if (!forgetForeign()) {
        wait();
      }
    }
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "it was let go of");
    }
    int slot = taken.nextClearBit(0);
    taken.set(slot);
    return slot;
  }

  /** Takes the slots that programs of an earlier JVM have, whose ends nobody hears. */
  synchronized void keepForeign() {
    foreign.addAll(openSlots());
    foreign.forEach(taken::set);
  }

  /** The slots of which somebody in the guest has a port open. */
  private Set<Integer> openSlots() {
    Set<String> open =
        monitor.execute(QueryChardev.of()).stream()
            .filter(ChardevInfo::frontendOpen)
            .map(ChardevInfo::label)
            .collect(Collectors.toSet());
    return IntStream.range(0, SLOTS)
        .filter(
            slot -> Stream.of(Role.values()).anyMatch(role -> open.contains(role.chardev(slot))))
        .boxed()
        .collect(Collectors.toSet());
  }

  private boolean forgetForeign() {
    Set<Integer> ended = new HashSet<>(foreign);
    if (!ended.isEmpty()) {
      ended.removeAll(openSlots());
    }
    foreign.removeAll(ended);
    ended.forEach(taken::clear);
    return !ended.isEmpty();
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

  /** Runs something for a program when this is closed. */
  void hold(Object program, Runnable atClose) {
    held.put(program, atClose);
  }

  /** Runs it no more. */
  void letGo(Object program) {
    held.remove(program);
  }

  /** Ends whoever waits for a slot, and lets go of the programs. */
  void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    abandon();
  }

  /** Lets go of the programs, of which no more is heard. */
  void abandon() {
    List.copyOf(held.values()).forEach(Runnable::run);
  }
}
