package dev.stapes.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A program of a fake machine, written in Java. */
@FunctionalInterface
public interface FakeProgram {
  /**
   * Runs it, on a thread of its own. A signal interrupts the thread: a program that lets the
   * InterruptedException (or InterruptedIOException) through dies of the signal, one that catches
   * it goes on. Anything else that it throws is written to its standard error, with exit code 1.
   *
   * @return the exit code, 0 to 255
   */
  int run(Call call) throws Exception;

  /** A program that writes a text and succeeds. */
  static FakeProgram printing(String text) {
    return call -> {
      call.print(text);
      return 0;
    };
  }

  /** A program that complains and fails. */
  static FakeProgram failing(int exitCode, String complaint) {
    return call -> {
      call.stderr().write(complaint.getBytes(StandardCharsets.UTF_8));
      return exitCode;
    };
  }

  /**
   * How it was called.
   *
   * @param arguments with its own name at first
   * @param environment all of it
   * @param stdin what it reads
   * @param stdout where it writes
   * @param stderr where it complains
   * @param guest the instance that it runs in; empty on a host
   */
  record Call(
      List<String> arguments,
      Map<String, String> environment,
      InputStream stdin,
      OutputStream stdout,
      OutputStream stderr,
      Optional<FakeGuest> guest) {
    /** Copies. */
    public Call {
      arguments = List.copyOf(arguments);
      environment = Map.copyOf(environment);
    }

    /** Writes a text to its standard output. */
    public void print(String text) throws IOException {
      stdout.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
