package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Memory;
import dev.stapes.Stapes;
import dev.stapes.Start;
import dev.stapes.Stop;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What happens to memory that was saved, and to whoever wants it back. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SavedMachineIT {
  @RegisterExtension final Room directory = new Room();

  private Path root() throws IOException {
    return Files.createDirectories(directory.resolve("root")).toRealPath();
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  private List<Path> saved() throws IOException {
    try (Stream<Path> all = Files.walk(root().resolve("pools"))) {
      return all.filter(path -> path.getFileName().toString().startsWith("state-")).toList();
    }
  }

  private void end(Stapes stapes) throws IOException {
    stapes.instances().list().forEach(i -> stapes.instances().get(i.id()).delete(Delete.FORCE));
    stapes.close();
    Remains.requireNone(root(), "in the end");
    assertEquals(Set.of(), Machines.processes(root()));
  }

  @Test
  void memory_is_saved_when_it_is_asked_for_taken_once_and_dropped_when_told() throws IOException {
    Stapes stapes = Machines.open(root(), "dir");
    Instance vm = stapes.instances().launch(Machines.statefulSpec("vm").build());
    vm.stop(Stop.STATEFUL);
    assertTrue(vm.info().stateful());
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    assertEquals(Set.of(), Machines.processes(root()));
    vm.stop(Stop.STATEFUL); // does nothing
    stapes.close();
    Stapes again = Machines.open(root(), "dir");
    Instance same = again.instances().get("vm");
    assertTrue(same.info().stateful());
    same.start();
    assertEquals(InstanceStatus.RUNNING, same.info().status());
    assertFalse(same.info().stateful());
    assertEquals(List.of(), saved());
    same.freeze();
    refused(Kind.CONFLICT, "is frozen", () -> same.stop(Stop.STATEFUL));
    same.unfreeze();
    again.close();
    Stapes third = Machines.open(root(), "dir");
    Instance adopted = third.instances().get("vm");
    assertEquals(InstanceStatus.RUNNING, adopted.info().status());
    adopted.stop(Stop.STATEFUL);
    adopted.start(Start.STATELESS);
    assertFalse(adopted.info().stateful());
    assertEquals(List.of(), saved());
    refused(Kind.CONFLICT, "is running", () -> adopted.start(Start.STATELESS));
    refused(Kind.INVALID, "a restart drops", () -> adopted.restart(Stop.STATEFUL));
    end(third);
  }

  @Test
  void what_does_not_fit_or_is_damaged_is_not_loaded_and_stays() throws IOException {
    Stapes stapes = Machines.open(root(), "dir");
    Instance vm = stapes.instances().launch(Machines.statefulSpec("vm").build());
    vm.stop(Stop.STATEFUL);
    vm.update(change -> change.limits(limits -> limits.memory(Size.ofMebibytes(96))));
    refused(Kind.CONFLICT, "does not fit", vm::start);
    assertTrue(vm.info().stateful());
    vm.update(change -> change.limits(limits -> limits.memory(Size.ofMebibytes(64))));
    damage();
    refused(Kind.INVALID, "damaged", vm::start);
    Files.delete(saved().get(0).resolve("saved.json"));
    refused(Kind.INVALID, "damaged", vm::start);
    assertEquals(Set.of(), Machines.processes(root()));
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    vm.start(Start.STATELESS);
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    end(stapes);
  }

  private void damage() throws IOException {
    Path devices = saved().get(0).resolve("devices");
    try (FileChannel channel = FileChannel.open(devices, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), channel.size() / 2);
    }
  }

  @Test
  void a_snapshot_whose_memory_is_of_no_use_takes_nobodys_machine_or_disk() throws IOException {
    Stapes stapes = Machines.open(root(), "dir");
    Instance vm = stapes.instances().launch(Machines.statefulSpec("vm").build());
    vm.snapshots().create(SnapshotSpec.of("s").withMemory());
    damage();
    long pid = vm.state().pid().orElseThrow();
    refused(Kind.INVALID, "damaged", () -> vm.snapshots().restore("s", Memory.KEPT));
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertEquals(pid, vm.state().pid().orElseThrow());
    assertEquals(1, saved().size());
    vm.stop(Stop.STATEFUL);
    refused(Kind.INVALID, "damaged", () -> vm.snapshots().restore("s", Memory.KEPT));
    assertTrue(vm.info().stateful());
    vm.start(); // its own is as good as it was
    vm.snapshots().restore("s");
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    end(stapes);
  }

  @Test
  void memory_that_cannot_be_saved_leaves_the_machine_running() throws IOException {
    Stapes stapes = Machines.open(root(), "dir");
    Instance plain = stapes.instances().launch(Machines.spec("plain").build());
    refused(Kind.INVALID, "migration.stateful", () -> plain.stop(Stop.STATEFUL));
    assertEquals(InstanceStatus.RUNNING, plain.info().status());
    Instance fleeting =
        stapes
            .instances()
            .launch(Machines.statefulSpec("fleeting").lifetime(Lifetime.THROWAWAY).build());
    refused(Kind.INVALID, "is deleted", () -> fleeting.stop(Stop.STATEFUL));
    Instance grown = stapes.instances().launch(Machines.statefulSpec("grown").build());
    grown.update(change -> change.limits(limits -> limits.cpus(2)));
    refused(Kind.CONFLICT, "can be plugged in", () -> grown.stop(Stop.STATEFUL));
    assertEquals(InstanceStatus.RUNNING, grown.info().status());
    assertEquals(List.of(), saved());
    end(stapes);
  }
}
