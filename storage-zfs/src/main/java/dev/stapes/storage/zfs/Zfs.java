package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs {@code zfs} and {@code zpool}, a method for each command line. Names of datasets and
 * snapshots come as types that were checked, and behind the options.
 */
final class Zfs {
  /** What a single argument may have is 128 KiB (MAX_ARG_STRLEN of Linux). */
  private static final int ARGUMENT_LIMIT = 100_000;

  /** Errors that do not say whether a command was done. */
  private static final Set<Kind> UNCLEAR = Set.of(Kind.INTERNAL, Kind.INTERRUPTED, Kind.TIMED_OUT);

  private static final Logger LOG = LoggerFactory.getLogger(Zfs.class);

  private final Host.Programs programs;
  private final String subject;
  private final Runnable failed;

  /**
   * The programs of a host.
   *
   * @param subject for errors
   * @param failed done when a command that changes something failed: nobody knows how far it came
   */
  Zfs(Host.Programs programs, String subject, Runnable failed) {
    this.programs = programs;
    this.subject = subject;
    this.failed = failed;
  }

  /** The same for somebody who keeps nothing in mind. */
  Zfs(Host.Programs programs, String subject) {
    this(programs, subject, () -> {});
  }

  /** All datasets and snapshots from one on. */
  List<Entry> entries(DatasetName root) {
    return Entry.parse(
        ask(
            "zfs",
            "list",
            "-H",
            "-p",
            "-t",
            "filesystem,snapshot",
            "-o",
            Entry.COLUMNS,
            "-r",
            root.text()));
  }

  /**
   * The snapshots from a dataset on that are one and the same, wherever they were made.
   *
   * @param guid unsigned
   */
  List<Place> snapshots(DatasetName root, long guid) {
    String output =
        ask("zfs", "list", "-H", "-p", "-t", "snapshot", "-o", "guid,name", "-r", root.text());
    String wanted = Long.toUnsignedString(guid);
    return ZfsTable.rows(output, 2).stream()
        .filter(row -> row.get(0).equals(wanted))
        .flatMap(row -> Place.parse(row.get(1)).stream())
        .toList();
  }

  /**
   * The command that writes a snapshot to its output, in the records that are on the disk: as they
   * were compressed, and large ones whole.
   */
  static List<String> send(Place snapshot, Optional<Place> base) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "send", "-L", "-c"));
    base.ifPresent(from -> arguments.addAll(List.of("-i", from.toString())));
    arguments.add(snapshot.toString());
    return arguments;
  }

  /** The command that makes a snapshot of a new dataset of its input, and mounts nothing. */
  static List<String> receive(Place snapshot, Optional<Place> base) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "receive", "-u"));
    base.ifPresent(from -> arguments.addAll(List.of("-o", "origin=" + from)));
    arguments.add(snapshot.toString());
    return arguments;
  }

  /** Some properties of a dataset or snapshot, in their order. */
  List<String> properties(String name, List<String> wanted) {
    String output =
        ask("zfs", "list", "-H", "-p", "-t", "all", "-o", String.join(",", wanted), name);
    return ZfsTable.row(output, wanted.size());
  }

  /** Some properties of a pool, in their order. */
  List<String> poolProperties(String zpool, List<String> wanted) {
    String output = ask("zpool", "list", "-H", "-p", "-o", String.join(",", wanted), zpool);
    return ZfsTable.row(output, wanted.size());
  }

  /** Makes a zpool of one file or device, an absolute path, which the machine does not remember. */
  void createPool(DatasetName zpool, String vdev) {
    change(
        List.of(
            "zpool",
            "create",
            "-m",
            "none",
            "-o",
            "cachefile=none",
            "-o",
            "ashift=12",
            "-o",
            "autotrim=on",
            zpool.text(),
            vdev));
  }

  /** Makes a zpool known to the machine that it has on one file or device, an absolute path. */
  void importPool(String zpool, String vdev) {
    change("zpool", "import", "-N", "-o", "cachefile=none", "-d", vdev, zpool);
  }

  /** Makes a dataset. */
  void create(DatasetName dataset, Map<String, String> properties) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "create"));
    properties.forEach((name, value) -> arguments.addAll(List.of("-o", name + "=" + value)));
    arguments.add(dataset.text());
    make(Place.of(dataset), arguments);
  }

  /** Takes snapshots, all of one moment. */
  void snapshot(List<Place> snapshots) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "snapshot"));
    snapshots.forEach(snapshot -> arguments.add(snapshot.toString()));
    make(snapshots.get(0), arguments);
  }

  /** Makes a dataset of a snapshot. */
  void clone(Place snapshot, DatasetName dataset) {
    make(Place.of(dataset), List.of("zfs", "clone", snapshot.toString(), dataset.text()));
  }

  /** Gives a dataset or snapshot another name; nothing is unmounted for that. */
  void rename(Place from, Place to) {
    make(to, List.of("zfs", "rename", from.toString(), to.toString()));
  }

  /** Exchanges a clone with what it is a clone of. */
  void promote(DatasetName clone) {
    change("zfs", "promote", clone.text());
  }

  /** Takes a dataset back to its newest snapshot. */
  void rollback(Place snapshot) {
    change("zfs", "rollback", snapshot.toString());
  }

  /** Destroys a dataset that has no snapshots. */
  void destroy(DatasetName dataset) {
    change("zfs", "destroy", dataset.text());
  }

  /** Destroys a dataset and all below, but nothing elsewhere that was cloned from it. */
  void destroyAll(DatasetName dataset) {
    change("zfs", "destroy", "-r", dataset.text());
  }

  /** Destroys snapshots of a dataset, those with clones when the last of these is gone. */
  void destroySnapshots(DatasetName dataset, List<String> components) {
    StringBuilder names = new StringBuilder();
    for (String component : components) {
      dataset.snapshot(component); // checks it
      if (names.length() + component.length() > ARGUMENT_LIMIT) {
        change("zfs", "destroy", "-d", dataset.text() + "@" + names);
        names.setLength(0);
      }
      names.append(names.isEmpty() ? "" : ",").append(component);
    }
    change("zfs", "destroy", "-d", dataset.text() + "@" + names);
  }

  /** Sets a property, of which the value is ours. */
  void set(DatasetName dataset, String property, String value) {
    change("zfs", "set", property + "=" + value, dataset.text());
  }

  /** Waits until a pool has written down what was written to it. */
  void sync(String zpool) {
    change("zpool", "sync", zpool);
  }

  /** Waits until a pool has freed what was destroyed. */
  void awaitFreed(String zpool, Duration limit) {
    run(Command.of("zpool", "wait", "-t", "free", zpool).timeout(limit));
  }

  /** Runs a command that changes something. */
  void change(String... arguments) {
    change(List.of(arguments));
  }

  private void change(List<String> arguments) {
    try {
      run(Command.of(arguments.toArray(new String[0])));
    } catch (RuntimeException e) {
      failed.run();
      throw e;
    }
  }

  /** Runs a command whose result is a name; one that failed although it is there was done. */
  private void make(Place result, List<String> arguments) {
    try {
      change(arguments);
    } catch (StapesException e) {
      if (!UNCLEAR.contains(e.kind()) || !isThere(result, e)) {
        throw e;
      }
      LOG.info("{}: done nevertheless: {}", subject, e.getMessage());
    }
  }

  /** Looks, also for somebody who is interrupted. */
  private boolean isThere(Place place, StapesException reason) {
    boolean interrupted = Thread.interrupted();
    try {
      ask("zfs", "list", "-H", "-o", "name", place.toString());
      return true;
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        reason.addSuppressed(e);
      }
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private String ask(String... arguments) {
    return run(Command.of(arguments));
  }

  private String run(Command command) {
    try {
      return programs.run(command).stdout();
    } catch (StapesException e) {
      throw ZfsFailure.of(e, subject);
    }
  }
}
