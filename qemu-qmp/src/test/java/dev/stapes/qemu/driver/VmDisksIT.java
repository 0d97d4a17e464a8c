package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo.Bus;
import dev.stapes.model.Device.DiskIo.Cache;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.QomGet;
import dev.stapes.qmp.qemu.QueryNamedBlockNodes;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Disks of a QEMU that executes nothing. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresKernel("loop")
@Timeout(120)
class VmDisksIT {
  private static final int MIB = 1 << 20;
  private static final String[] PORTS = {
    "-device", "pcie-root-port,id=slot0,chassis=1",
    "-device", "pcie-root-port,id=slot1,chassis=2",
    "-device", "pcie-root-port,id=slot2,chassis=3"
  };

  @TempDir Path directory;

  private Path file(String name, long size) throws IOException {
    Path file = directory.resolve(name);
    try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
      sized.setLength(size);
    }
    return file;
  }

  private static VmDisks disks(BareQemu qemu) {
    String subject = "instance vm";
    return new VmDisks(BareQemu.SYS, subject, qemu.monitor(), new HotPlug(subject, qemu.monitor()));
  }

  private static Path process(BareQemu qemu) {
    return HostRoot.MACHINE.process(qemu.pid());
  }

  private static Device.Disk disk(boolean readOnly) {
    return Device.disk(
        "/x",
        disk -> {
          disk.source("/x");
          if (readOnly) {
            disk.readOnly();
          }
        });
  }

  private static long size(BareQemu qemu, String name) {
    return qemu.monitor().execute(QueryNamedBlockNodes.of()).stream()
        .filter(node -> node.nodeName().equals(Optional.of("disk-" + name)))
        .mapToLong(node -> node.image().virtualSize())
        .sum();
  }

  private void growth(String program) throws Exception {
    Path data = file("data", 4 * MIB);
    Path only = file("only", 4 * MIB);
    Path behind = file("behind", 4 * MIB);
    try (LoopDevice loop = LoopDevice.of(BareQemu.SYS, behind, false);
        BareQemu qemu = BareQemu.board(directory, program, PORTS)) {
      VmDisks disks = disks(qemu);
      disks.grow(process(qemu)); // of none
      disks.plug("data", source(data, false), disk(false), OptionalInt.of(3));
      disks.plug("only", source(only, false), disk(true), OptionalInt.empty());
      disks.plug("loop", source(loop.path(), true), disk(false), OptionalInt.empty());
      QomGet index = QomGet.of("/machine/peripheral/disk-data", "bootindex");
      assertEquals(3, qemu.monitor().execute(index).asInt());
      disks.grow(process(qemu));
      assertEquals(4 * MIB, size(qemu, "data"));

      file("data", 6 * MIB + 100);
      file("only", 6 * MIB);
      file("behind", 6 * MIB);
      loop.refreshSize();
      Path renamed = directory.resolve("renamed");
      Files.move(data, renamed, StandardCopyOption.ATOMIC_MOVE);
      file("data", 8 * MIB); // another file has its name now
      disks.grow(process(qemu));
      assertEquals(6 * MIB + 512, size(qemu, "data"), "in sectors");
      assertEquals(6 * MIB + 100, Files.size(renamed), "as it was");
      assertEquals(8 * MIB, Files.size(data));
      assertEquals(4 * MIB, size(qemu, "only"), "which nobody writes to");
      assertEquals(6 * MIB, size(qemu, "loop"));
      disks.grow(process(qemu));
      assertEquals(6 * MIB + 100, Files.size(renamed));
      Specs.refused(
          Kind.UNAVAILABLE,
          "the size of disk-",
          () -> disks.grow(HostRoot.MACHINE.process(0))); // no process
    }
    assertTrue(Files.deleteIfExists(directory.resolve("qmp")));
  }

  private static VmDisks.Source source(Path path, boolean block) {
    return new VmDisks.Source(path, block, Machine.Disk.Form.USUAL);
  }

  /** A CD is on SCSI where nothing was chosen; one that is shared does not keep others out. */
  private static void forms(BareQemu qemu, VmDisks disks, Path shared, Path image)
      throws Exception {
    Device.Disk usual = Device.disk("/x", disk -> disk.source("/x"));
    VmDisks.Source cd = new VmDisks.Source(image, false, Machine.Disk.Form.CDROM);
    disks.plug("cd", cd, usual, OptionalInt.of(7));
    assertEquals("scsi-cd", property(qemu, "disk-cd", "type").asText());
    assertEquals("virtio-scsi-pci", property(qemu, "bus-cd", "type").asText());
    Device.Disk chosen = Device.disk("/x", disk -> disk.source("/x").bus(Bus.VIRTIO_BLK));
    disks.plug("flat", cd, chosen, OptionalInt.empty());
    assertEquals("virtio-blk-pci", property(qemu, "disk-flat", "type").asText());
    VmDisks.Source both = new VmDisks.Source(shared, false, Machine.Disk.Form.SHARED);
    disks.plug("one", both, usual, OptionalInt.empty());
    disks.plug("two", both, usual, OptionalInt.empty());
    assertTrue(property(qemu, "disk-two", "share-rw").asBoolean());
  }

  private void buses(String program) throws Exception {
    Path file = file("file", 4 * MIB);
    Path only = file("only", 4 * MIB);
    try (BareQemu qemu = BareQemu.board(directory, program, PORTS)) {
      VmDisks disks = disks(qemu);
      Device.Disk scsi =
          Device.disk("/x", disk -> disk.source("/x").bus(Bus.VIRTIO_SCSI).cache(Cache.NONE));
      disks.plug("scsi", source(file, false), scsi, OptionalInt.of(4));
      assertEquals("scsi-hd", property(qemu, "disk-scsi", "type").asText());
      assertEquals("scsi", property(qemu, "disk-scsi", "serial").asText());
      assertEquals(4, property(qemu, "disk-scsi", "bootindex").asInt());
      assertEquals("virtio-scsi-pci", property(qemu, "bus-scsi", "type").asText());
      Device.Disk nvme =
          Device.disk("/x", disk -> disk.source("/x").readOnly().bus(Bus.NVME).cache(Cache.UNSAFE));
      disks.plug("nvme", source(only, false), nvme, OptionalInt.of(5));
      assertEquals("nvme", property(qemu, "disk-nvme", "type").asText());
      assertEquals(5, property(qemu, "disk-nvme", "bootindex").asInt());
      Device.Disk usb = Device.disk("/x", disk -> disk.source("/x").readOnly().bus(Bus.USB));
      disks.plug("usb", source(only, false), usb, OptionalInt.of(6));
      assertEquals("usb-storage", property(qemu, "disk-usb", "type").asText());
      assertEquals(6, property(qemu, "disk-usb", "bootindex").asInt());
      assertEquals("qemu-xhci", property(qemu, "bus-usb", "type").asText());
      file("file", 6 * MIB);
      disks.grow(process(qemu));
      assertEquals(6 * MIB, size(qemu, "scsi"));
      assertEquals(
          Map.of("disk-scsi", "slot0", "disk-nvme", "slot1", "disk-usb", "slot2"),
          AsStarted.require(
              "vm", "it cannot move", qemu.monitor(), Optional.empty(), List.of(PORTS)));
    }
    assertTrue(Files.deleteIfExists(directory.resolve("qmp")));
  }

  private static JsonNode property(BareQemu qemu, String device, String name) {
    return qemu.monitor().execute(QomGet.of("/machine/peripheral/" + device, name));
  }

  @Test
  void a_cd_is_on_scsi_and_a_shared_disk_keeps_nobody_out() throws Exception {
    String[] ports = {
      "-device", "pcie-root-port,id=slot0,chassis=1",
      "-device", "pcie-root-port,id=slot1,chassis=2",
      "-device", "pcie-root-port,id=slot2,chassis=3",
      "-device", "pcie-root-port,id=slot3,chassis=4"
    };
    try (BareQemu qemu = BareQemu.board(directory, "qemu-system-x86_64", ports)) {
      forms(qemu, disks(qemu), file("other", 4 * MIB), file("image", 4 * MIB));
    }
    assertTrue(Files.deleteIfExists(directory.resolve("qmp")));
  }

  @Test
  void each_is_on_the_bus_that_was_chosen_and_takes_one_slot() throws Exception {
    buses("qemu-system-x86_64");
  }

  @Test
  @RequiresTool("qemu10-system-x86_64")
  void each_of_a_newer_one_is_on_the_bus_that_was_chosen() throws Exception {
    buses("qemu10-system-x86_64");
  }

  @Test
  void those_that_can_be_written_to_grow() throws Exception {
    growth("qemu-system-x86_64");
  }

  @Test
  @RequiresTool("qemu10-system-x86_64")
  void those_of_a_newer_one_grow() throws Exception {
    growth("qemu10-system-x86_64");
  }
}
