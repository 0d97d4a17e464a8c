package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whenever the JVM dies while a machine moves, there is one of it afterwards, and it runs. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("lxc-start")
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MigrationCrashIT {
  /** How far it is from one effect to the next that is tried. */
  private static final int STRIDE = Integer.getInteger("stapes.crash.stride", 9);

  @RegisterExtension final Room directory = new Room();

  @Test
  void one_of_it_runs_whoever_is_opened_first() throws Exception {
    Path here = Files.createDirectory(directory.resolve("here")).toRealPath();
    Path there = Files.createDirectory(directory.resolve("there")).toRealPath();
    ChildJvm jvm = new ChildJvm(Files.createDirectory(directory.resolve("jvm")));
    ChildJvm.End whole = jvm.runFirst(DoomedMove.class, here.toString(), there.toString(), "1000");
    assertEquals(Doomed.SURVIVED, whole.code(), whole.output());
    assertEquals(DoomedMove.THERE, check(here, there, whole.output()));
    Set<String> ends = new TreeSet<>();
    int effects = effects(whole.output());
    for (int n = 1; n <= effects; n += STRIDE) {
      String[] arguments = {here.toString(), there.toString(), Integer.toString(n)};
      ChildJvm.End end = jvm.run(DoomedMove.class, arguments);
      String at = "effect " + n + ": " + end.output();
      assertEquals(Doomed.DIED, end.code(), at);
      ends.add(n % 2 == 1 ? check(here, there, at) : check(there, here, at));
    }
    assertEquals(Set.of(DoomedMove.HERE, DoomedMove.THERE), ends);
    killOnTheWay(jvm, here, there);
    Machines.open(there, "dir").close(); // what both know is removed with the next open
    try (Stream<Path> decisions = Files.list(there.resolve("handovers"))) {
      assertEquals(List.of(), decisions.toList());
    }
  }

  private static int effects(String output) {
    return output
        .lines()
        .filter(line -> line.startsWith(DoomedMove.EFFECTS))
        .mapToInt(line -> Integer.parseInt(line.substring(DoomedMove.EFFECTS.length())))
        .findAny()
        .orElseThrow();
  }

  /** While the two machines talk to each other. */
  private static void killOnTheWay(ChildJvm jvm, Path here, Path there) throws Exception {
    for (String stage : List.of("disk", "memory")) {
      Process process = jvm.start(DoomedMove.class, here.toString(), there.toString(), stage);
      try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
        assertEquals(DoomedMove.REACHED + stage, output.readLine());
      } finally {
        process.destroyForcibly().waitFor();
      }
      assertEquals(1, Machines.processes(here).size());
      assertEquals(1, Machines.processes(there).size());
      boolean sourceFirst = stage.equals("disk");
      String name = sourceFirst ? check(here, there, stage) : check(there, here, stage);
      assertEquals(DoomedMove.HERE, name);
    }
  }

  /** Opens both, one after the other, deletes what there is, and answers its name. */
  private static String check(Path first, Path second, String at) throws Exception {
    Set<Long> ran = new TreeSet<>(Machines.processes(first));
    ran.addAll(Machines.processes(second));
    String name;
    try (Stapes one = Machines.open(first, "dir");
        Stapes other = Machines.open(second, "dir")) {
      List<Instance> found = new ArrayList<>();
      for (Stapes each : List.of(one, other)) {
        for (InstanceInfo info : each.instances().list()) {
          found.add(each.instances().get(info.id()));
        }
      }
      assertEquals(1, found.size(), at);
      assertEquals(1, Machines.processes(first).size() + Machines.processes(second).size(), at);
      Instance instance = found.get(0);
      assertEquals(InstanceStatus.RUNNING, instance.info().status(), at);
      assertTrue(ran.contains(instance.state().pid().orElseThrow()), at);
      name = instance.name();
      instance.delete(Delete.FORCE);
    }
    Remains.requireNone(first, at);
    Remains.requireNone(second, at);
    return name;
  }
}
