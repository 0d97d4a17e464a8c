package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * What a container says about one program: {@code p GROUP}, {@code x CODE} or {@code f}, a line
 * each. Whoever is root inside may say anything; at worst this program seems to have ended.
 */
final class ProgramStatus {
  private static final int MOST = 64;
  private static final int KILLED = 137;
  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");

  private final StringBuilder said = new StringBuilder();
  private final ByteBuffer buffer = Syscalls.buffer(MOST);
  private OptionalLong group = OptionalLong.empty();
  private OptionalInt code = OptionalInt.empty();
  private boolean started;
  private boolean refused;
  private int lastSignal;

  /** Takes in what has been said by now; the end of the file is the end of the program. */
  synchronized void read(Fd status) {
    if (code.isPresent()) {
      return;
    }
    try {
      buffer.clear();
      int count = status.read(buffer);
      if (count < 0) {
        end(lastSignal == 0 ? KILLED : 128 + lastSignal);
        return;
      }
      buffer.flip();
      said.append(StandardCharsets.ISO_8859_1.decode(buffer));
    } catch (LinuxException e) {
      if (e.errno() != Errno.EAGAIN) {
        throw e;
      }
      return;
    }
    for (int end = said.indexOf("\n"); end >= 0; end = said.indexOf("\n")) {
      line(said.substring(0, end));
      said.delete(0, end + 1);
    }
    if (said.length() > MOST) {
      end(KILLED); // nothing that our script would say
    }
  }

  private void line(String line) {
    if (line.equals("f")) {
      refused = true;
      end(KILLED);
    } else if (line.startsWith("p ") && !started) {
      started = true;
      group = number(line);
    } else if (line.startsWith("x ")) {
      OptionalLong number = number(line);
      end(number.isPresent() ? (int) (number.getAsLong() & 0xff) : KILLED);
    }
  }

  private static OptionalLong number(String line) {
    String digits = line.substring(2);
    return NUMBER.matcher(digits).matches()
        ? OptionalLong.of(Long.parseLong(digits))
        : OptionalLong.empty();
  }

  private void end(int exitCode) {
    if (code.isEmpty()) {
      code = OptionalInt.of(exitCode);
    }
  }

  /** Whether the program's streams are open. */
  synchronized boolean isStarted() {
    return started;
  }

  /** Whether the container could not start another process. */
  synchronized boolean isRefused() {
    return refused;
  }

  /** The exit code; empty: it runs. */
  synchronized OptionalInt code() {
    return code;
  }

  /** The process group in the container. */
  synchronized OptionalLong group() {
    return group;
  }

  /** Notes a signal that was sent, in case that it ends all that could tell. */
  synchronized void signalled(int number) {
    lastSignal = number;
  }
}
