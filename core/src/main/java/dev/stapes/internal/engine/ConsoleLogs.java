package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What instances have written to their consoles: drivers write it, this reads and removes it. */
public final class ConsoleLogs implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ConsoleLogs.class);
  private static final int MOST = 16 << 20;

  private final Path directory;
  private final Catalog catalog;
  private final Machines machines;
  private final Background background;
  private final Map<FollowedLog, Object> followed = new ConcurrentHashMap<>();
  private final Set<Object> watched = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  ConsoleLogs(Path directory, Catalog catalog, Machines machines, Background background) {
    this.directory = directory;
    this.catalog = catalog;
    this.machines = machines;
    this.background = background;
  }

  /** The end of the log of an instance. */
  public byte[] read(InstanceId id) {
    Optional<Running> running = running(id);
    try {
      return files(id, running).end(MOST);
    } catch (IOException e) {
      throw unreadable(id, e);
    }
  }

  /** The log of an instance until it ends. */
  public InputStream follow(InstanceId id) {
    Optional<Running> running = running(id);
    try {
      FollowedLog log = new FollowedLog(files(id, running), followed::remove);
      if (running.isPresent()) {
        endWith(running.get().machine(), log);
      } else {
        followed.put(log, id);
        log.end();
      }
      if (closed) {
        close();
      }
      return log;
    } catch (IOException e) {
      throw unreadable(id, e);
    }
  }

  /** Each machine is told once of all that follow it: it forgets nobody before its end. */
  private void endWith(Machine machine, FollowedLog log) {
    boolean first = watched.add(machine);
    followed.put(log, machine);
    if (first) {
      var unused = machine.exit().whenComplete((how, failure) -> ended(machine));
    }
    if (!watched.contains(machine)) {
      log.end();
    }
  }

  private void ended(Machine machine) {
    watched.remove(machine);
    followed.forEach(
        (log, writer) -> {
          if (writer == machine) {
            log.end();
          }
        });
  }

  private static StapesException unreadable(InstanceId id, IOException e) {
    return new StapesException(
        Kind.UNAVAILABLE, "instance " + id, "its log cannot be read: " + e.getMessage(), e);
  }

  /** One that may run out of reach has a log that can be read all the same. */
  private Optional<Running> running(InstanceId id) {
    catalog.require(id);
    return machines.isOutOfReach(id) ? Optional.empty() : machines.find(id);
  }

  private LogFiles files(InstanceId id, Optional<Running> running) {
    return new LogFiles(
        running
            .map(found -> found.machine().consoleLog())
            .orElseGet(() -> Scope.consoleLog(directory, id)));
  }

  /** Removes, behind the caller, the log of an instance that is no more. */
  void discard(InstanceId id) {
    background.execute(() -> remove(directory.resolve(id.value())));
  }

  /** Removes the logs of all others, of which a crash may have left some. */
  void collect(Set<InstanceId> known) {
    Set<String> kept = known.stream().map(InstanceId::value).collect(Collectors.toSet());
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      for (Path each : all) {
        if (!kept.contains(each.getFileName().toString())) {
          remove(each);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.warn("the logs of instances that are no more stay for now", e);
    }
  }

  /** Nothing but what a driver has written: links that somebody put there lead nowhere. */
  private static void remove(Path each) {
    if (!Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    LogFiles files = new LogFiles(each.resolve(Scope.CONSOLE_LOG));
    try {
      for (Path file : List.of(files.current(), files.before(), files.coming(), each)) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      LOG.warn("{} stays for now: {}", each, e.toString());
    }
  }

  /** Ends what is followed. */
  @Override
  public void close() {
    closed = true;
    for (FollowedLog log : List.copyOf(followed.keySet())) {
      try {
        log.close();
      } catch (IOException e) {
        LOG.debug("a log that was followed is not closed", e);
      }
    }
  }
}
