package dev.stapes.testkit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * What {@link LabTests} starts in the lab VM: runs tests on the machine that it is started on, and
 * tells of each in a line. Its arguments are names of classes, or {@code class#method}; where
 * {@code tag:name} is among them, only tests with that tag are run.
 */
final class LabRun implements TestExecutionListener {
  /** In front of the name of a tag. */
  static final String TAG = "tag:";

  private final PrintStream out;
  private long started;
  private int run;
  private int failed;

  private LabRun(PrintStream out) {
    this.out = out;
  }

  /** Exits with 0 where at least one test was run, and none failed or was skipped. */
  public static void main(String[] arguments) {
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    LabRun listener = new LabRun(out);
    LauncherFactory.create().execute(request(List.of(arguments)), listener);
    out.println(listener.run + " run, " + listener.failed + " failed");
    System.exit(listener.run > 0 && listener.failed == 0 ? 0 : 1);
  }

  private static LauncherDiscoveryRequest request(List<String> arguments) {
    Map<Boolean, List<String>> byTag =
        arguments.stream().collect(Collectors.partitioningBy(each -> each.startsWith(TAG)));
    LauncherDiscoveryRequestBuilder request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(byTag.getOrDefault(false, List.of()).stream().map(LabRun::selector).toList())
            .configurationParameter("jqwik.database", database());
    List<String> tags =
        byTag.getOrDefault(true, List.of()).stream()
            .map(each -> each.substring(TAG.length()))
            .toList();
    return (tags.isEmpty() ? request : request.filters(TagFilter.includeTags(tags))).build();
  }

  /** What the class path says is a path of the machine that built it. */
  private static String database() {
    return Path.of(System.getProperty("java.io.tmpdir", "/tmp"), "jqwik-database").toString();
  }

  private static DiscoverySelector selector(String argument) {
    return argument.contains("#") ? selectMethod(argument) : selectClass(argument);
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      started = System.nanoTime();
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    failed++;
    out.println("SKIPPED " + test.getDisplayName() + ": " + reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    boolean success = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
    boolean aborted = result.getStatus() == TestExecutionResult.Status.ABORTED;
    if (test.isTest()) {
      run += aborted ? 0 : 1;
      long millis = (System.nanoTime() - started) / 1_000_000;
      out.println(result.getStatus() + " " + test.getDisplayName() + " " + millis + " ms");
    }
    // A capability that the driver lacks is an assumption of the contract.
    if (!success && !aborted) {
      failed++;
    }
    result.getThrowable().ifPresent(error -> tell(test, error, success));
  }

  private void tell(TestIdentifier test, Throwable error, boolean success) {
    if (!success) {
      out.println("  " + test.getDisplayName() + ":");
      error.printStackTrace(out);
    }
  }
}
