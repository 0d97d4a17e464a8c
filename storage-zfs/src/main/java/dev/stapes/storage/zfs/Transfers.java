package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Processes.Stdio;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The programs that read or write streams for a pool; they end when it is closed. */
final class Transfers {
  private final Host host;
  private final String subject;
  private final Set<PipedProgram> running = new HashSet<>();
  private boolean closed;

  Transfers(Host host, String subject) {
    this.host = host;
    this.subject = subject;
  }

  /** Starts a program that reads a stream. */
  PipedProgram reading(List<String> command) {
    return start(command, Stdio.pipe(), Stdio.none());
  }

  /** Starts a program that writes a stream. */
  PipedProgram writing(List<String> command) {
    return start(command, Stdio.none(), Stdio.pipe());
  }

  private synchronized PipedProgram start(List<String> command, Stdio in, Stdio out) {
    ensureOpen();
    String name = "program " + command.get(0);
    Path program =
        host.programs()
            .find(command.get(0))
            .orElseThrow(() -> new StapesException(Kind.UNAVAILABLE, name, "not found on PATH"));
    List<String> arguments = new ArrayList<>(command);
    arguments.set(0, program.toString());
    Processes.Start start =
        Processes.Start.of(arguments, Map.of("LC_ALL", "C"))
            .streams(in, out, Stdio.pipe())
            .dyingWithHost();
    PipedProgram started = new PipedProgram(host.processes().start(start), name, this::forget);
    running.add(started);
    return started;
  }

  /** Waits for the end of a program, and says what its complaint means. */
  void await(PipedProgram program) {
    try {
      program.await();
    } catch (StapesException e) {
      ensureOpen();
      throw ZfsFailure.of(e, subject);
    }
  }

  private synchronized void ensureOpen() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "closed");
    }
  }

  private synchronized void forget(PipedProgram program) {
    running.remove(program);
  }

  /** Kills them; who awaits one is told that the pool is closed. */
  synchronized void close() {
    closed = true;
    running.forEach(PipedProgram::kill);
  }
}
