package dev.stapes.storage.zfs;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs {@code zfs} and {@code zpool}, a method for each command line, and calls of the
 * library below them for what is done often. Names of datasets and snapshots come as types that
 * were checked, and behind the options.
 */
final class Zfs {
  /** What a single argument may have is 128 KiB (MAX_ARG_STRLEN of Linux). */
  private static final int ARGUMENT_LIMIT = 100_000;

  private static final String TOKEN = "receive_resume_token";

  /** For the removal of what somebody may look at for a moment. */
  private static final int ATTEMPTS = 25;

  private static final long BETWEEN_NANOS = 200_000_000;

  private static final Logger LOG = LoggerFactory.getLogger(Zfs.class);

  private final String subject;
  private final Commands commands;

  /**
   * The programs that a pool needs.
   *
   * @param failed done when a command that changes something failed: nobody knows how far it came;
   *     and again when one that nobody waits for any more has ended
   */
  Zfs(PoolContext pool, Runnable failed) {
    this.subject = pool.subject();
    this.commands = new Commands(pool, failed);
  }

  /** The same for somebody who keeps nothing in mind. */
  Zfs(PoolContext pool) {
    this(pool, () -> {});
  }

  /** All datasets and snapshots from one on. */
  List<Entry> entries(DatasetName root) {
    return commands.list(
        Entry.COUNT,
        Entry::parse,
        "-t",
        "filesystem,volume,snapshot",
        "-o",
        Entry.COLUMNS,
        "-r",
        root.text());
  }

  /**
   * The snapshots from a dataset on that are one and the same, wherever they were made.
   *
   * @param guid unsigned
   */
  List<Place> snapshots(DatasetName root, long guid) {
    String wanted = Long.toUnsignedString(guid);
    return commands.list(
        2,
        row -> row.get(0).equals(wanted) ? Place.parse(row.get(1)) : Optional.empty(),
        "-t",
        "snapshot",
        "-o",
        "guid,name",
        "-r",
        root.text());
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

  /**
   * The command that writes what is missing of a snapshot.
   *
   * @param token of which the numbers are taken
   */
  static List<String> sendRest(ResumeToken token, Place snapshot) {
    return List.of("zfs", "send", "-t", token.of(snapshot));
  }

  /** The same as {@link #receive}, or the rest of it; what came of a stream that broke is kept. */
  static List<String> receiveKeeping(Place snapshot, Optional<Place> base) {
    List<String> arguments = new ArrayList<>(receive(snapshot, base));
    arguments.add(2, "-s");
    return arguments;
  }

  /** The token for the rest of what a dataset was to receive; empty where it has none. */
  Optional<String> token(DatasetName dataset) {
    try {
      String token = properties(dataset.text(), List.of(TOKEN)).get(0);
      return token.equals("-") ? Optional.empty() : Optional.of(token);
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      return Optional.empty();
    }
  }

  /**
   * When a dataset was made that waits for no stream, as {@link Entry#created}; empty for one that
   * waits, and where there is none.
   */
  Optional<Long> madeWhole(DatasetName dataset) {
    try {
      List<String> known = properties(dataset.text(), List.of("createtxg", TOKEN));
      return known.get(1).equals("-")
          ? Optional.of(ZfsTable.number(known.get(0)))
          : Optional.empty();
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      return Optional.empty();
    }
  }

  /** Whether there is a dataset of a name. */
  boolean exists(DatasetName dataset) {
    try {
      return !properties(dataset.text(), List.of("name")).isEmpty();
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      return false;
    }
  }

  /** The datasets just below one that wait for the rest of a stream. */
  List<DatasetName> unfinished(DatasetName root) {
    return commands.list(
        2,
        row ->
            row.get(1).equals("-") ? Optional.empty() : Place.parse(row.get(0)).map(Place::dataset),
        "-t",
        "filesystem,volume",
        "-o",
        "name," + TOKEN,
        "-d",
        "1",
        root.text());
  }

  /** What names a snapshot and all that were received as it; unsigned. */
  long guid(Place snapshot) {
    return Long.parseUnsignedLong(properties(snapshot.toString(), List.of("guid")).get(0));
  }

  /** Some properties of a dataset or snapshot, in their order. */
  List<String> properties(String name, List<String> wanted) {
    String columns = String.join(",", wanted);
    return ZfsTable.row(
        commands.question("zfs", "list", "-H", "-p", "-t", "all", "-o", columns, name),
        wanted.size());
  }

  /** The bytes of a zvol, or of a snapshot of one. */
  long blocks(Place place) {
    return ZfsTable.number(properties(place.toString(), List.of("volsize")).get(0));
  }

  /** Some properties of a pool, in their order. */
  List<String> poolProperties(String zpool, List<String> wanted) {
    String output =
        commands.ask("zpool", "list", "-H", "-p", "-o", String.join(",", wanted), zpool);
    return ZfsTable.row(output, wanted.size());
  }

  /**
   * Makes a zpool of one file or device, which the machine does not remember. Where it cannot write
   * any more, writers fail and need not wait for somebody who makes room.
   *
   * @param vdev an absolute path
   * @param mark that it bears from its first moment
   */
  void createPool(DatasetName zpool, String vdev, PoolMark mark) {
    commands.change(
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
            "-o",
            "failmode=continue",
            "-O",
            PoolMark.PROPERTY + "=" + mark.id(),
            zpool.text(),
            vdev));
  }

  /** The files or devices that an imported zpool is made of. */
  List<Path> vdevs(String zpool) {
    return paths(commands.ask("zpool", "list", "-v", "-H", "-P", "-L", zpool));
  }

  /** Those of all imported zpools. */
  List<Path> vdevs() {
    return paths(commands.ask("zpool", "list", "-v", "-H", "-P", "-L"));
  }

  /** What zpool-import(8) tells of the zpools on a file or device, an absolute path. */
  String importable(String vdev) {
    try {
      return commands.ask("zpool", "import", "-d", vdev);
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return "";
      }
      throw e;
    }
  }

  /** The files and devices in what {@code zpool list -v -H -P} wrote. */
  static List<Path> paths(String output) {
    return output
        .lines()
        .filter(line -> line.startsWith("\t/"))
        .map(line -> Path.of(line.substring(1).split("\t", 2)[0]))
        .toList();
  }

  /** Lets a zpool go on that could not write; one that can is left alone. */
  void goOn(String zpool) {
    commands.goOn(zpool);
  }

  /** Makes a zpool known to the machine that it has on one file or device, an absolute path. */
  void importPool(String zpool, String vdev) {
    commands.change("zpool", "import", "-N", "-o", "cachefile=none", "-d", vdev, zpool);
  }

  /** Makes a dataset. */
  void create(DatasetName dataset, Map<String, String> properties) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "create"));
    properties.forEach((name, value) -> arguments.addAll(List.of("-o", name + "=" + value)));
    arguments.add(dataset.text());
    commands.make(Place.of(dataset), arguments);
  }

  /**
   * Makes a block device.
   *
   * @param blockSize of which the size is a multiple
   * @param reserved whether the pool keeps all of it free for it; else it takes space only for what
   *     is written
   */
  void createBlocks(DatasetName dataset, Size size, long blockSize, boolean reserved) {
    String bytes = Long.toString(size.bytes());
    String block = Long.toString(blockSize);
    List<String> arguments = new ArrayList<>(List.of("zfs", "create"));
    if (!reserved) {
      arguments.add("-s");
    }
    arguments.addAll(List.of("-b", block, "-V", bytes, dataset.text()));
    commands.make(Place.of(dataset), arguments);
  }

  /** Takes snapshots, all of one moment. */
  void snapshot(List<Place> snapshots) {
    List<String> names = snapshots.stream().map(Place::toString).toList();
    List<String> arguments = new ArrayList<>(List.of("zfs", "snapshot"));
    arguments.addAll(names);
    commands.make(snapshots.get(0), arguments, calls -> calls.snapshot(names));
  }

  /** Makes a dataset of a snapshot. */
  void clone(Place snapshot, DatasetName dataset) {
    commands.make(
        Place.of(dataset),
        List.of("zfs", "clone", snapshot.toString(), dataset.text()),
        calls -> calls.clone(snapshot.toString(), dataset.text()));
  }

  /** Makes something of a snapshot that nobody can write to. */
  void cloneReadOnly(Place snapshot, DatasetName dataset) {
    commands.make(
        Place.of(dataset),
        List.of("zfs", "clone", "-o", "readonly=on", snapshot.toString(), dataset.text()));
  }

  /** Gives a dataset or snapshot another name; nothing is unmounted for that. */
  void rename(Place from, Place to) {
    commands.make(
        to,
        List.of("zfs", "rename", from.toString(), to.toString()),
        calls -> calls.rename(from.toString(), to.toString()));
  }

  /** Exchanges a clone with what it is a clone of. */
  void promote(DatasetName clone) {
    commands.change("zfs", "promote", clone.text());
  }

  /** Takes a dataset back to its newest snapshot. */
  void rollback(Place snapshot) {
    commands.change("zfs", "rollback", snapshot.toString());
  }

  /** Destroys a dataset that has no snapshots. */
  void destroy(DatasetName dataset) {
    if (!commands.done(
        List.of("zfs", "destroy", dataset.text()), calls -> calls.destroy(dataset.text()))) {
      commands.change("zfs", "destroy", dataset.text());
    }
  }

  /**
   * Destroys a dataset and all below, but nothing elsewhere that was cloned from it. Who looks at a
   * zvol that was just closed, as udev does, is waited for.
   */
  void destroyAll(DatasetName dataset) {
    for (int attempt = 1; ; attempt++) {
      try {
        commands.change("zfs", "destroy", "-r", dataset.text());
        return;
      } catch (StapesException e) {
        boolean passes = String.valueOf(e.getMessage()).contains("is busy");
        if (!passes || attempt == ATTEMPTS || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        LOG.debug("{}: once more: {}", subject, e.getMessage());
        LockSupport.parkNanos(BETWEEN_NANOS);
      }
    }
  }

  /**
   * Destroys snapshots at once. Where one has clones or is used none is touched.
   *
   * @return 0, or the error number of the call
   */
  int destroyTogether(ZfsCalls library, List<Place> snapshots) {
    List<String> names = snapshots.stream().map(Place::toString).toList();
    return commands.attempt(
        library,
        List.of("zfs", "destroy", snapshots.get(0).dataset().text()),
        calls -> calls.destroySnapshots(names, false));
  }

  /** Destroys snapshots of a dataset, those with clones when the last of these is gone. */
  void destroySnapshots(DatasetName dataset, List<String> components) {
    List<String> all =
        components.stream().map(component -> new Place(dataset, component).toString()).toList();
    if (commands.done(
        List.of("zfs", "destroy", dataset.text()), calls -> calls.destroySnapshots(all, true))) {
      return;
    }
    StringBuilder names = new StringBuilder();
    for (String component : components) {
      if (names.length() + component.length() > ARGUMENT_LIMIT) {
        commands.change("zfs", "destroy", "-d", dataset.text() + "@" + names);
        names.setLength(0);
      }
      names.append(names.isEmpty() ? "" : ",").append(component);
    }
    commands.change("zfs", "destroy", "-d", dataset.text() + "@" + names);
  }

  /** Sets a property, of which the value is ours. */
  void set(DatasetName dataset, String property, String value) {
    set(dataset, Map.of(property, value));
  }

  /** The same for several, which are set in an order that fits. */
  void set(DatasetName dataset, Map<String, String> properties) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "set"));
    properties.forEach((name, value) -> arguments.add(name + "=" + value));
    arguments.add(dataset.text());
    commands.change(arguments);
  }

  /** Waits until a pool has written down what was written to it. */
  void sync(String zpool) {
    commands.question("zpool", "sync", zpool);
  }

  /** Waits until a pool has freed what was destroyed. */
  void awaitFreed(String zpool, Duration limit) {
    commands.run(Command.of("zpool", "wait", "-t", "free", zpool).timeout(limit));
  }

  /** Runs a command that changes something. */
  void change(String... arguments) {
    commands.change(arguments);
  }
}
