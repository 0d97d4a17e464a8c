package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a virtual machine has on the pools of a driver with block volumes: its root disk is a block
 * device. The machines are fake, their disks are real.
 */
public abstract class RootDeviceContract {
  private static final Size SMALL = Size.ofMebibytes(16);
  private static final Size LARGE = Size.ofMebibytes(48);

  @TempDir Path directory;

  private final FakeMachineRoom room = FakeMachineRoom.create();

  /** For subclasses. */
  protected RootDeviceContract() {}

  /** The driver. */
  protected abstract StorageDriverProvider provider();

  /** A pool named {@code default} that does not exist yet, with room for 64 MiB of data. */
  protected abstract PoolSpec pool();

  private Stapes open(Path root) {
    return Stapes.builder(root)
        .with(FakeInstances.in(room).type(InstanceType.VIRTUAL_MACHINE))
        .with(provider())
        .defaultPool(pool())
        .open();
  }

  private static Device.Disk root(Size size) {
    return Device.root(disk -> disk.pool("default").size(size));
  }

  private RandomAccessFile disk(Instance machine) throws IOException {
    Path device = room.root(machine.id()).device().orElseThrow();
    return new RandomAccessFile(device.toFile(), "rw");
  }

  private String read(Instance machine) throws IOException {
    try (RandomAccessFile disk = disk(machine)) {
      byte[] text = new byte[4];
      disk.readFully(text);
      return new String(text, StandardCharsets.US_ASCII);
    }
  }

  private void write(Instance machine, String text) throws IOException {
    try (RandomAccessFile disk = disk(machine)) {
      disk.write(text.getBytes(StandardCharsets.US_ASCII));
      disk.getFD().sync();
    }
  }

  private long size(Instance machine) throws IOException {
    try (RandomAccessFile disk = disk(machine)) {
      return disk.length();
    }
  }

  @Test
  @Tag("smoke")
  void a_machine_has_a_device_that_is_snapshot_restored_grown_and_removed() throws IOException {
    Path image = directory.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.write("boot".getBytes(StandardCharsets.US_ASCII));
      file.setLength(SMALL.bytes() / 2);
    }
    Path root = Files.createDirectory(directory.toRealPath().resolve("stapes"));
    try (Stapes stapes = open(root)) {
      stapes.images().importFrom(ImageSources.disk(image), "image");
      InstanceSpec spec =
          InstanceSpec.virtualMachine("vm", "image").device("root", root(SMALL)).build();
      Instance vm = stapes.instances().launch(spec);
      assertEquals("boot", read(vm));
      assertTrue(size(vm) >= SMALL.bytes() && size(vm) < 2 * SMALL.bytes());
      write(vm, "then");
      vm.snapshots().create("clean");
      write(vm, "next");
      vm.update(update -> update.device("root", root(LARGE)));
      assertTrue(size(vm) >= LARGE.bytes());
      vm.stop(Stop.FORCE);
      vm.snapshots().restore("clean");
      vm.start();
      assertEquals("then", read(vm));
      vm.stop(Stop.FORCE);
      vm.delete();
      stapes.images().delete("image");
      stapes.pools().get("default").delete();
    }
    assertEquals(Set.of(), HostLeftovers.of(directory));
  }
}
