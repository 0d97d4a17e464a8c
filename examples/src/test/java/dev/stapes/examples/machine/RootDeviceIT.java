package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.GuestCounter.count;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Size;
import dev.stapes.storage.fs.DirProvider;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The root disk of a virtual machine is a block device, where its pool has such. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresGuest
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RootDeviceIT {
  private static final Size LARGER = Size.ofMebibytes(768);

  @RegisterExtension static final VmBench HERE = VmBench.on(new LoopVolumes(new DirProvider()));

  @RegisterExtension static final VmBench THERE = new VmBench("dir");

  private static Instance launch(String name, String image) {
    return launch(HERE, name, image);
  }

  private static Instance launch(VmBench bench, String name, String image) {
    InstanceSpec spec =
        bench
            .spec(name, image)
            .config("migration.stateful", "true")
            .device("root", root(Size.ofMebibytes(512)))
            .build();
    return bench.stapes().instances().launch(spec);
  }

  private static Device root(Size size) {
    return Device.root(disk -> disk.pool("default").size(size));
  }

  private static void write(Instance vm, String text) {
    vm.exec("sh", "-c", "echo " + text + " > /root/what; sync").orThrow();
  }

  private static String read(Instance vm) {
    return vm.exec("cat", "/root/what").orThrow().stdout().strip();
  }

  private static long sectors(Instance vm) {
    return Long.parseLong(vm.exec("cat", "/sys/block/vda/size").orThrow().stdout().strip());
  }

  /** The guest is told of it by an interrupt. */
  private static void awaitSectors(Instance vm, long least) {
    String small = "[ $(cat /sys/block/vda/size) -lt " + least + " ]";
    vm.exec("sh", "-c", "while " + small + "; do usleep 20000; done").orThrow();
  }

  /** Of a descriptor, which may be closed by now. */
  private static String target(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  /** Whether a process has a loop device open. */
  private static boolean hasLoopDevice(long pid) throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (Path each : all.toList()) {
        if (target(each).startsWith("/dev/loop")) {
          return true;
        }
      }
    }
    return false;
  }

  @Test
  void it_is_snapshot_restored_cloned_and_grown_like_a_file() throws IOException {
    HERE.reopen(); // what other tests deleted is gone
    Set<String> before = devices();
    Instance vm = launch("first", "guest");
    assertTrue(hasLoopDevice(vm.state().pid().orElseThrow()));
    write(vm, "before");
    vm.snapshots().create("then");
    write(vm, "after");
    vm.copyTo("copy");
    long had = sectors(vm);
    vm.update(change -> change.device("root", root(LARGER)));
    awaitSectors(vm, LARGER.bytes() / 512);
    assertTrue(had < sectors(vm), had + ", " + sectors(vm));
    String name = vm.name();
    Instance again = HERE.reopen().instances().get(name);
    assertEquals("after", read(again));
    again.stop(Stop.FORCE);
    again.snapshots().restore("then");
    again.start();
    assertEquals("before", read(again));
    again.delete(Delete.FORCE);
    Instance clone = HERE.stapes().instances().get("copy");
    clone.start();
    assertEquals("after", read(clone));
    clone.delete(Delete.FORCE);
    HERE.reopenAfter(root -> assertEquals(before, devices()));
  }

  /** But those of images. */
  private static Set<String> devices() throws IOException {
    try (Stream<Path> files = Files.list(HERE.root().resolve("pools/default/loops"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("images-"))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void it_moves_from_a_pool_of_files_its_memory_is_saved_and_it_goes_back() {
    Instance vm = launch(THERE, "moving", "guest");
    GuestCounter.start(vm);
    write(vm, "moved");
    long before = count(vm);
    Instance here = vm.migrateTo(HERE.stapes(), "here"); // where the disk is a bit larger
    long after = count(here);
    assertTrue(after > before);
    assertEquals("moved", readAgain(here));
    here.stop(Stop.STATEFUL);
    here.start();
    assertTrue(count(here) > after);
    Instance back = here.migrateTo(THERE.stapes(), "back");
    assertTrue(count(back) > after);
    assertEquals("moved", readAgain(back));
    back.delete(Delete.FORCE);
  }

  /** From the disk. */
  private static String readAgain(Instance vm) {
    vm.exec("sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches").orThrow();
    return read(vm);
  }

  @Test
  void it_is_published_and_an_image_becomes_one() {
    Instance vm = launch("published", "guest");
    write(vm, "told");
    vm.stop(Stop.FORCE);
    HERE.stapes().images().publish(vm, "ours");
    vm.delete();
    Instance next = launch("next", "ours");
    assertEquals("told", read(next));
    next.delete(Delete.FORCE);
  }
}
