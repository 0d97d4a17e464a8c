package dev.stapes.benchmarks.storage;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import dev.stapes.ExecProcess;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Program;
import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.LabClassPath;
import dev.stapes.testkit.LabVm;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Runs {@link Comparison} in the lab VM, for drivers whose kernel modules this machine lacks; the
 * pools are on a disk of the VM, which is a file of this machine. Started by {@code ./bench storage
 * --lab}. What is emulated is slow: ratios within the VM mean something, its times do not.
 */
public final class InLab {
  private static final String DISK = "/dev/disk/by-id/virtio-work";
  private static final String WORK = "/mnt/work";
  private static final String OUTPUT = WORK + "/output";
  private static final long DISK_BYTES = 40L << 30;

  private static final List<String> RESULTS = List.of("storage.json", "storage.md", "storage.html");

  private static final Duration POLL = Duration.ofHours(1);

  /** Of the minute that {@link Program} has for all of it. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(45);

  private static final int KILL = 9;
  private static final int TERMINATE = 15;

  private InLab() {}

  /**
   * Runs it.
   *
   * @param arguments those of {@link Comparison}
   */
  public static void main(String[] arguments) {
    Program.main(
        "bench storage --lab",
        given -> {
          List<String> all = withUsual(given);
          Options options = Options.parse(all.toArray(new String[0]));
          return () -> run(options, all);
        },
        arguments);
  }

  /** The VM has no containers, and what it has beside this machine is ZFS and LVM. */
  private static List<String> withUsual(String... given) {
    List<String> arguments = new ArrayList<>(List.of(given));
    if (!arguments.contains("--pools")) {
      arguments.addAll(List.of("--pools", "zfs,lvm,btrfs"));
    }
    if (!arguments.contains("--paths")) {
      String paths =
          Arrays.stream(StoragePath.values())
              .filter(path -> !path.inContainer())
              .map(StoragePath::label)
              .collect(Collectors.joining(","));
      arguments.addAll(List.of("--paths", paths));
    }
    return arguments;
  }

  private static void run(Options options, List<String> arguments)
      throws IOException, InterruptedException {
    for (StoragePath path : options.paths()) {
      if (path.inContainer()) {
        throw new IOException(path.label() + " takes a container, and the lab VM has none");
      }
    }
    Place place = options.run().place();
    Path disk = place.work().resolve("work.img");
    try (RandomAccessFile sparse = new RandomAccessFile(disk.toFile(), "rw")) {
      sparse.setLength(DISK_BYTES);
    }
    try (LabVm lab = LabVm.boot(place.work().resolve("lab"));
        LabClassPath classes = LabClassPath.share(lab)) {
      lab.load("zfs", "loop", "dm-thin-pool", "btrfs");
      lab.instance()
          .update(
              change ->
                  change.device(
                      "work", Device.disk(WORK, device -> device.source(disk.toString()))));
      lab.script(
          "udevadm settle; mkfs.ext4 -q -E lazy_itable_init=1 "
              + DISK
              + "; mkdir -p "
              + WORK
              + "; mount "
              + DISK
              + " "
              + WORK
              + "; mkdir "
              + OUTPUT);
      boolean interrupted = measure(lab, classes, arguments);
      Files.createDirectories(options.run().output());
      for (String result : RESULTS) {
        lab.instance().files().pull(OUTPUT + "/" + result, options.run().output().resolve(result));
      }
      copy(options, "storage.json", options.run().json());
      copy(options, "storage.html", options.html());
      if (interrupted) {
        throw new InterruptedException("what was measured until then is in the results");
      }
    }
  }

  private static void copy(Options options, String result, Optional<Path> asked)
      throws IOException {
    if (asked.isPresent()) {
      Files.copy(options.run().output().resolve(result), asked.get(), REPLACE_EXISTING);
    }
  }

  /** Says whether it was interrupted, where there are results all the same. */
  private static boolean measure(LabVm lab, LabClassPath classes, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> given = new ArrayList<>(arguments);
    for (String ours : List.of("--work", "--output", "--peers", "--json", "--html")) {
      int at = given.indexOf(ours);
      if (at >= 0) {
        given.subList(at, at + 2).clear();
      }
    }
    given.addAll(
        List.of("--work", WORK + "/run", "--output", OUTPUT, "--peers", WORK + "/no-peers"));
    List<String> options =
        List.of(
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1", // the second compiler costs minutes where it is emulated
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dstapes.machine=" + System.getProperty("stapes.machine", "unknown") + ",_lab_VM");
    List<String> command = classes.command(options, Comparison.class.getName(), given);
    List<String> all = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 2>&1", "sh"));
    all.addAll(command);
    ExecSpec spec = ExecSpec.builder(all.toArray(new String[0])).build();
    try (ExecProcess process = lab.instance().execStreaming(spec)) {
      Thread output = new Thread(() -> show(process.stdout()), "output of the lab VM");
      output.setDaemon(true);
      output.start();
      boolean interrupted = endOf(process);
      output.join();
      int code = process.await();
      if (code != 0 && !interrupted) {
        throw new IOException("exit code " + code + " in the lab VM");
      }
      return interrupted;
    }
  }

  /** Waits for it; an interrupt ends it, and it writes down what it has. */
  private static boolean endOf(ExecProcess process) {
    try {
      boolean over = false;
      while (!over) {
        over = process.await(POLL).isPresent();
      }
      return false;
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.INTERRUPTED || !Thread.interrupted()) {
        throw e;
      }
      process.signal(TERMINATE);
      if (process.await(LAST_WORDS).isEmpty()) {
        process.signal(KILL);
      }
      return true;
    }
  }

  private static void show(InputStream output) {
    try {
      output.transferTo(System.out);
    } catch (IOException e) {
      System.err.println("bench storage --lab: no more output: " + e.getMessage());
    }
  }
}
