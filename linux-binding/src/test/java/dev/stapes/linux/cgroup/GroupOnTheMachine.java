package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assertions;

/**
 * A group of this machine with children in it; closing it ends them, removes it and checks that
 * nothing is left.
 */
final class GroupOnTheMachine implements AutoCloseable {
  static final Duration LONG = Duration.ofSeconds(30);

  private static final String PREFIX = "stapes-test-" + ProcessHandle.current().pid() + "-";
  private static final AtomicInteger COUNT = new AtomicInteger();

  final CgroupLayout layout = CgroupLayout.detect();
  final Cgroup group = layout.group(PREFIX + COUNT.incrementAndGet());
  private final List<Child> children = new ArrayList<>();

  GroupOnTheMachine() {
    group.create();
  }

  /** Starts a command that is in the group from its first instruction. */
  Child start(String... command) throws IOException {
    return startIn(group, command);
  }

  Child startIn(Cgroup where, String... command) throws IOException {
    List<String> argv = new ArrayList<>(List.of("sh", "-c", "read -r go; exec \"$@\"", "sh"));
    argv.addAll(List.of(command));
    Process process = new ProcessBuilder(argv).redirectErrorStream(true).start();
    Child child =
        new Child(process, process.inputReader(StandardCharsets.UTF_8), process.outputWriter());
    children.add(child);
    where.attach(process.pid());
    child.say("go");
    return child;
  }

  record Child(Process process, BufferedReader output, Writer input) {
    void say(String line) throws IOException {
      input.write(line + "\n");
      input.flush();
    }

    int exitCode() throws InterruptedException {
      Assertions.assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running: " + process);
      return process.exitValue();
    }

    String allOutput() throws IOException {
      StringBuilder all = new StringBuilder();
      output.lines().forEach(line -> all.append(line).append('\n'));
      return all.toString();
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (group.isFrozen()) {
      group.unfreeze();
    }
    for (long pid : group.kill()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
    for (Child child : children) {
      child.process.destroyForcibly().waitFor();
      child.output.close();
    }
    group.remove(LONG);
    assertEquals(List.of(), layout.groups(group.name()));
  }
}
