package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.Cgroup;
import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends and removes what a container has on the host, whatever state it is in: the same code runs
 * after every end and as the garbage collector.
 */
final class Remains {
  private static final int SIGKILL = 9;
  private static final int ATTEMPTS = 50;
  private static final long BETWEEN_NANOS = 300_000;
  private static final int ROUNDS = 50;
  private static final Duration ROUND = Duration.ofMillis(200);
  private static final List<String> GROUPS = List.of("lxc.payload.", "lxc.monitor.", "lxc.pivot.");

  private Remains() {}

  /** The cgroups that a container may have, by name. */
  static List<String> groups(String container) {
    return GROUPS.stream().map(prefix -> prefix + container).toList();
  }

  /** What cgroup names start with. */
  static List<String> groupPrefixes() {
    return GROUPS;
  }

  /** Kills all processes of a container, its monitor included, and removes everything. */
  static void remove(Host host, CgroupLayout layout, RunFiles files) throws InterruptedException {
    for (String name : groups(files.name())) {
      Cgroup group = layout.group(name);
      if (!removeSoon(group)) {
        end(host, group);
        group.remove(ROUND.multipliedBy(ROUNDS));
      }
    }
    CharacterDevices.remove(host, files);
    try {
      files.remove();
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "container " + files.name(), "its files cannot be removed: " + e, e);
    }
  }

  /**
   * The kernel takes the dead out of their groups a moment after their parent knows of their end.
   */
  private static boolean removeSoon(Cgroup group) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (group.removeIfEmpty()) {
        return true;
      }
      LockSupport.parkNanos(BETWEEN_NANOS);
    }
    return false;
  }

  private static void end(Host host, Cgroup group) throws InterruptedException {
    for (int round = 0; round < ROUNDS; round++) {
      List<Long> left = group.kill();
      for (long pid : left) {
        kill(host, group, pid);
      }
      if (group.awaitEmpty(ROUND)) {
        return;
      }
      if (group.isFrozen()) {
        group.unfreeze();
      }
    }
    throw new StapesException(
        Kind.INTERNAL, "cgroup " + group.name(), "its processes do not end: " + group.processes());
  }

  /** Kills a process if it still is in the group once it can no longer be mistaken for another. */
  private static void kill(Host host, Cgroup group, long pid) {
    Optional<Processes.Handle> found = host.processes().find(pid);
    if (found.isPresent()) {
      try (Processes.Handle process = found.get()) {
        if (group.processes().contains(pid)) {
          process.signal(SIGKILL);
        }
      }
    }
  }
}
