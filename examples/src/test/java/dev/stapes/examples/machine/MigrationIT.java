package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.GuestCounter.count;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A running guest moves to another root directory, and stays where that fails; one boot. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@TestMethodOrder(MethodOrderer.MethodName.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MigrationIT {
  @RegisterExtension static final VmBench HERE = new VmBench("btrfs");
  @RegisterExtension static final VmBench THERE = new VmBench("dir");

  private static Instance vm() {
    return HERE.stapes()
        .instances()
        .find("moving")
        .orElseGet(
            () -> {
              Instance vm =
                  HERE.stapes()
                      .instances()
                      .launch(HERE.spec("moving").config("migration.stateful", "true").build());
              GuestCounter.start(vm);
              vm.exec("sh", "-c", "head -c 4000000 /dev/urandom > /root/random; sync").orThrow();
              return vm;
            });
  }

  private static String output(Instance vm, String script) {
    return vm.exec("sh", "-c", script).orThrow().stdout().strip();
  }

  /** As the disk has it. */
  private static String hash(Instance vm) {
    return output(vm, "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /root/random");
  }

  /** The emulators that run in a root directory. */
  private static List<ProcessHandle> emulators(Path root) {
    return ProcessHandle.allProcesses().filter(each -> isBelow(each, root)).toList();
  }

  private static boolean isBelow(ProcessHandle process, Path root) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/cwd")).startsWith(root);
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  private static boolean isOfArrival(Path file) {
    return file.getFileName().toString().startsWith("arriving");
  }

  private static void staysAfter(Kind kind, Progress disturbance) {
    Instance vm = vm();
    long before = count(vm);
    StapesException e =
        assertThrows(
            StapesException.class, () -> vm.migrateTo(THERE.stapes(), "moved", disturbance));
    boolean unusedInterrupt = Thread.interrupted();
    assertEquals(kind, e.kind(), e::toString);
    assertEquals(0, e.getSuppressed().length, e::toString);
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertTrue(count(vm) > before);
    assertEquals(List.of(), THERE.stapes().instances().list());
    assertEquals(List.of(), emulators(THERE.root()));
  }

  @Test
  void a_it_stays_where_its_thread_is_interrupted_while_its_disk_goes() {
    staysAfter(Kind.INTERRUPTED, interruptAt("disk"));
  }

  @Test
  void b_it_stays_where_its_thread_is_interrupted_while_its_memory_goes() {
    staysAfter(Kind.INTERRUPTED, interruptAt("memory"));
  }

  private static Progress interruptAt(String wanted) {
    return (stage, done, total) -> {
      if (stage.equals(wanted)) {
        Thread.currentThread().interrupt();
      }
    };
  }

  @Test
  void c_it_stays_where_the_other_emulator_is_killed() {
    for (String wanted : List.of("disk", "memory")) {
      staysAfter(
          Kind.UNAVAILABLE,
          (stage, done, total) -> {
            if (stage.equals(wanted)) {
              emulators(THERE.root()).forEach(ProcessHandle::destroyForcibly);
            }
          });
    }
  }

  @Test
  void d_what_does_not_move_is_refused() {
    Instance still =
        HERE.stapes()
            .instances()
            .create(
                HERE.spec("still")
                    .device("more", Device.disk("/media", d -> d.source("/tmp")))
                    .build());
    refused(Kind.INVALID, "migration.stateful", still, "moved");
    still.update(change -> change.config("migration.stateful", "true"));
    refused(Kind.UNSUPPORTED, "device more", still, "moved");
    still.update(change -> change.removeDevice("more"));
    still.snapshots().create("kept");
    refused(Kind.UNSUPPORTED, "snapshots", still, "moved");
    still.snapshots().delete("kept");
    refused(Kind.CONFLICT, "is not running", still, "moved");
    Instance vm = vm();
    vm.freeze();
    refused(Kind.CONFLICT, "stands still", vm, "moved");
    vm.unfreeze();
    Instance taken = THERE.stapes().instances().create(THERE.spec("taken").build());
    refused(Kind.CONFLICT, "exists already", vm, "taken");
    taken.delete();
    assertThrows(StapesException.class, () -> vm.migrateTo(HERE.stapes(), "here"));
    assertTrue(count(vm) > 0);
  }

  private static void refused(Kind kind, String words, Instance vm, String name) {
    StapesException e =
        assertThrows(StapesException.class, () -> vm.migrateTo(THERE.stapes(), name));
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void e_it_goes_on_there_with_its_memory_and_its_disk_and_is_gone_here() throws IOException {
    Instance vm = vm();
    String hash = hash(vm);
    long before = count(vm);
    Set<String> stages = new ConcurrentSkipListSet<>();
    Instance moved =
        vm.migrateTo(THERE.stapes(), "moved", (stage, done, total) -> stages.add(stage));
    assertEquals(new TreeSet<>(Set.of("disk", "memory")), stages);
    assertEquals(InstanceStatus.RUNNING, moved.info().status());
    assertEquals("moved", moved.name());
    long after = count(moved);
    assertTrue(after > before && after < before + 10_000, before + " then " + after);
    assertEquals(hash, hash(moved));
    assertTrue(HERE.stapes().instances().find("moving").isEmpty());
    assertEquals(Kind.NOT_FOUND, assertThrows(StapesException.class, vm::info).kind());
    assertEquals(List.of(), emulators(HERE.root()));
    try (Stream<Path> decisions = Files.list(THERE.root().resolve("handovers"))) {
      assertEquals(List.of(), decisions.toList());
    }
    try (Stream<Path> sockets = Files.walk(THERE.root().resolve("run/qemu"))) {
      assertEquals(List.of(), sockets.filter(MigrationIT::isOfArrival).toList());
    }

    Instance again = THERE.reopen().instances().get("moved");
    assertEquals(InstanceStatus.RUNNING, again.info().status());
    assertTrue(count(again) > after);

    Instance back = again.migrateTo(HERE.stapes(), "moving");
    assertTrue(count(back) > after);
    assertEquals(hash, hash(back));
    back.delete(Delete.FORCE);
    assertEquals(List.of(), emulators(THERE.root()));
  }
}
