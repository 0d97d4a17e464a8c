package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

/** A driver for each test, and that nothing of it is left afterwards. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@Timeout(60)
abstract class LxcDriverFixture {
  static final Duration LONG = Duration.ofSeconds(20);

  final TestBox box;

  LxcDriverFixture() throws IOException {
    box = TestBox.open();
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    box.reopen();
    box.driver.collect(Set.of());
    box.driver.close();
    List<String> left = box.leftovers();
    box.close();
    assertEquals(List.of(), left);
  }

  record Result(int code, String out, String err) {}

  static Result run(Machine machine, ExecSpec spec) throws Exception {
    try (Machine.Exec exec = machine.exec(spec)) {
      exec.stdin().close();
      String out = new String(exec.stdout().readAllBytes(), StandardCharsets.UTF_8);
      String err = new String(exec.stderr().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(exec.await(LONG).orElseThrow(), out, err);
    }
  }

  static Result run(Machine machine, String... command) throws Exception {
    return run(machine, ExecSpec.of(command));
  }

  final Machine start(Map<String, String> config) {
    return box.driver.start(box.spec("test0001", Lifetime.THROWAWAY, config));
  }

  /** What liblxc calls the container of a machine. */
  static String container(Machine machine) throws IOException {
    return container(Long.toString(machine.pid()));
  }

  /** What liblxc calls the container of a process. */
  static String container(String pid) throws IOException {
    String groups = Files.readString(Path.of("/proc", pid, "cgroup"));
    Matcher group = Pattern.compile("lxc\\.payload\\.(stapes-[a-z0-9-]+)").matcher(groups);
    assertTrue(group.find(), groups);
    return group.group(1);
  }

  static Machine.Exit end(Machine machine) throws Exception {
    return machine.exit().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  static String until(InputStream in, String end) throws IOException {
    StringBuilder shown = new StringBuilder();
    while (shown.indexOf(end) < 0) {
      int c = in.read();
      assertTrue(c >= 0, () -> "ended after: " + shown);
      shown.append((char) c);
    }
    return shown.toString();
  }

  /**
   * Whether there is a process that has not ended; who inherits the dead may be slow to bury them.
   */
  final boolean runs(long pid) {
    try (Processes.Handle process = box.host.processes().find(pid).orElse(null)) {
      return process != null && process.isAlive();
    }
  }

  /** The monitor writes what the container says to its terminal into the log behind. */
  static void awaitLogged(Machine machine, String text) throws Exception {
    long deadline = System.nanoTime() + LONG.toNanos();
    while (!Files.exists(machine.consoleLog())
        || !Files.readString(machine.consoleLog()).contains(text)) {
      assertTrue(System.nanoTime() < deadline, () -> "not logged: " + text);
      run(machine, "sleep", "0.02");
    }
  }
}
