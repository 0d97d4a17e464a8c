package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is done to an emulator, its files or its JVM from outside. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MachineSurvivalIT {
  private static final int STARTS = 8;
  private static final Duration SOON = Duration.ofSeconds(60);

  @RegisterExtension final Room directory = new Room();

  private Path root() throws IOException {
    return Files.createDirectories(directory.resolve("root")).toRealPath();
  }

  private Stapes open() throws IOException {
    return Machines.open(root(), "dir");
  }

  private static Instance launch(Stapes stapes) {
    return stapes.instances().launch(Machines.spec("vm").build());
  }

  private static void signal(String name, long pid) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).inheritIO().start();
    assertEquals(0, kill.waitFor());
  }

  private static void refused(Kind kind, String words, Callable<?> call) {
    StapesException e = assertThrows(StapesException.class, call::call);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  private void removeAll(Stapes stapes) throws IOException {
    stapes.instances().get("vm").delete(Delete.FORCE);
    stapes.close();
    Remains.requireNone(root(), "in the end");
    assertEquals(Set.of(), Machines.processes(root()));
  }

  /** The root disk of the only instance. */
  private Path disk() throws IOException {
    try (Stream<Path> all = Files.walk(root().resolve("pools"))) {
      return all.filter(path -> path.endsWith("root.img")).findFirst().orElseThrow();
    }
  }

  @Test
  void a_throwaway_machine_dies_with_a_killed_jvm() throws Exception {
    ChildJvm jvm = new ChildJvm(Files.createDirectory(directory.resolve("jvm")));
    Process child = jvm.start(TwoLives.class, root().toString());
    List<Long> pids;
    try (BufferedReader lines = child.inputReader()) {
      pids = List.of(Long.parseLong(lines.readLine()), Long.parseLong(lines.readLine()));
      String status = Files.readString(Path.of("/proc/" + pids.get(1) + "/status"));
      assertTrue(status.matches("(?s).*\nUid:\t1[0-9]{9}\t.*"), status); // not root's any more
      refused(Kind.UNAVAILABLE, "another Stapes has it open", this::open);
      assertEquals(new TreeSet<>(pids), Machines.processes(root()));
    } finally {
      child.destroyForcibly();
      assertTrue(child.waitFor(60, TimeUnit.SECONDS));
    }
    ProcessHandle throwaway = ProcessHandle.of(pids.get(1)).orElse(null);
    if (throwaway != null) {
      throwaway.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
    }
    assertEquals(Set.of(pids.get(0)), Machines.processes(root()));
    Stapes stapes = open();
    Instance vm = stapes.instances().get("vm");
    assertEquals(pids.get(0), vm.state().pid().orElseThrow());
    assertEquals(1, stapes.instances().list().size());
    vm.stop(Stop.FORCE);
    removeAll(stapes);
  }

  /** Starts a durable and a throwaway machine, prints their pids, and waits to be killed. */
  public static final class TwoLives {
    private TwoLives() {}

    /** Arguments: root directory. */
    public static void main(String[] arguments) throws Exception {
      Stapes stapes = Machines.open(Path.of(arguments[0]), "dir");
      Instance vm = launch(stapes);
      System.out.println(vm.state().pid().orElseThrow());
      Instance other =
          stapes.instances().launch(Machines.spec("other").lifetime(Lifetime.THROWAWAY).build());
      System.out.println(other.state().pid().orElseThrow());
      new CountDownLatch(1).await();
    }
  }

  @Test
  void an_emulator_that_hangs_is_stopped_by_force_and_does_not_hold_up_the_next_open()
      throws Exception {
    Stapes stapes = open();
    Instance vm = launch(stapes);
    signal("STOP", vm.state().pid().orElseThrow());
    assertEquals(InstanceStatus.RUNNING, vm.state().status());
    vm.stop(Stop.FORCE);
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    vm.start();
    long pid = vm.state().pid().orElseThrow();
    stapes.close();
    signal("STOP", pid);
    long begin = System.nanoTime();
    stapes = open();
    assertTrue(System.nanoTime() - begin < SOON.toNanos(), "the open was held up");
    assertEquals(InstanceStatus.STOPPED, stapes.instances().get("vm").info().status());
    assertEquals(Set.of(), Machines.processes(root()));
    stapes.instances().get("vm").start();
    assertEquals(1, Machines.processes(root()).size());
    removeAll(stapes);
  }

  @Test
  void a_machine_whose_monitor_is_gone_is_ended_and_never_runs_twice() throws Exception {
    Stapes stapes = open();
    launch(stapes);
    Path run = Machines.runDirectory(root());
    Files.delete(run.resolve("qmp"));
    stapes.instances().get("vm").freeze();
    stapes.close();
    stapes = open();
    Instance vm = stapes.instances().get("vm");
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    assertEquals(Set.of(), Machines.processes(root()));
    vm.start();

    // The whole directory, and what may have been put there.
    stapes.close();
    run = Machines.runDirectory(root());
    try (Stream<Path> all = Files.list(run)) {
      for (Path file : all.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(run);
    stapes = open();
    assertEquals(InstanceStatus.STOPPED, stapes.instances().get("vm").info().status());
    assertEquals(Set.of(), Machines.processes(root()));
    stapes.instances().get("vm").start();
    assertEquals(1, Machines.processes(root()).size());
    removeAll(stapes);
  }

  @Test
  void an_emulator_that_is_killed_is_a_machine_that_has_stopped_whatever_its_log_is()
      throws Exception {
    Stapes stapes = open();
    Instance vm = launch(stapes);
    Path log = Machines.runDirectory(root()).resolve("log");
    Files.delete(log);
    Files.createDirectories(log.resolve("a/b"));
    signal("KILL", vm.state().pid().orElseThrow());
    vm.await(InstanceStatus.STOPPED, SOON);
    assertEquals("killed by signal 9", vm.info().lastExit().orElseThrow().reason());
    vm.start();
    log = Machines.runDirectory(root()).resolve("log");
    try (var file = new java.io.RandomAccessFile(log.toFile(), "rw")) {
      file.setLength(1L << 35);
    }
    signal("TERM", vm.state().pid().orElseThrow()); // QEMU ends by itself
    vm.await(InstanceStatus.STOPPED, SOON);
    assertTrue(vm.info().lastExit().isPresent());
    removeAll(stapes);
  }

  @Test
  void a_start_without_a_disk_or_a_kernel_says_so_and_leaves_nothing() throws Exception {
    Stapes stapes = open();
    Instance vm = stapes.instances().create(Machines.spec("vm").build());
    Path disk = disk();
    Path aside = disk.resolveSibling("aside");
    Path text = root().resolve("text");
    Files.move(disk, aside);
    refused(Kind.NOT_FOUND, "root.img is missing", vm::start);
    assertFalse(Files.exists(disk));
    Files.createDirectory(disk);
    refused(Kind.INVALID, "root.img is not a file", vm::start);
    Files.delete(disk);
    Files.createSymbolicLink(disk, Path.of("/dev/null"));
    refused(Kind.INVALID, "root.img is not a file", vm::start);
    Files.delete(disk);
    Files.move(aside, disk);
    vm.update(change -> change.config("security.csm", "false").config("qemu.kernel", "/no/kernel"));
    refused(Kind.INVALID, "\"/no/kernel\"", vm::start);
    vm.update(change -> change.config("qemu.kernel", text.toString()));
    Files.writeString(text, "not a kernel");
    refused(Kind.INTERNAL, "QEMU does not start", vm::start);
    Files.delete(text);
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    assertEquals(Set.of(), Machines.processes(root()));
    removeAll(stapes);
  }

  @Test
  void an_argument_that_qemu_refuses_is_in_the_message_and_leaves_nothing() throws Exception {
    Stapes stapes = open();
    Instance vm =
        stapes
            .instances()
            .create(Machines.spec("vm").config("raw.qemu", "-device no-such-device").build());
    refused(Kind.INTERNAL, "no-such-device", vm::start);
    assertEquals(Set.of(), Machines.processes(root()));
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    vm.update(change -> change.config("raw.qemu", ""));
    vm.start();
    removeAll(stapes);
  }

  @Test
  void an_interrupted_start_leaves_nothing() throws Exception {
    Stapes stapes = open();
    Instance vm = stapes.instances().create(Machines.spec("vm").build());
    Thread.currentThread().interrupt();
    refused(Kind.INTERRUPTED, "vm", vm::start);
    assertTrue(Thread.interrupted());
    assertEquals(Set.of(), Machines.processes(root()));
    int interrupted = 0;
    for (int i = 0; i < STARTS; i++) {
      if (isInterrupted(vm, i)) {
        interrupted++;
        assertEquals(InstanceStatus.STOPPED, vm.info().status());
        assertEquals(Set.of(), Machines.processes(root()));
        assertEquals(Set.of(), HostLeftovers.filesBelow(root().resolve("run/qemu")));
      } else {
        assertEquals(InstanceStatus.RUNNING, vm.info().status());
        vm.stop(Stop.FORCE);
      }
    }
    assertTrue(interrupted > 0, "all starts were over before");
    vm.start();
    removeAll(stapes);
  }

  /** Interrupts a start a moment after QEMU is there, and says whether that ended it. */
  private boolean isInterrupted(Instance vm, int looks) throws Exception {
    CompletableFuture<Boolean> end = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                vm.start();
                end.complete(false);
              } catch (StapesException e) {
                if (e.kind() == Kind.INTERRUPTED && e.getSuppressed().length == 0) {
                  end.complete(true);
                } else {
                  end.completeExceptionally(e);
                }
              }
            });
    thread.start();
    while (!end.isDone() && Machines.processes(root()).isEmpty()) {
      Thread.onSpinWait();
    }
    for (int i = 0; i < looks; i++) { // each takes some milliseconds
      Machines.processes(root());
    }
    thread.interrupt();
    return end.get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void no_space_for_the_variables_of_uefi_is_exhausted() throws Exception {
    try (SmallDisk disk = new SmallDisk(directory.resolve("disk"), 4)) {
      Path source = Files.createDirectory(disk.path().resolve("pool"));
      PoolSpec pool = PoolSpec.of("default", "dir").source(source.toString());
      Stapes stapes = Stapes.builder(root()).defaultPool(pool).open();
      Instance vm =
          stapes.instances().create(Machines.spec("vm").config("security.csm", "false").build());
      disk.fill();
      refused(Kind.EXHAUSTED, "vm", vm::start);
      try (Stream<Path> all = Files.walk(source)) {
        assertTrue(all.noneMatch(path -> path.getFileName().toString().contains("nvram")));
      }
      disk.free();
      vm.start();
      removeAll(stapes);
    }
  }
}
