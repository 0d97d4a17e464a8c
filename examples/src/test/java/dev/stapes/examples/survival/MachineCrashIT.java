package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * As {@link CrashIT}, with virtual machines: one that ran when its JVM died is the next one's, with
 * the same process.
 */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("lxc-start")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MachineCrashIT {
  private static final int MORE_THAN_ENOUGH = 400;

  /** How far it is from one effect to the next that is tried. */
  private static final int STRIDE = Integer.getInteger("stapes.crash.stride", 17);

  @RegisterExtension final Room directory = new Room();
  private int adopted;

  @ParameterizedTest
  @EnumSource(MachineLife.class)
  void whenever_the_jvm_dies_its_machines_are_the_next_ones(MachineLife life) throws Exception {
    Path root = Files.createDirectory(directory.resolve("root")).toRealPath();
    ChildJvm jvm = new ChildJvm(Files.createDirectory(directory.resolve("jvm")));
    List<String> diary = new ArrayList<>();
    try (Stapes stapes = Machines.open(root, "btrfs")) {
      diary.add(Diary.stateOf(stapes));
    }
    ChildJvm.End whole = jvm.runFirst(Doomed.class, arguments(root, life, MORE_THAN_ENOUGH));
    assertEquals(Doomed.SURVIVED, whole.code(), whole.output());
    diary.addAll(Diary.read(whole.output()));
    Remains.requireNone(root, "nobody died");

    int deaths = dieAtEach(jvm, root, life, diary, 2);
    if (adopted == 0
        && life == MachineLife.COPIES) { // the number of effects is not always the same
      deaths += dieAtEach(jvm, root, life, diary, 2 + STRIDE / 2);
    }
    assertTrue(deaths > 0, "nobody died");
    assertTrue(adopted > 0 || life != MachineLife.COPIES, "none ran when its JVM died");
  }

  private int dieAtEach(ChildJvm jvm, Path root, MachineLife life, List<String> diary, int first)
      throws Exception {
    int deaths = 0;
    for (int n = first; ; n += STRIDE) {
      ChildJvm.End end = jvm.run(Doomed.class, arguments(root, life, n));
      String at = life + " at effect " + n + ": " + end.output();
      if (end.code() == Doomed.SURVIVED) {
        return deaths;
      }
      deaths++;
      assertEquals(Doomed.DIED, end.code(), at);
      int last = Diary.read(end.output()).size();
      check(root, at, diary.subList(last, Math.min(last + 2, diary.size())));
      Remains.requireNone(root, at);
    }
  }

  private static String[] arguments(Path root, MachineLife life, int n) {
    return new String[] {
      root.toString(), "btrfs", Doomed.MACHINE + life.name(), Integer.toString(n)
    };
  }

  private void check(Path root, String at, List<String> states) throws Exception {
    Set<Long> ran = Machines.processes(root);
    Set<Long> run = new TreeSet<>();
    try (Stapes stapes = Machines.open(root, "btrfs")) {
      String found = Diary.stateOf(stapes);
      assertTrue(states.contains(found), () -> at + "\nfound " + found + "\nnot of " + states);
      for (InstanceInfo info : stapes.instances().list()) {
        Instance instance = stapes.instances().get(info.id());
        if (info.status() != InstanceStatus.STOPPED) {
          long pid = instance.state().pid().orElseThrow();
          assertTrue(ran.contains(pid), at + ": another process runs: " + pid + " not of " + ran);
          run.add(pid);
          adopted++;
        }
        use(instance, at);
      }
      assertTrue(
          Machines.processes(root).size() == stapes.instances().list().size(),
          at + ": " + Machines.processes(root) + ", adopted " + run);
      for (InstanceInfo info : stapes.instances().list()) {
        stapes.instances().get(info.id()).delete(Delete.FORCE);
      }
    }
    assertEquals(Set.of(), Machines.processes(root), at);
  }

  /** Leaves it running. */
  private static void use(Instance instance, String at) {
    if (instance.info().status() == InstanceStatus.FROZEN) {
      instance.unfreeze();
    }
    if (instance.info().status() == InstanceStatus.RUNNING) {
      instance.freeze();
      assertEquals(InstanceStatus.FROZEN, instance.info().status(), at);
      instance.unfreeze();
      instance.stop(Stop.FORCE);
    }
    instance.start();
    assertEquals(InstanceStatus.RUNNING, instance.info().status(), at);
  }
}
