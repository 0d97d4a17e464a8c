package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.VmBench.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stop;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.model.VolumeSpec;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Custom volumes that are disks of virtual machines, on pools of Btrfs and of directories. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BlockVolumesIT {
  private static final Size SIZE = Size.ofMebibytes(8);

  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");

  @TempDir Path directory;

  private static Device.Disk disk(String pool, String volume) {
    return Device.disk(disk -> disk.volume(pool, volume));
  }

  /** Whether a guest, which sees what comes and goes a moment later, has a serial. */
  private static String has(String serial) {
    return "grep -qx " + serial + " /sys/block/vd*/serial 2>/dev/null";
  }

  /** Does something with the device {@code $d} that has a serial, when the guest sees it. */
  private static String with(Instance vm, String serial, String script) {
    return sh(
        vm,
        "until "
            + has(serial)
            + "; do :; done; for d in /sys/block/vd*; do if [ \"$(cat $d/serial)\" = "
            + serial
            + " ]; then d=/dev/${d##*/}; "
            + VmBench.untilOpens("$d")
            + script
            + "; fi; done");
  }

  private static void awaitGone(Instance vm, String serial) {
    sh(vm, "while " + has(serial) + "; do :; done");
  }

  private static void write(Instance vm, String serial, String text) {
    with(vm, serial, "printf " + text + " | dd of=$d conv=notrunc,fsync 2>/dev/null");
  }

  private static String read(Instance vm, String serial) {
    return with(vm, serial, "head -c 5 $d");
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void what_a_guest_writes_is_snapshot_restored_copied_and_read_again() throws IOException {
    Pool btrfs = BENCH.stapes().pools().byDefault();
    Pool dir = BENCH.stapes().pools().create(PoolSpec.of("dir", "dir"));
    Volume data = btrfs.volumes().create(VolumeSpec.block("data", SIZE));
    dir.volumes().create(VolumeSpec.block("shared", SIZE).config("security.shared", "true"));
    Instance vm = BENCH.launch();
    Instance other = BENCH.launch();
    vm.update(update -> update.device("data", disk("default", "data")));
    refused(
        Kind.BUSY,
        "in use by instance " + vm.info().name(),
        () -> other.update(update -> update.device("data", disk("default", "data"))));
    write(vm, "data", "first");
    data.snapshots().create("then");
    write(vm, "data", "later");
    data.resize(Optional.of(Size.ofMebibytes(16)));
    with(vm, "data", "until grep -qx 32768 /sys/block/${d##*/}/size; do :; done");
    refused(Kind.BUSY, vm.info().name(), () -> data.snapshots().restore("then"));
    vm.update(update -> update.removeDevice("data"));
    awaitGone(vm, "data");
    data.copyTo(VolumeCopySpec.of("dir", "copy").snapshotsToo());
    data.snapshots().restore("then");
    other.update(update -> update.device("data", disk("default", "data")));
    assertEquals("first", read(other, "data"));
    vm.update(update -> update.device("copy", disk("dir", "copy")));
    assertEquals("later", read(vm, "copy"));
    for (Instance each : new Instance[] {vm, other}) {
      each.update(update -> update.device("shared", disk("dir", "shared")));
    }
    write(vm, "shared", "share");
    assertEquals("share", read(other, "shared"));
    List<String> machines = List.of(vm.info().name(), other.info().name());
    survivesAnotherOpen(vm, other);
    machines.forEach(name -> BENCH.stapes().instances().get(name).delete(Delete.FORCE));
    backupComesBack();
    BENCH.stapes().pools().byDefault().volumes().get("data").delete();
    List.of("copy", "shared")
        .forEach(name -> BENCH.stapes().pools().get("dir").volumes().get(name).delete());
  }

  private static void survivesAnotherOpen(Instance vm, Instance other) {
    String first = vm.info().name();
    String second = other.info().name();
    BENCH.reopen();
    Instance again = BENCH.stapes().instances().get(first);
    refused(
        Kind.BUSY,
        "in use by instance " + second,
        () -> again.update(update -> update.device("more", disk("default", "data"))));
    again.update(update -> update.removeDevice("copy"));
    awaitGone(again, "copy");
  }

  private void backupComesBack() throws IOException {
    Path backup = directory.resolve("backup");
    try (OutputStream out = Files.newOutputStream(backup)) {
      BENCH.stapes().pools().get("dir").volumes().get("copy").export(out);
    }
    assertTrue(Files.size(backup) < 64 << 10, "zeros take space");
    Volume again =
        BENCH
            .stapes()
            .pools()
            .byDefault()
            .volumes()
            .importFrom(backup, Optional.of("again"), dev.stapes.model.Progress.NONE);
    assertEquals(1, again.snapshots().list().size());
    assertEquals(Optional.of(Size.ofMebibytes(16)), again.info().size());
    again.delete();
  }

  @Test
  void an_iso_volume_is_a_cd_or_a_disk_that_nobody_writes_to() throws IOException {
    ByteBuffer image = ByteBuffer.allocate(40 * 2048).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0, "begin".getBytes(StandardCharsets.US_ASCII));
    image.put(32769, "CD001".getBytes(StandardCharsets.US_ASCII));
    image.putInt(32768 + 80, 40).putShort(32768 + 128, (short) 2048);
    Path file = Files.write(directory.resolve("setup.iso"), image.array());
    BENCH.stapes().pools().byDefault().volumes().importIso(file, "setup");
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .device(
                        "cd", Device.disk(disk -> disk.volume("default", "setup").bootPriority(5)))
                    .device(
                        "ro",
                        Device.disk(
                            disk ->
                                disk.volume("default", "setup").bus(Device.DiskIo.Bus.VIRTIO_BLK)))
                    .build());
    assertEquals("begin", read(vm, "ro"));
    assertEquals("1\n", with(vm, "ro", "cat /sys/block/${d##*/}/ro"));
    // The type of a CD is 5 in SCSI; which drivers a guest has is its own affair.
    String types = "/sys/bus/scsi/devices/*:*/type";
    sh(
        vm,
        "modprobe virtio_scsi 2>/dev/null; until grep -qx 5 " + types + " 2>/dev/null; do :; done");
    assertEquals("5\n", sh(vm, "cat " + types));
    Map<String, Device> devices = vm.info().devices();
    assertTrue(devices.containsKey("cd"), devices::toString);
    vm.stop(Stop.FORCE);
    vm.delete();
    BENCH.stapes().pools().byDefault().volumes().get("setup").delete();
  }
}
