package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commands of a process that was killed: they outlive it, and what they make would come after
 * somebody has looked what there is.
 */
final class Stragglers {
  private static final Logger LOG = LoggerFactory.getLogger(Stragglers.class);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
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
   * Waits for their end.
   *
   * @throws StapesException UNAVAILABLE where some do not end, or their zpool has stopped;
   *     INTERRUPTED
   */
  void await() {
    Suspension suspension = Suspension.of(pool.machine());
    long end = System.nanoTime() + patience.toNanos();
    List<ProcessHandle> found = running();
    while (!found.isEmpty()) {
      LOG.info("{}: waits for what others do with {}: {}", pool.subject(), root, found);
      Unkilled.requireGoing(pool.subject(), () -> suspension.of(root.zpool()));
      for (ProcessHandle each : found) {
        await(each, end);
      }
      found = running();
    }
  }

  private void await(ProcessHandle command, long end) {
    try {
      command.onExit().get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          "a command of an earlier process still works on it: process " + command.pid(),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw pool.failure(Kind.INTERRUPTED, "interrupted while it waited for a command", e);
    } catch (ExecutionException e) {
      throw pool.failure(Kind.INTERNAL, "the end of a command was missed", e);
    }
  }

  private List<ProcessHandle> running() {
    List<ProcessHandle> found = new ArrayList<>();
    Path processes = pool.machine().resolve("proc");
    if (!Files.isDirectory(processes)) {
      return found;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(processes, "[1-9]*")) {
      for (Path entry : entries) {
        if (isOurs(command(entry))) {
          pid(entry).flatMap(ProcessHandle::of).ifPresent(found::add);
        }
      }
      return found;
    } catch (IOException e) {
      throw pool.failed(e, processes + ": cannot be listed");
    }
  }

  private static Optional<Long> pid(Path entry) {
    try {
      return Optional.of(Long.parseLong(String.valueOf(entry.getFileName())));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
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
