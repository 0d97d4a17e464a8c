package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The first serial port of a machine, which one can have at a time. */
final class SerialConsole implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SerialConsole.class);

  private final Syscalls sys;
  private final String subject;
  private final Path socket;
  private @Nullable Session session;

  SerialConsole(Syscalls sys, String subject, Path socket) {
    this.sys = sys;
    this.subject = subject;
    this.socket = socket;
  }

  /**
   * Takes it.
   *
   * @throws StapesException BUSY where somebody has it; UNAVAILABLE where it cannot be reached
   */
  synchronized Machine.Console open() {
    if (session != null) {
      throw new StapesException(Kind.BUSY, subject, "its console is in use");
    }
    try {
      session = new Session(UnixSocket.connect(sys, socket));
      return session;
    } catch (LinuxException e) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "its console cannot be reached", e);
    }
  }

  private synchronized void over(Session ended) {
    if (session == ended) {
      session = null;
    }
  }

  @Override
  public void close() {
    Session open;
    synchronized (this) {
      open = session;
    }
    if (open != null) {
      open.close();
    }
  }

  private final class Session implements Machine.Console {
    private final InputStream output;
    private final OutputStream input;
    private final AtomicBoolean closed = new AtomicBoolean();

    Session(UnixSocket socket) {
      this.output = socket.fd().duplicate().input();
      this.input = socket.fd().output();
    }

    @Override
    public InputStream output() {
      return output;
    }

    @Override
    public OutputStream input() {
      return input;
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        try (input) {
          output.close();
        } catch (IOException e) {
          LOG.debug("{}: console: {}", subject, e.toString());
        }
        over(this);
      }
    }
  }
}
