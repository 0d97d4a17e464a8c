package dev.stapes.spi;

import dev.stapes.model.ExecSpec.TerminalSize;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;

/**
 * Starts programs that go on. They are started without forking the JVM, in the host's mount
 * namespace, with no descriptor but 0, 1 and 2, with default signal handlers, an empty signal mask
 * and a session of their own.
 */
public interface Processes {
  /** Starts a program. */
  Child start(Start start);

  /**
   * Takes hold of a process that somebody else started.
   *
   * @return empty where there is no such process
   */
  Optional<Handle> find(long pid);

  /**
   * A program to start.
   *
   * @param arguments program as an absolute path, and arguments; copied
   * @param environment the whole of it; copied
   * @param stdin where it reads
   * @param stdout where it writes
   * @param stderr where it complains
   * @param terminal with a new pseudo terminal as standard input, output and error, instead of the
   *     three above
   * @param dieWithHost whether it gets SIGKILL when this host is closed or the JVM ends in any way
   */
  record Start(
      List<String> arguments,
      SortedMap<String, String> environment,
      Stdio stdin,
      Stdio stdout,
      Stdio stderr,
      Optional<TerminalSize> terminal,
      boolean dieWithHost) {
    /** Copies. */
    public Start {
      arguments = List.copyOf(arguments);
      environment = Collections.unmodifiableSortedMap(new TreeMap<>(environment));
    }

    /** With nothing on the three streams, and a life of its own. */
    public static Start of(List<String> arguments, Map<String, String> environment) {
      return new Start(
          arguments,
          new TreeMap<>(environment),
          Stdio.none(),
          Stdio.none(),
          Stdio.none(),
          Optional.empty(),
          false);
    }

    /** The same with other streams. */
    public Start streams(Stdio in, Stdio out, Stdio err) {
      return new Start(arguments, environment, in, out, err, terminal, dieWithHost);
    }

    /** The same on a new terminal. */
    public Start terminal(TerminalSize size) {
      return new Start(
          arguments, environment, stdin, stdout, stderr, Optional.of(size), dieWithHost);
    }

    /** The same, killed with this host. */
    public Start dyingWithHost() {
      return new Start(arguments, environment, stdin, stdout, stderr, terminal, true);
    }
  }

  /** One of the three standard streams. */
  sealed interface Stdio {
    /** {@code /dev/null}. */
    record None() implements Stdio {}

    /** A pipe to this JVM. */
    record Pipe() implements Stdio {}

    /**
     * A file: read, or appended to and created with mode 0600.
     *
     * @param path in the host's mount namespace
     */
    record File(Path path) implements Stdio {}

    /**
     * As input alone: a file that is read and written past the kernel's memory of files, open(2)
     * with O_DIRECT.
     *
     * @param path in the host's mount namespace
     */
    record DirectFile(Path path) implements Stdio {}

    /** {@code /dev/null}. */
    static Stdio none() {
      return new None();
    }

    /** A pipe to this JVM. */
    static Stdio pipe() {
      return new Pipe();
    }

    /** A file. */
    static Stdio file(Path path) {
      return new File(path);
    }
  }

  /** A process that cannot be mistaken for another one (a pidfd, pidfd_open(2)). */
  interface Handle extends AutoCloseable {
    /** Its pid in the host's pid namespace. */
    long pid();

    /** Sends a signal by number; does nothing where the process has ended. */
    void signal(int number);

    /** Whether it has not ended. */
    boolean isAlive();

    /**
     * Completes when it has ended; for a child with its exit code (128 + n for signal n), else -1.
     */
    CompletionStage<Integer> exit();

    /** Lets go of it; the process goes on. */
    @Override
    void close();
  }

  /** A process that this host started. */
  interface Child extends Handle {
    /** Writes to its pipe or terminal; a stream that refuses where it has neither. */
    OutputStream stdin();

    /** Reads from its pipe or terminal; empty where it has neither. */
    InputStream stdout();

    /** Reads from its pipe; empty where it has none. */
    InputStream stderr();

    /** Changes the size of its terminal; does nothing without one. */
    void resize(TerminalSize size);
  }
}
