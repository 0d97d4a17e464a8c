package dev.stapes.testkit;

import dev.stapes.model.ExecResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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
    return run(lab, required, List.of(), tests);
  }

  /**
   * The same with more options.
   *
   * @param more options of the VM's Java, such as {@code -Dname=value}
   * @throws IOException where the class path cannot be copied
   */
  public static ExecResult run(
      LabVm lab, List<String> required, List<String> more, List<String> tests) throws IOException {
    List<String> all = new ArrayList<>(List.of("root"));
    all.addAll(required);
    List<String> options = new ArrayList<>();
    options.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx256m"));
    options.add("-Dstapes.required=" + String.join(",", all));
    options.addAll(more);
    try (LabClassPath classes = LabClassPath.share(lab)) {
      List<String> command = classes.command(options, LabRun.class.getName(), tests);
      return lab.run(command.toArray(new String[0]));
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
