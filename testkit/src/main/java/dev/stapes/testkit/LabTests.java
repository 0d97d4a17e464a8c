package dev.stapes.testkit;

import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs tests of this class path in a {@link LabVm}, by its Java and its kernel: tests of a driver
 * are ordinary tests, and a machine whose kernel lacks what they need runs them there. The class
 * path is shared with the VM, where nothing can write to it.
 *
 * <p>{@code junit-platform-launcher} must be on the class path, which testkit does not bring.
 *
 * <pre>{@code
 * try (LabVm lab = LabVm.boot(directory)) {
 *   lab.load("zfs");
 *   ExecResult result = LabTests.run(lab, List.of("zfs"), List.of("org.example.ZfsContractIT"));
 *   assertEquals(0, result.exitCode(), result.stdout());
 * }
 * }</pre>
 */
public final class LabTests {
  private static final String SHARED = "/mnt/tests";

  private LabTests() {}

  /**
   * Runs them; once in each VM.
   *
   * @param required what the tests may not miss there, as in {@code -Dstapes.required=}; root is
   *     among it always
   * @param tests names of classes, or {@code class#method}; with {@code tag:name} among them only
   *     those with that tag
   * @return the exit code 0 where one was run at least, and none failed or was skipped for want of
   *     something; a line of output for each test, with the trace where it failed
   * @throws IOException where the class path cannot be copied
   */
  public static ExecResult run(LabVm lab, List<String> required, List<String> tests)
      throws IOException {
    Path copy = Files.createTempDirectory("stapes-lab-tests");
    try {
      List<String> classPath = share(copy);
      lab.load("virtiofs");
      lab.instance()
          .update(
              change ->
                  change.device(
                      "tests",
                      Device.disk(SHARED, disk -> disk.source(copy.toString()).readOnly())));
      lab.script(
          "for i in {1..300}; do grep -q ' "
              + SHARED
              + " ' /proc/mounts && exit 0; sleep 0.1; done; echo not mounted >&2; exit 1");
      return lab.run(command(classPath, required, tests));
    } finally {
      delete(copy);
    }
  }

  private static String[] command(
      List<String> classPath, List<String> required, List<String> tests) {
    List<String> command =
        new ArrayList<>(List.of("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"));
    List<String> all = new ArrayList<>(List.of("root"));
    all.addAll(required);
    command.add("-Dstapes.required=" + String.join(",", all));
    command.add("-cp");
    command.add(String.join(":", classPath));
    command.add(LabRun.class.getName());
    command.addAll(tests);
    return command.toArray(new String[0]);
  }

  /** Copies this JVM's class path to where the VM sees it. */
  private static List<String> share(Path copy) throws IOException {
    List<String> shared = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator, -1)) {
      Path from = Path.of(entry);
      if (!entry.isEmpty() && Files.exists(from)) {
        String name = shared.size() + "-" + from.getFileName();
        copy(from, copy.resolve(name));
        shared.add(SHARED + "/" + name);
      }
    }
    return shared;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /**
   * The tests that are to be run: those that a system property names, else the usual ones.
   *
   * @param beside a class in whose package they are
   * @param usual as in the property: names of classes, or {@code class#method}, and {@code
   *     tag:name}, separated by commas
   * @return what {@link #run} takes
   */
  public static List<String> chosen(Class<?> beside, String property, String usual) {
    return Arrays.stream(System.getProperty(property, usual).split(",", -1))
        .map(each -> each.startsWith(LabRun.TAG) ? each : beside.getPackageName() + "." + each)
        .toList();
  }
}
