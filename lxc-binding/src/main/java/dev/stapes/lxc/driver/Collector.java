package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Machine;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Reads both outputs of a program on one thread. */
final class Collector {
  private static final int CHUNK = 16 << 10;

  private final Syscalls sys;
  private final Source stdout;
  private final Source stderr;
  private final int most;
  private final ByteBuffer buffer = Syscalls.buffer(CHUNK);
  private final byte[] bytes = new byte[CHUNK];

  private static final class Source {
    private final Fd fd;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private boolean ended;

    Source(Fd fd) {
      this.fd = fd;
    }
  }

  /**
   * Nothing is read yet.
   *
   * @param stdout non-blocking
   * @param stderr non-blocking
   * @param most bytes of each
   */
  Collector(Syscalls sys, Fd stdout, Fd stderr, int most) {
    this.sys = sys;
    this.stdout = new Source(stdout);
    this.stderr = new Source(stderr);
    this.most = most;
  }

  /** Reads what there is; false: it is too much. */
  boolean read() {
    return read(stdout) && read(stderr);
  }

  private boolean read(Source source) {
    while (!source.ended) {
      buffer.clear();
      int count;
      try {
        count = source.fd.read(buffer);
      } catch (LinuxException e) {
        if (e.errno() == Errno.EAGAIN) {
          return true;
        }
        throw e;
      }
      if (count < 0) {
        source.ended = true;
      } else {
        buffer.flip().get(bytes, 0, count);
        source.read.write(bytes, 0, count);
        if (source.read.size() > most) {
          return false;
        }
      }
    }
    return true;
  }

  /** Waits so long for more, or for something on other descriptors. */
  void await(int millis, Fd... others) {
    List<Fd> all = new ArrayList<>(List.of(others));
    for (Source source : List.of(stdout, stderr)) {
      if (!source.ended) {
        all.add(source.fd);
      }
    }
    Polls.readable(sys, millis, all.toArray(new Fd[0]));
  }

  /** What was read. */
  Machine.Collected collected(OptionalInt code) {
    return new Machine.Collected(
        code,
        stdout.read.toByteArray(),
        stderr.read.toByteArray(),
        stdout.read.size() > most || stderr.read.size() > most);
  }
}
