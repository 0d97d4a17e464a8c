package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A program that the agent runs. No thread serves it: whoever reads or waits polls its status along
 * with what he is after.
 */
final class Program implements Machine.Exec {
  private static final int SIGKILL = 9;
  private static final int INTERRUPT_CHECK_MILLIS = 50;
  private static final int CHUNK = 64 << 10;

  private final Syscalls sys;
  private final Agent agent;
  private final ExecFiles files;
  private final Optional<ContainerTerminal> terminal;
  private final ProgramStatus status;
  private final OutputStream input;
  private final OutputStream stdin;
  private final InputStream stdout;
  private final InputStream stderr;
  private final Pipe wake;

  /** Held for reading by everybody who uses a descriptor, for writing by who closes them. */
  private final ReentrantReadWriteLock descriptors = new ReentrantReadWriteLock();

  private volatile boolean closed;

  Program(
      Syscalls sys,
      Agent agent,
      ExecFiles files,
      Optional<ContainerTerminal> terminal,
      ProgramStatus status) {
    this.sys = sys;
    this.agent = agent;
    this.files = files;
    this.terminal = terminal;
    this.status = status;
    this.wake = Pipe.open(sys);
    try {
      if (terminal.isPresent()) {
        Fd master = terminal.get().master();
        input = output(master.duplicate());
        stdin = new TerminalInput(input);
        stdout = new Output(master);
        stderr = InputStream.nullInputStream();
      } else {
        input = files.takeInput().map(Program::output).orElseGet(NobodyReads::new);
        stdin = input;
        stdout = new Output(files.output().orElseThrow());
        stderr = new Output(files.errors().orElseThrow());
      }
    } catch (RuntimeException e) {
      wake.close();
      throw e;
    }
  }

  private static OutputStream output(Fd fd) {
    try {
      return fd.output();
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  @Override
  public OutputStream stdin() {
    return stdin;
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public OptionalInt await(Duration limit) throws InterruptedException {
    long deadline = deadline(limit);
    while (true) {
      if (Thread.interrupted()) {
        throw new InterruptedException("while a program runs");
      }
      long left = millisTo(deadline);
      if (hasEnded((int) Math.max(0, Math.min(INTERRUPT_CHECK_MILLIS, left)))) {
        return status.code();
      }
      if (left <= 0) {
        return OptionalInt.empty();
      }
    }
  }

  private static long deadline(Duration limit) {
    boolean endless = limit.compareTo(Duration.ofDays(10_000)) > 0;
    return System.nanoTime() + (endless ? Long.MAX_VALUE / 2 : limit.toNanos());
  }

  /** Rounded up. */
  private static long millisTo(long deadline) {
    return TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime() + 999_999);
  }

  @Override
  public Optional<Machine.Collected> collect(int most, Duration limit) throws InterruptedException {
    if (terminal.isPresent()) {
      return Optional.empty();
    }
    closeInput();
    Collector collector =
        new Collector(sys, files.output().orElseThrow(), files.errors().orElseThrow(), most);
    long deadline = deadline(limit);
    while (true) {
      if (Thread.interrupted()) {
        throw new InterruptedException("while a program runs");
      }
      long left = millisTo(deadline);
      boolean all = hasCollected(collector, (int) Math.min(INTERRUPT_CHECK_MILLIS, left));
      if (all || (left <= 0 && status.code().isEmpty())) {
        return Optional.of(collector.collected(status.code()));
      }
    }
  }

  /** Reads what there is, waiting so long for more; whether that is all. */
  private boolean hasCollected(Collector collector, int millis) {
    descriptors.readLock().lock();
    try {
      if (closed) {
        throw new StapesException(
            StapesException.Kind.UNAVAILABLE, "exec", "the program was closed");
      }
      // Asked before the reading: what it wrote before its end is then there to be read.
      boolean ended = status.code().isPresent();
      if (!collector.read() || ended) {
        return true;
      }
      if (millis > 0) {
        collector.await(millis, files.status(), wake.read());
        status.read(files.status());
      }
      return false;
    } finally {
      descriptors.readLock().unlock();
    }
  }

  /** Waits so long for its end. */
  private boolean hasEnded(int millis) {
    descriptors.readLock().lock();
    try {
      if (status.code().isPresent()) {
        return true;
      }
      if (closed) {
        throw new StapesException(
            StapesException.Kind.UNAVAILABLE, "exec", "the program was closed");
      }
      Polls.readable(sys, millis, files.status(), wake.read());
      if (!closed) {
        status.read(files.status());
      }
      return status.code().isPresent();
    } finally {
      descriptors.readLock().unlock();
    }
  }

  @Override
  public void signal(int number) {
    if (number < 1 || number > 64) {
      throw new IllegalArgumentException("not a signal: " + number);
    }
    if (closed || hasEnded(0)) {
      return;
    }
    send(number);
  }

  private void send(int number) {
    status.signalled(number);
    status.group().ifPresent(group -> agent.signal(number, group));
  }

  @Override
  public void resize(TerminalSize size) {
    descriptors.readLock().lock();
    try {
      if (!closed) {
        terminal.ifPresent(console -> console.resize(sys, size));
      }
    } finally {
      descriptors.readLock().unlock();
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      if (!hasEnded(0)) {
        send(SIGKILL);
      }
      closed = true;
    }
    wake.write().close(); // who waits finds the other end hung up
    closeInput();
    descriptors.writeLock().lock();
    try (wake) {
      terminal.ifPresent(ContainerTerminal::close);
      files.close();
    } finally {
      descriptors.writeLock().unlock();
    }
  }

  /**
   * Ends a write that is under way, too. A terminal is told no end of its input any more: that
   * would be one more write to wait for.
   */
  private void closeInput() {
    try {
      input.close();
    } catch (IOException e) {
      // Nobody reads what was still to be written; the program is being ended.
    }
  }

  /** What the program writes; ends with the program even if a child of it keeps the other end. */
  private final class Output extends InputStream {
    private final Fd fd;
    private @Nullable ByteBuffer buffer; // many a program has its output collected
    private final ReentrantLock one = new ReentrantLock();

    Output(Fd fd) {
      this.fd = fd;
    }

    @Override
    public int read() throws IOException {
      byte[] single = new byte[1];
      return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, bytes.length);
      if (length == 0) {
        return 0;
      }
      one.lock();
      try {
        descriptors.readLock().lock();
        try {
          ByteBuffer chunk = buffer();
          int count = some(chunk, Math.min(length, CHUNK));
          if (count > 0) {
            chunk.flip().get(bytes, offset, count);
          }
          return count;
        } finally {
          descriptors.readLock().unlock();
        }
      } catch (LinuxException e) {
        throw new IOException(e.getMessage(), e);
      } finally {
        one.unlock();
      }
    }

    private ByteBuffer buffer() {
      ByteBuffer made = buffer;
      if (made == null) {
        made = Syscalls.buffer(CHUNK);
        buffer = made;
      }
      return made;
    }

    private int some(ByteBuffer chunk, int length) throws IOException {
      while (true) {
        if (closed) {
          throw new IOException("the program was closed");
        }
        // Asked before the read: what it wrote before its end is then there to be read.
        boolean ended = status.code().isPresent();
        chunk.clear().limit(length);
        try {
          return fd.read(chunk);
        } catch (LinuxException e) {
          if (e.errno() == Errno.EIO) {
            return -1; // a terminal that nobody has open any more
          }
          if (e.errno() != Errno.EAGAIN) {
            throw e;
          }
        }
        if (ended) {
          return -1;
        }
        Polls.readable(sys, -1, fd, files.status(), wake.read());
        if (!closed) {
          status.read(files.status());
        }
      }
    }
  }

  /** A terminal has no end of file; the character that says so is sent instead. */
  private static final class TerminalInput extends OutputStream {
    private static final int END_OF_TRANSMISSION = 4;
    private final OutputStream master;
    private boolean ended;

    TerminalInput(OutputStream master) {
      this.master = master;
    }

    @Override
    public void write(int b) throws IOException {
      master.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      master.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      if (!ended) {
        ended = true;
        try (master) {
          master.write(END_OF_TRANSMISSION);
        }
      }
    }
  }

  /** The input of a program that has none, or has closed it already. */
  private static final class NobodyReads extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      throw new IOException("the program does not read its input");
    }
  }
}
