package dev.stapes.qemu.driver;

import dev.stapes.linux.ffi.CString;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.ShellWords;
import dev.stapes.spi.Tree;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A shell in a guest that does one thing with a file after the other, see files.sh. It is in the
 * guest's hands: with an answer that is none, or with none in time, it ends.
 */
final class GuestShell {
  private static final Logger LOG = LoggerFactory.getLogger(GuestShell.class);
  private static final String SCRIPT = Scripts.read("files.sh");

  /** How much of a file is asked for or sent at once. */
  static final int CHUNK = 512 << 10;

  private static final int LONGEST_PATH = 4096;
  private static final int LONGEST_REPLY = 64 << 20;
  private static final int LONGEST_STATUS = 10_000;
  private static final int FIRST_FILE = 3;
  private static final int LAST_FILE = 8;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration END = Duration.ofSeconds(5);

  private final String subject;
  private final Machine.Exec exec;
  private final Executor behind;
  private final OutputStream requests;
  private final InputStream replies;
  private final BitSet files = new BitSet();
  private int users = 1;
  private volatile boolean broken;

  private GuestShell(String subject, Machine.Exec exec, Executor behind) {
    this.subject = subject;
    this.exec = exec;
    this.behind = behind;
    this.requests = exec.stdin();
    this.replies = new BufferedInputStream(exec.stdout(), 64 << 10);
  }

  /** The program that it is. */
  static List<String> command(Tree.Resolution resolution) {
    String beneath = resolution == Tree.Resolution.BENEATH ? "beneath" : "";
    return List.of("/bin/sh", "-c", SCRIPT, "stapes", beneath);
  }

  /**
   * One that was just started.
   *
   * @param behind where it is ended when nobody uses it any more
   */
  static GuestShell of(String subject, Machine.Exec exec, Executor behind) {
    return of(subject, exec, behind, PATIENCE);
  }

  /** The same with another limit for its first answer. */
  static GuestShell of(String subject, Machine.Exec exec, Executor behind, Duration limit) {
    GuestShell shell = new GuestShell(subject, exec, behind);
    try {
      shell.exchange(subject, limit, shell::reply);
      return shell;
    } catch (StapesException e) {
      shell.kill();
      throw e;
    }
  }

  /** One more user of it. */
  synchronized GuestShell use() {
    users++;
    return this;
  }

  /** One user less; behind the last it ends. */
  void release() {
    synchronized (this) {
      if (--users > 0) {
        return;
      }
    }
    if (broken) {
      return;
    }
    broken = true;
    try {
      requests.close();
      behind.execute(this::finish);
    } catch (IOException | RejectedExecutionException e) {
      LOG.debug("{}: its shell is killed: {}", subject, e.toString());
      kill();
    }
  }

  private void finish() {
    try {
      exec.await(END);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (StapesException e) {
      LOG.debug("{}: {}", subject, e.getMessage());
    } finally {
      exec.close();
    }
  }

  private void kill() {
    broken = true;
    exec.close();
  }

  /** A file's number while it is open; it is to be given back. */
  synchronized int takeFile(String path) {
    int number = files.nextClearBit(FIRST_FILE);
    if (number > LAST_FILE) {
      throw new StapesException(
          Kind.EXHAUSTED, "file " + path, "as many files of the guest are open as can be");
    }
    files.set(number);
    return number;
  }

  synchronized void giveFile(int number) {
    files.clear(number);
  }

  /** Has something done with a path, and returns the answer. */
  byte[] run(String path, String function, String root, Object... words) {
    return run(path, PATIENCE, function, root, words);
  }

  /** The same within another time. */
  byte[] run(String path, Duration limit, String function, String root, Object... words) {
    List<Object> all = new ArrayList<>(List.of(root, path));
    all.addAll(List.of(words));
    byte[] request = request(path, function, all);
    return exchange(
        path,
        limit,
        () -> {
          requests.write(request);
          requests.flush();
          return reply();
        });
  }

  /**
   * Reads from an open file.
   *
   * @param buffer what is read, and zeros behind it; as large as what is asked for
   * @param offset how much has been read of it
   * @return how far the file has been read
   */
  long get(String path, int file, byte[] buffer, long offset) {
    byte[] request = request(path, "get_", List.of(file, buffer.length, offset));
    return exchange(
        path,
        PATIENCE,
        () -> {
          requests.write(request);
          requests.flush();
          int read = replies.readNBytes(buffer, 0, buffer.length);
          if (read < buffer.length) {
            throw new IOException("it has ended");
          }
          long position = number(new String(reply(), StandardCharsets.US_ASCII));
          if (position < offset || position - offset > buffer.length) {
            throw new IOException("it says that it has read to " + position);
          }
          return position;
        });
  }

  /** Writes to an open file. */
  void put(String path, int file, byte[] bytes, int length) {
    byte[] request = request(path, "put_", List.of(file, length));
    exchange(
        path,
        PATIENCE,
        () -> {
          requests.write(request);
          requests.write(bytes, 0, length);
          requests.flush();
          return reply();
        });
  }

  /** Closes a file of it. */
  void shut(String path, int file) {
    byte[] request = request(path, "shut_", List.of(file));
    exchange(
        path,
        PATIENCE,
        () -> {
          requests.write(request);
          requests.flush();
          return reply();
        });
    giveFile(file);
  }

  boolean isBroken() {
    return broken;
  }

  /** A line that the shell evaluates: a newline in it would end it, so there is a variable. */
  private static byte[] request(String path, String function, List<?> words) {
    StringBuilder line = new StringBuilder(function);
    for (Object word : words) {
      String text = word.toString();
      if (text.indexOf('\0') >= 0) {
        throw StapesException.invalid("file " + path, "a NUL character is in no path");
      }
      if (CString.encode(text).length > LONGEST_PATH && !function.equals("set_xattr_")) {
        throw StapesException.invalid("file " + path, "longer than " + LONGEST_PATH + " bytes");
      }
      line.append(' ').append(ShellWords.quote(text).replace("\n", "'\"$_n\"'"));
    }
    return CString.encode(line.append('\n').toString());
  }

  private interface Exchange<T> {
    T run() throws IOException;
  }

  private synchronized <T> T exchange(String path, Duration limit, Exchange<T> body) {
    if (broken) {
      throw new StapesException(Kind.UNAVAILABLE, "file " + path, "the guest's shell has ended");
    }
    CompletableFuture<Boolean> answered = new CompletableFuture<>();
    var unused =
        answered
            .orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete((answer, late) -> endIf(late != null));
    try {
      return body.run();
    } catch (Refusal e) {
      throw e.of(path);
    } catch (IOException e) {
      boolean late = broken;
      kill();
      throw new StapesException(
          late ? Kind.TIMED_OUT : Kind.UNAVAILABLE,
          "file " + path,
          "the guest's shell does not answer as it should: " + e.getMessage(),
          e);
    } finally {
      answered.complete(true);
    }
  }

  private void endIf(boolean late) {
    if (!late) {
      return;
    }
    broken = true;
    try {
      behind.execute(exec::close);
    } catch (RejectedExecutionException e) {
      exec.close();
    }
  }

  private byte[] reply() throws IOException {
    byte[] text = until('\0', LONGEST_REPLY);
    String status = text(until('\n', LONGEST_STATUS));
    if (status.equals("ok")) {
      return text;
    }
    String[] words = status.split(" ", 3);
    if (!words[0].equals("fail") || words.length != 3) {
      throw new IOException("it says " + abbreviated(status));
    }
    throw new Refusal(words[1], words[2]);
  }

  /** Names may be any bytes. */
  static String text(byte[] bytes) {
    return CString.decode(bytes, 0, bytes.length);
  }

  private byte[] until(char end, int most) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int next = replies.read(); next != end; next = replies.read()) {
      if (next < 0) {
        throw new IOException("it has ended");
      }
      if (bytes.size() == most) {
        throw new IOException("it says more than " + most + " bytes");
      }
      bytes.write(next);
    }
    return bytes.toByteArray();
  }

  /** A number that the guest says. */
  static long number(String text) throws IOException {
    if (!text.matches("[0-9]{1,18}")) {
      throw new IOException("no number: " + abbreviated(text));
    }
    return Long.parseLong(text);
  }

  static String abbreviated(String text) {
    return "\"" + (text.length() > 80 ? text.substring(0, 80) + "..." : text) + "\"";
  }

  /** What the guest says that it was not answered with is worth nothing: the shell ends. */
  StapesException unbelievable(String path, IOException e) {
    kill();
    return new StapesException(
        Kind.UNAVAILABLE, "file " + path, "the guest's shell answers " + e.getMessage(), e);
  }

  /** The shell has said why it could not do it. */
  private static final class Refusal extends IOException {
    private static final long serialVersionUID = 1L;
    private final String kind;

    Refusal(String kind, String why) {
      super(why);
      this.kind = kind;
    }

    StapesException of(String path) {
      String why = String.valueOf(getMessage());
      return new StapesException(
          kind(why), "file " + path, why.isEmpty() ? "it is " + kind : end(why), this);
    }

    private static String end(String why) {
      return why.length() > 300 ? "..." + why.substring(why.length() - 300) : why;
    }

    private Kind kind(String why) {
      return switch (kind) {
        case "missing" -> Kind.NOT_FOUND;
        case "exists" -> Kind.CONFLICT;
        case "invalid" -> Kind.INVALID;
        case "denied" -> Kind.DENIED;
        case "unsupported" -> Kind.UNSUPPORTED;
        default -> GuestErrors.kind(why);
      };
    }
  }
}
