package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Containers that have been started before it was known of which instance they would be. */
class LxcAheadIT extends LxcDriverFixture {
  private static final String DESCRIPTION =
      "id; pwd; echo $HOME $PATH; cat /proc/sys/kernel/hostname; cat /proc/mounts;"
          + " ls -ln / /dev /dev/pts /sys/fs/cgroup; tty; head -n 60 /proc/self/limits;"
          + " echo x >/root/new; ls -ln /root";

  private static final Map<String, String> CONFIG =
      Map.of(
          "environment.GREETING",
          "it's \"so\" $HOME",
          "limits.memory",
          "64MiB",
          "limits.processes",
          "50",
          "limits.cpu.allowance",
          "50ms/100ms");

  LxcAheadIT() throws IOException {}

  /** Two of the same, one after the other, so that a third one is expected. */
  private Machine startTwice(Lifetime lifetime, Map<String, String> config) throws Exception {
    Machine first = box.driver.start(box.spec("first", lifetime, config));
    first.kill();
    end(first);
    Machine second = box.driver.start(box.spec("second", lifetime, config));
    long deadline = System.nanoTime() + LONG.toNanos();
    while (box.waiting().isEmpty()) {
      assertTrue(System.nanoTime() < deadline, "none is started ahead");
      Thread.onSpinWait();
    }
    return second;
  }

  /** What a container looks like, from inside and from outside. */
  private static Map<String, Object> picture(Machine machine) throws Exception {
    Map<String, Object> picture = new TreeMap<>();
    Path proc = Path.of("/proc", Long.toString(machine.pid()));
    while (Files.readString(proc.resolve("cmdline")).contains("boot\0wait")) {
      Thread.onSpinWait();
    }
    String described = run(machine, "sh", "-c", DESCRIPTION).out();
    picture.put(
        "inside",
        described.lines().map(LxcAheadIT::timeless).sorted().collect(Collectors.joining("\n")));
    // A shell that executes another program adds its own.
    Set<String> environment = new TreeSet<>();
    for (String variable : Files.readString(proc.resolve("environ")).split("\0")) {
      if (!variable.matches("(PATH|PWD|OLDPWD|SHLVL)=.*")) {
        environment.add(variable);
      }
    }
    picture.put("environment", environment);
    picture.put(
        "status",
        Files.readAllLines(proc.resolve("status")).stream()
            .filter(line -> line.matches("(Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp.*|Cpus_.*):.*"))
            .toList());
    picture.put("limits", Files.readString(proc.resolve("limits")));
    Set<String> mounts = new TreeSet<>();
    for (String line : Files.readAllLines(proc.resolve("mountinfo"))) {
      String[] fields = line.split(" ");
      mounts.add(fields[4] + " " + fields[5] + " " + fields[6].replaceAll("\\d+", "N"));
    }
    picture.put("mounts", mounts);
    String group = "lxc.payload." + container(machine);
    CgroupLayout layout = CgroupLayout.detect();
    picture.put("usage limit", layout.group(group).usage().processLimit());
    picture.put("memory", layout.group(group).usage().memoryLimitBytes());
    return picture;
  }

  /** Without sizes, times and numbers of links, which differ. */
  private static String timeless(String line) {
    return line.replaceAll("\\s+\\d+ [A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d ", " ")
        .replaceAll("^([-a-z]{10}) +\\d+ ", "$1 ")
        .replaceAll("stapes-[a-z0-9-]+", "NAME")
        .replaceAll("^ *\\d+ ", "");
  }

  @ParameterizedTest
  @EnumSource(
      value = Lifetime.class,
      names = {"DURABLE", "THROWAWAY"})
  void one_that_was_started_ahead_is_like_any_other(Lifetime lifetime) throws Exception {
    Machine second = startTwice(lifetime, CONFIG);
    Map<String, Object> expected = picture(second);
    second.kill();
    end(second);
    long waiting = box.waiting().get(0).pid();

    Machine third = box.driver.start(box.spec("third", lifetime, CONFIG));
    assertEquals(waiting, third.pid());
    Map<String, Object> found = picture(third);
    expected.forEach((part, value) -> assertEquals(value, found.get(part), part));
    assertTrue(
        Files.readString(Path.of("/proc", Long.toString(third.pid()), "environ"))
            .contains("GREETING=it's \"so\" $HOME\0"));
    third.kill();
    assertEquals("killed", end(third).reason());
  }

  @Test
  void a_durable_one_is_found_again_and_answers() throws Exception {
    startTwice(Lifetime.DURABLE, Map.of());
    long waiting = box.waiting().get(0).pid();
    Machine.Spec spec = box.spec("third", Lifetime.DURABLE, Map.of());
    assertEquals(waiting, box.driver.start(spec).pid());
    box.reopen();
    Machine again = box.driver.adopt(spec).orElseThrow();
    assertEquals(waiting, again.pid());
    assertEquals("uid=0(root) gid=0\n", run(again, "id").out());
    assertEquals(0, run(again, "touch", "/root/mine").code());
    again.kill();
    end(again);
    assertTrue(Files.exists(box.root.resolve("root/mine")));
  }

  @Test
  void what_has_more_of_its_own_is_started_on_its_own() throws Exception {
    Machine second = startTwice(Lifetime.THROWAWAY, Map.of());
    long waiting = box.waiting().get(0).pid();
    Machine third =
        box.driver.start(box.spec("third", Lifetime.THROWAWAY, Map.of("security.nesting", "true")));
    assertNotEquals(waiting, third.pid());
    assertEquals(0, run(third, "true").code());
    long deadline = System.nanoTime() + LONG.toNanos();
    while (runs(waiting)) { // it is dropped behind
      assertTrue(System.nanoTime() < deadline, "it still waits");
      Thread.onSpinWait();
    }
    second.kill();
    third.kill();
  }

  @Test
  void one_whose_root_cannot_be_put_in_is_started_anew() throws Exception {
    Machine second = startTwice(Lifetime.THROWAWAY, Map.of());
    second.kill();
    end(second);
    long waiting = box.waiting().get(0).pid();
    Files.delete(box.root.resolve("sys"));
    Machine third = box.driver.start(box.spec("third", Lifetime.THROWAWAY, Map.of()));
    assertNotEquals(waiting, third.pid());
    assertEquals(0, run(third, "true").code());
    assertEquals(new InstanceId("third"), third.id());
    third.kill();
    end(third);
    assertFalse(runs(waiting));
  }
}
