package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commands of a process that was killed: they outlive it, and what they make would come after
 * somebody has looked what there is.
 */
final class Stragglers {
  private static final Logger LOG = LoggerFactory.getLogger(Stragglers.class);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long BETWEEN_NANOS = 100_000_000;
  private static final Set<String> PROGRAMS = Set.of("zfs", "zpool");

  /** Commands that this driver changes something with; others may run for ever. */
  private static final Set<String> CHANGES =
      Set.of(
          "clone",
          "create",
          "destroy",
          "export",
          "import",
          "online",
          "promote",
          "receive",
          "rename",
          "rollback",
          "set",
          "snapshot");

  private final PoolContext pool;
  private final DatasetName root;
  private final Duration patience;

  /** Those that work on a pool. */
  Stragglers(PoolContext pool, DatasetName root) {
    this(pool, root, PATIENCE);
  }

  /**
   * The same with less patience.
   *
   * @param patience how long they are waited for, all together
   */
  Stragglers(PoolContext pool, DatasetName root, Duration patience) {
    this.pool = pool;
    this.root = root;
    this.patience = patience;
  }

  /**
   * One that was found.
   *
   * @param process its directory in /proc
   * @param started see {@link ProcessState}
   */
  private record Straggler(Path process, String started) {
    boolean goesOn() {
      return ProcessState.of(process)
          .filter(now -> !now.over() && now.started().equals(started))
          .isPresent();
    }

    @Override
    public String toString() {
      return "process " + process.getFileName();
    }
  }

  /**
   * Waits for their end.
   *
   * @throws StapesException UNAVAILABLE where some do not end, or their zpool has stopped;
   *     INTERRUPTED
   */
  void await() {
    Suspension suspension = Suspension.of(pool.machine());
    long end = System.nanoTime() + patience.toNanos();
    List<Straggler> found = running();
    if (!found.isEmpty()) {
      LOG.info("{}: waits for what others do with {}: {}", pool.subject(), root, found);
    }
    while (!found.isEmpty()) {
      Unkilled.requireGoing(pool.subject(), () -> suspension.of(root.zpool()));
      if (System.nanoTime() - end > 0) {
        throw pool.failure(
            Kind.UNAVAILABLE, "commands of an earlier process still work on it: " + found);
      }
      LockSupport.parkNanos(BETWEEN_NANOS);
      Unkilled.requireNotInterrupted(pool.subject(), "the end of a command");
      found = found.stream().filter(Straggler::goesOn).toList();
      if (found.isEmpty()) {
        found = running();
      }
    }
  }

  private List<Straggler> running() {
    List<Straggler> found = new ArrayList<>();
    Path processes = pool.machine().resolve("proc");
    if (!Files.isDirectory(processes)) {
      return found;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(processes, "[1-9]*")) {
      for (Path entry : entries) {
        straggler(entry).ifPresent(found::add);
      }
      return found;
    } catch (DirectoryIteratorException e) {
      throw pool.failed(Objects.requireNonNull(e.getCause()), processes + ": cannot be listed");
    } catch (IOException e) {
      throw pool.failed(e, processes + ": cannot be listed");
    }
  }

  /** The command lines of the few alone are read that may be one. */
  private Optional<Straggler> straggler(Path entry) {
    return ProcessState.of(entry)
        .filter(state -> !state.over() && PROGRAMS.contains(state.name()))
        .filter(state -> isOurs(command(entry)))
        .map(state -> new Straggler(entry, state.started()));
  }

  /** Of a process that has ended there is none. */
  private static List<String> command(Path entry) {
    try {
      byte[] line = Files.readAllBytes(entry.resolve("cmdline"));
      return List.of(new String(line, StandardCharsets.UTF_8).split("\0", -1));
    } catch (IOException e) {
      return List.of();
    }
  }

  private boolean isOurs(List<String> command) {
    if (command.size() < 2) {
      return false;
    }
    String program = command.get(0).substring(command.get(0).lastIndexOf('/') + 1);
    boolean whole = program.equals("zpool"); // zfs is not given the name of a zpool
    return PROGRAMS.contains(program)
        && CHANGES.contains(command.get(1))
        && command.stream()
            .skip(2)
            .anyMatch(each -> isOurs(each) || (whole && each.equals(root.zpool())));
  }

  private boolean isOurs(String argument) {
    String name = root.text();
    return argument.equals(name)
        || argument.startsWith(name + "/")
        || argument.startsWith(name + "@");
  }
}
