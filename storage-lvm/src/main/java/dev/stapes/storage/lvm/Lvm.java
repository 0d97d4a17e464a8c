package dev.stapes.storage.lvm;

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
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs the program {@code lvm}. A command that has begun is not killed: between suspending and
 * resuming a device that would leave all who use it hanging. A thread that was interrupted before
 * begins none.
 */
final class Lvm {
  /**
   * Of a command that changes something. A snapshot of what has much to write down first, and the
   * discards of fifty volumes, take their time on a slow disk.
   */
  private static final Duration LIMIT = Duration.ofDays(1);

  /** A second apart: so long another machine may take for one command of a shared group. */
  private static final int LOCK_TRIES = 60;

  private static final Duration QUESTION_LIMIT = Duration.ofMinutes(10);
  private static final Set<String> QUESTIONS = Set.of("lvs", "vgs", "pvs");

  /** It complains of descriptors that it inherited from whoever started the JVM. */
  private static final Map<String, String> ENVIRONMENT = Map.of("LVM_SUPPRESS_FD_WARNINGS", "1");

  private final Host host;
  private final String subject;
  private final List<String> common;

  /**
   * For one pool.
   *
   * @param subject for errors
   * @param common options of every command
   */
  Lvm(Host host, String subject, List<String> common) {
    this.host = host;
    this.subject = subject;
    this.common = List.copyOf(common);
  }

  /**
   * The options that every command has.
   *
   * @param device the only one that LVM may look at; empty: all that the machine's configuration
   *     allows
   * @param udev whether udev runs: where it does not, LVM would wait for it without end, and makes
   *     the nodes of devices itself
   * @param shared whether groups are shared with other machines, see lvmlockd(8)
   */
  static List<String> options(Optional<String> device, boolean udev, boolean shared) {
    List<String> settings = new ArrayList<>();
    // Its daemon would be started by us and outlive us; the driver itself sees to the fullness.
    settings.add("activation/monitoring=0");
    // Writers into a full pool learn it at once; 2.03.16 refuses the option of lvcreate for it.
    settings.add("activation/error_when_full=1");
    // What was made zeros stays so when it is removed and given to another volume.
    settings.add("devices/issue_discards=0");
    // Newer versions put complaints into reports otherwise, and say nothing beside.
    settings.add("log/report_command_log=0");
    if (shared) {
      settings.add("global/use_lvmlockd=1");
      settings.add("global/lvmlockd_lock_retries=" + LOCK_TRIES);
    }
    if (!udev) {
      settings.add("activation/udev_sync=0");
      settings.add("activation/udev_rules=0");
      settings.add("devices/obtain_device_list_from_udev=0");
      settings.add("devices/external_device_info_source=\"none\"");
    }
    List<String> options = new ArrayList<>();
    if (device.isPresent()) {
      // A file for each change of each volume, of a group that nobody else changes.
      settings.add("backup/backup=0");
      settings.add("backup/archive=0");
      options.add("--devices");
      options.add(device.get());
    }
    options.add("--config");
    options.add(String.join(" ", settings));
    return options;
  }

  /** Runs one of its commands, such as {@code lvcreate}, and gives what it wrote. */
  String run(String command, List<String> arguments) {
    List<String> all = new ArrayList<>(List.of("lvm", command));
    all.addAll(common);
    all.addAll(arguments);
    Duration limit = QUESTIONS.contains(command) ? QUESTION_LIMIT : LIMIT;
    Command whole = Command.of(all.toArray(new String[0])).timeout(limit).environment(ENVIRONMENT);
    try {
      return unkilled(whole);
    } catch (StapesException e) {
      throw LvmErrors.of(e, subject, command + " failed");
    }
  }

  /** The same, with strings. */
  String run(String command, String... arguments) {
    return run(command, List.of(arguments));
  }

  /**
   * Takes the end of a volume from it; who calls has looked at what is on it. Versions that look
   * themselves may refuse what resize2fs has made smaller, and are told not to; the others do not
   * know the option for that.
   *
   * @param bytes that it has then
   */
  void reduce(String path, long bytes) {
    List<String> arguments = new ArrayList<>(List.of("--yes", "--force"));
    Optional<LvmVersion> version = LvmVersion.of(unkilled(Command.of("lvm", "version")));
    if (version.isPresent() && version.get().compareTo(LvmVersion.LOOKS) >= 0) {
      arguments.addAll(List.of("--fs", "ignore"));
    }
    arguments.addAll(List.of("--size", PoolVolumes.kibibytes(bytes), path));
    run("lvreduce", arguments);
  }

  /** Runs another program that must come to its end, such as one that resizes a file system. */
  void toItsEnd(Command command) {
    unkilled(command.timeout(LIMIT));
  }

  /**
   * Asks {@code lvs}.
   *
   * @param fields separated by commas
   * @param arguments more of them; none: of all groups
   */
  List<LvmRow> volumes(String fields, String... arguments) {
    return rows("lvs", "lv", fields, arguments);
  }

  /** Asks {@code vgs} of one; see {@link #volumes}. */
  List<LvmRow> groups(String fields, String name) {
    return rows("vgs", "vg", fields, name);
  }

  private List<LvmRow> rows(String command, String kind, String fields, String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of("--reportformat", "json", "--units", "b", "--nosuffix", "--options", fields));
    all.addAll(List.of(arguments));
    String report = run(command, all);
    return read(() -> LvmReport.rows(kind, report));
  }

  /**
   * What a group has free.
   *
   * @param name of the group
   */
  VolumeGroup group(String name) {
    List<LvmRow> rows = rows("vgs", "vg", VolumeGroup.FIELDS, name);
    return read(() -> VolumeGroup.of(LvmReport.only(rows)));
  }

  /** The names of the groups that have a tag. */
  List<String> groupsWith(String tag) {
    List<LvmRow> rows = rows("vgs", "vg", "vg_name,vg_tags");
    return read(
        () -> {
          List<String> names = new ArrayList<>();
          for (LvmRow row : rows) {
            if (row.list("vg_tags").contains(tag)) {
              names.add(row.text("vg_name"));
            }
          }
          return names;
        });
  }

  /** Whether a device that is looked at is one of LVM's, and no group has it. */
  boolean hasSpareDevice() {
    List<LvmRow> rows = rows("pvs", "pv", "vg_name");
    return read(
        () -> {
          for (LvmRow row : rows) {
            if (row.text("vg_name").isEmpty()) {
              return true;
            }
          }
          return false;
        });
  }

  /** Reads a part of a report. */
  interface Reading<T> {
    /** Reads it. */
    T get() throws LvmReport.Malformed;
  }

  /** Reads a report; one that makes no sense is an error of the pool. */
  <T> T read(Reading<T> reading) {
    try {
      return reading.get();
    } catch (LvmReport.Malformed e) {
      throw new StapesException(
          Kind.INTERNAL, subject, "a report of LVM cannot be read: " + e.getMessage(), e);
    }
  }

  /** On a thread that nobody interrupts. */
  private String unkilled(Command command) {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted");
    }
    FutureTask<String> task = new FutureTask<>(() -> host.programs().run(command).stdout());
    Thread thread = new Thread(task, "stapes-lvm");
    thread.setDaemon(true);
    thread.start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StapesException refused) {
        throw refused;
      }
      throw new StapesException(Kind.INTERNAL, subject, "cannot run lvm: " + e.getCause(), e);
    } catch (CancellationException e) {
      throw new StapesException(Kind.INTERNAL, subject, "cannot run lvm", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
