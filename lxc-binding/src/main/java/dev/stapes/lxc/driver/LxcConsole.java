package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.lxc.ffi.ContainerCalls.Terminal;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The console of a container: its terminal while somebody wants it. */
final class LxcConsole implements Machine.Console {
  /**
   * How long the monitor may take to read what was typed. A terminal that is given back with
   * something unread makes liblxc's monitor end, and the container with it: it frees the terminal,
   * and then reads from it what the same epoll_wait(2) has told of.
   */
  private static final long READ_NANOS = 50_000_000;

  private final Syscalls sys;
  private final ContainerAccess container;
  private @Nullable Attached attached;
  private volatile Optional<Long> typedAt = Optional.empty();
  private boolean closed;

  LxcConsole(Syscalls sys, ContainerAccess container) {
    this.sys = sys;
    this.container = container;
  }

  /** The terminal in our hands. */
  record Attached(Fd keeper, InputStream output, OutputStream input) {
    /** Takes over what liblxc gave, or closes it. */
    static Attached of(Syscalls sys, Terminal terminal) {
      Fd keeper = Fd.adopt(sys, terminal.keeper(), "console keeper");
      Fd master = Fd.adopt(sys, terminal.master(), "console");
      try {
        Fd writer = master.duplicate();
        try {
          return new Attached(keeper, master.input(), writer.output());
        } catch (RuntimeException e) {
          writer.close();
          throw e;
        }
      } catch (RuntimeException e) {
        master.close();
        keeper.close();
        throw e;
      }
    }
  }

  @Override
  public InputStream output() {
    return attach().output();
  }

  @Override
  public OutputStream input() {
    return new Typing(attach().input());
  }

  private final class Typing extends FilterOutputStream {
    Typing(OutputStream terminal) {
      super(terminal);
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } finally {
        typedAt = Optional.of(System.nanoTime()); // some of it may have gone
      }
    }
  }

  /** Also when interrupted: that is no reason to end the container. */
  private void awaitRead() {
    boolean interrupted = Thread.interrupted();
    long until = typedAt.map(at -> at + READ_NANOS).orElseGet(System::nanoTime);
    for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
      LockSupport.parkNanos(left);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized Attached attach() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, "console", "was closed");
    }
    if (attached == null) {
      try (ContainerCalls calls = container.calls()) {
        Terminal terminal =
            calls
                .terminal(OptionalInt.of(0))
                .orElseThrow(
                    () ->
                        new StapesException(
                            Kind.BUSY,
                            "console",
                            "somebody else has it, or the instance has ended"));
        attached = Attached.of(sys, terminal);
      }
    }
    return attached;
  }

  @Override
  public synchronized void close() {
    closed = true;
    Attached held = attached;
    attached = null;
    if (held != null) {
      awaitRead();
      try (Fd keeper = held.keeper();
          InputStream output = held.output()) {
        held.input().close();
      } catch (IOException e) {
        throw new StapesException(Kind.UNAVAILABLE, "console", "cannot be closed: " + e, e);
      }
    }
  }
}
