package dev.stapes.storage.zfs;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Output;
import dev.stapes.spi.Processes.Stdio;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.ToIntFunction;
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

  /** A question waits for a disk that is busy, but not without end. */
  private static final Duration QUESTION = Duration.ofMinutes(10);

  /** Errors that do not say whether a command was done. */
  private static final Set<Kind> UNCLEAR = Set.of(Kind.INTERNAL, Kind.INTERRUPTED, Kind.TIMED_OUT);

  /** For the removal of what somebody may look at for a moment. */
  private static final int ATTEMPTS = 25;

  private static final long BETWEEN_NANOS = 200_000_000;

  private static final Logger LOG = LoggerFactory.getLogger(Zfs.class);

  private final Host host;
  private final String subject;
  private final Runnable failed;
  private final Suspension suspension;
  private final Optional<ZfsCalls> calls;

  /**
   * The programs that a pool needs.
   *
   * @param failed done when a command that changes something failed: nobody knows how far it came;
   *     and again when one that nobody waits for any more has ended
   */
  Zfs(PoolContext pool, Runnable failed) {
    this.host = pool.host();
    this.subject = pool.subject();
    this.suspension = Suspension.of(pool.machine());
    this.failed = failed;
    this.calls = pool.calls();
  }

  /** The same for somebody who keeps nothing in mind. */
  Zfs(PoolContext pool) {
    this(pool, () -> {});
  }

  /** All datasets and snapshots from one on. */
  List<Entry> entries(DatasetName root) {
    return list(
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
    return list(
        2,
        row -> row.get(0).equals(wanted) ? Place.parse(row.get(1)) : Optional.empty(),
        "-t",
        "snapshot",
        "-o",
        "guid,name",
        "-r",
        root.text());
  }

  private <T> List<T> list(
      int columns, Function<List<String>, Optional<T>> parse, String... arguments) {
    List<String> command = new ArrayList<>(List.of("zfs", "list", "-H", "-p"));
    command.addAll(List.of(arguments));
    String zpool = Suspension.zpool(command);
    Unkilled.requireGoing(subject, () -> suspension.of(zpool));
    Unkilled.requireNotInterrupted(subject, "list");
    PipedProgram program =
        PipedProgram.start(host, command, Stdio.none(), Stdio.pipe(), ended -> {});
    return new ZfsList<>(program, columns, parse)
        .read(subject, () -> suspension.of(zpool), QUESTION);
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
    String columns = String.join(",", wanted);
    return ZfsTable.row(
        question("zfs", "list", "-H", "-p", "-t", "all", "-o", columns, name), wanted.size());
  }

  /** The bytes of a zvol, or of a snapshot of one. */
  long blocks(Place place) {
    return ZfsTable.number(properties(place.toString(), List.of("volsize")).get(0));
  }

  /** Some properties of a pool, in their order. */
  List<String> poolProperties(String zpool, List<String> wanted) {
    String output = ask("zpool", "list", "-H", "-p", "-o", String.join(",", wanted), zpool);
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
            "-o",
            "failmode=continue",
            "-O",
            PoolMark.PROPERTY + "=" + mark.id(),
            zpool.text(),
            vdev));
  }

  /** The files or devices that an imported zpool is made of. */
  List<Path> vdevs(String zpool) {
    return paths(ask("zpool", "list", "-v", "-H", "-P", "-L", zpool));
  }

  /** Those of all imported zpools. */
  List<Path> vdevs() {
    return paths(ask("zpool", "list", "-v", "-H", "-P", "-L"));
  }

  /** What zpool-import(8) tells of the zpools on a file or device, an absolute path. */
  String importable(String vdev) {
    try {
      return ask("zpool", "import", "-d", vdev);
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
    if (suspension.of(zpool)) {
      LOG.warn("{}: the zpool {} had stopped, and is to go on", subject, zpool);
      ask("zpool", "clear", zpool);
    }
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
    make(Place.of(dataset), arguments);
  }

  /** Takes snapshots, all of one moment. */
  void snapshot(List<Place> snapshots) {
    List<String> names = snapshots.stream().map(Place::toString).toList();
    List<String> arguments = new ArrayList<>(List.of("zfs", "snapshot"));
    arguments.addAll(names);
    make(snapshots.get(0), arguments, calls -> calls.snapshot(names));
  }

  /** Makes a dataset of a snapshot. */
  void clone(Place snapshot, DatasetName dataset) {
    make(
        Place.of(dataset),
        List.of("zfs", "clone", snapshot.toString(), dataset.text()),
        calls -> calls.clone(snapshot.toString(), dataset.text()));
  }

  /** Makes something of a snapshot that nobody can write to. */
  void cloneReadOnly(Place snapshot, DatasetName dataset) {
    make(
        Place.of(dataset),
        List.of("zfs", "clone", "-o", "readonly=on", snapshot.toString(), dataset.text()));
  }

  /** Gives a dataset or snapshot another name; nothing is unmounted for that. */
  void rename(Place from, Place to) {
    make(
        to,
        List.of("zfs", "rename", from.toString(), to.toString()),
        calls -> calls.rename(from.toString(), to.toString()));
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
    if (!done(List.of("zfs", "destroy", dataset.text()), calls -> calls.destroy(dataset.text()))) {
      change("zfs", "destroy", dataset.text());
    }
  }

  /**
   * Destroys a dataset and all below, but nothing elsewhere that was cloned from it. Who looks at a
   * zvol that was just closed, as udev does, is waited for.
   */
  void destroyAll(DatasetName dataset) {
    for (int attempt = 1; ; attempt++) {
      try {
        change("zfs", "destroy", "-r", dataset.text());
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
    return attempt(
        library,
        List.of("zfs", "destroy", snapshots.get(0).dataset().text()),
        calls -> calls.destroySnapshots(names, false));
  }

  /** Destroys snapshots of a dataset, those with clones when the last of these is gone. */
  void destroySnapshots(DatasetName dataset, List<String> components) {
    List<String> all =
        components.stream().map(component -> new Place(dataset, component).toString()).toList();
    if (done(
        List.of("zfs", "destroy", dataset.text()), calls -> calls.destroySnapshots(all, true))) {
      return;
    }
    StringBuilder names = new StringBuilder();
    for (String component : components) {
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
    set(dataset, Map.of(property, value));
  }

  /** The same for several, which are set in an order that fits. */
  void set(DatasetName dataset, Map<String, String> properties) {
    List<String> arguments = new ArrayList<>(List.of("zfs", "set"));
    properties.forEach((name, value) -> arguments.add(name + "=" + value));
    arguments.add(dataset.text());
    change(arguments);
  }

  /** Waits until a pool has written down what was written to it. */
  void sync(String zpool) {
    question("zpool", "sync", zpool);
  }

  /** Runs a command that changes nothing; of a zpool that stops nobody waits for the answer. */
  private String question(String... arguments) {
    Command command = Command.of(arguments).timeout(QUESTION);
    String zpool = Suspension.zpool(List.of(arguments));
    BooleanSupplier stuck = () -> suspension.of(zpool);
    Unkilled.requireGoing(subject, stuck);
    Unkilled.requireNotInterrupted(subject, arguments[1]);
    OwnThread<Output> work =
        OwnThread.begin(subject, "stapes-zfs-question", () -> host.programs().run(command));
    try {
      return work.await(() -> Unkilled.requireGoing(subject, stuck)).stdout();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, arguments[1] + ": interrupted", e);
    } catch (StapesException e) {
      throw ZfsFailure.of(e, subject);
    }
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
    change(
        arguments, Unkilled.command(host.programs(), Command.of(arguments.toArray(new String[0]))));
  }

  /** Does what a command says, by it or otherwise. */
  private <T> T change(List<String> arguments, Callable<T> work) {
    String zpool = Suspension.zpool(arguments);
    try {
      return Unkilled.finish(subject, arguments.get(1), work, () -> suspension.of(zpool), failed);
    } catch (Refused e) {
      throw e;
    } catch (StapesException e) {
      failed.run();
      throw ZfsFailure.of(e, subject);
    } catch (RuntimeException e) {
      failed.run();
      throw e;
    }
  }

  /** Runs a command whose result is a name, unless a call does the same. */
  private void make(Place result, List<String> arguments, ToIntFunction<ZfsCalls> call) {
    if (!done(arguments, call)) {
      make(result, arguments);
    }
  }

  /**
   * Does what a command does by a call, where it can be: what that refuses the command refuses,
   * too, and says why.
   */
  private boolean done(List<String> arguments, ToIntFunction<ZfsCalls> call) {
    return calls.isPresent() && attempt(calls.get(), arguments, call) == 0;
  }

  /** The error number of a call, which does what a command says. */
  private int attempt(ZfsCalls library, List<String> arguments, ToIntFunction<ZfsCalls> call) {
    try {
      return change(
          arguments,
          () -> {
            int error = call.applyAsInt(library);
            if (error != 0) {
              throw new Refused(subject, error);
            }
            return error;
          });
    } catch (Refused e) {
      LOG.debug("{}: {}: error {}", subject, arguments, e.error());
      return e.error();
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
    return run(Command.of(arguments).timeout(QUESTION));
  }

  private String run(Command command) {
    try {
      return host.programs().run(command).stdout();
    } catch (StapesException e) {
      throw ZfsFailure.of(e, subject);
    }
  }
}
