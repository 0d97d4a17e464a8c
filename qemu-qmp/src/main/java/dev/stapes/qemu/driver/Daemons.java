package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * The processes that work for a machine beside QEMU. Each has a mark in its environment, by which
 * it is found whoever started it.
 */
final class Daemons {
  private static final String MARK = "STAPES_DAEMON";
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final int SIGKILL = 9;

  private final Host host;
  private final Path proc;
  private final VmFiles files;
  private final String subject;

  Daemons(DriverContext context, VmFiles files, String subject) {
    this.host = context.host();
    this.proc = context.root().proc();
    this.files = files;
    this.subject = subject;
  }

  /**
   * The whole environment of one.
   *
   * @param key which of the machine it is
   */
  Map<String, String> environment(String key) {
    return Map.of(
        "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL", "C", MARK, files.name() + "/" + key);
  }

  /**
   * Ends what is left of them.
   *
   * @param key which; empty: all of the machine
   */
  void end(Optional<String> key) {
    if (!Files.isDirectory(files.shares())) {
      return; // it never had any
    }
    String mark = MARK + "=" + files.name() + "/" + key.orElse("");
    for (long pid : marked(mark, key.isPresent())) {
      try (Processes.Handle process = host.processes().find(pid).orElse(null)) {
        if (process != null) {
          process.signal(SIGKILL);
          process.exit().toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
      } catch (ExecutionException | TimeoutException e) {
        throw new StapesException(Kind.INTERNAL, subject, "daemon " + pid + " does not end", e);
      }
    }
  }

  private List<Long> marked(String mark, boolean whole) {
    List<Long> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(proc, "[1-9]*")) {
      for (Path process : all) {
        if (hasMark(process, mark, whole)) {
          found.add(Long.parseLong(process.getFileName().toString()));
        }
      }
      return found;
    } catch (IOException e) {
      throw IoFailure.of(subject, "its processes", e);
    }
  }

  private static boolean hasMark(Path process, String mark, boolean whole) {
    try {
      String all =
          new String(Files.readAllBytes(process.resolve("environ")), StandardCharsets.UTF_8);
      return isOurs(((Number) Files.getAttribute(process, "unix:uid")).longValue())
          && Stream.of(all.split("\0", -1))
              .anyMatch(each -> whole ? each.equals(mark) : each.startsWith(mark));
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  /** Anybody can give a process of his own any environment. */
  private static boolean isOurs(long user) {
    return user == 0 || UserIds.isTpm(user);
  }
}
