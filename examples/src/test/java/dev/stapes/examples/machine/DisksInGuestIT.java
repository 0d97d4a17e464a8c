package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.VmBench.sh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.examples.survival.DoomedOnce;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo.Bus;
import dev.stapes.model.Device.DiskIo.Cache;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Disks and directories of the host in a virtual machine, from its start and while it runs. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DisksInGuestIT {
  private static final String DISKS =
      "for d in /sys/block/vd*; do cat $d/serial; echo; done | sort | tr '\n' ' '";

  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");

  @TempDir Path directory;

  private Path file(String name, String beginning) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, beginning);
    grow(file, 4 << 20);
    return file;
  }

  private static void grow(Path file, long size) throws IOException {
    try (RandomAccessFile grown = new RandomAccessFile(file.toFile(), "rw")) {
      grown.setLength(size);
    }
  }

  private Path tree(String name) throws IOException {
    Path tree = Files.createDirectory(directory.resolve(name));
    Files.writeString(tree.resolve("who"), name);
    return tree;
  }

  /** The device that has a serial. */
  private static String withSerial(String serial, String script) {
    return "for d in /sys/block/vd*; do if [ \"$(cat $d/serial)\" = "
        + serial
        + " ]; then d=/dev/${d##*/}; "
        + script
        + "; fi; done";
  }

  /**
   * What a plugged device is in the guest comes after QEMU said that it is there: its node before
   * it can be opened (ENXIO), a directory's mount last.
   */
  private static void await(Instance vm, String said, String script) {
    String again =
        "for i in $(seq 1500); do said=$("
            + script
            + " 2>/dev/null); [ \"$said\" = \""
            + said
            + "\" ] && break; usleep 20000; done; printf %s \"$said\"";
    assertEquals(said, sh(vm, again), script);
  }

  private static void awaitMount(Instance vm, String path, String who) {
    await(vm, who, "cat " + path + "/who");
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  private static long daemons() throws IOException {
    return ProcessHandle.allProcesses()
        .filter(each -> each.info().command().orElse("").endsWith("/virtiofsd"))
        .count();
  }

  @Test
  void disks_and_directories_are_there_from_the_start_and_come_and_go() throws IOException {
    long before = daemons();
    Path data = file("data.img", "of data");
    Path only = file("only.img", "of only");
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .device("data", Device.disk("/data", disk -> disk.source(data.toString())))
                    .device(
                        "only",
                        Device.disk("/only", disk -> disk.source(only.toString()).readOnly()))
                    .device("tree", Device.disk("/srv/tree", disk -> disk.source(sourceOf("tree"))))
                    .build());
    assertEquals("data only root ", sh(vm, DISKS));
    await(vm, "of data", withSerial("data", "head -c 7 $d"));
    sh(vm, withSerial("data", "printf OF | dd of=$d conv=notrunc,fsync 2>/dev/null"));
    assertTrue(Files.readString(data).startsWith("OF data"));
    assertFalse(vm.exec("sh", "-c", withSerial("only", "printf X >$d")).exitCode() == 0);
    grow(data, (6 << 20) + 100);
    grow(only, 6 << 20);
    vm.update(update -> {});
    assertEquals((6L << 20) + 100, Files.size(data));
    await(vm, "12289", withSerial("data", "cat /sys/block/${d##*/}/size"));
    await(vm, "8192", withSerial("only", "cat /sys/block/${d##*/}/size"));
    awaitMount(vm, "/srv/tree", "tree");
    sh(vm, "echo written > /srv/tree/by-guest");
    assertEquals("written\n", Files.readString(directory.resolve("tree/by-guest")));

    comesAndGoes(vm);
    String name = vm.name();
    Instance again = BENCH.reopen().instances().get(name);
    undoesAChangeOfAnAdoptedMachine(again);
    again = isWhatItsRecordSaysAfterAJvmDiedInAnUpdate(again);
    again.update(update -> update.removeDevice("data").removeDevice("tree"));
    assertEquals("only root ", sh(again, DISKS));
    assertEquals("", sh(again, "grep virtiofs /proc/mounts || true"));
    again.stop(Stop.FORCE);
    assertEquals(before, daemons());
  }

  private void undoesAChangeOfAnAdoptedMachine(Instance vm) throws IOException {
    Path socket = directory.resolve("zz-socket");
    try (ServerSocketChannel listening =
        ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      listening.bind(java.net.UnixDomainSocketAddress.of(socket));
      Device.Disk third = Device.disk("/zz", options -> options.source(socket.toString()));
      refused(
          Kind.INVALID,
          "is no file, directory or block device",
          () ->
              vm.update(
                  update -> update.removeDevice("data").removeDevice("tree").device("zz", third)));
    }
    awaitMount(vm, "/srv/tree", "tree");
    await(vm, "data only root ", DISKS);
  }

  private Instance isWhatItsRecordSaysAfterAJvmDiedInAnUpdate(Instance vm) throws IOException {
    Path late = file("stray.img", "stray");
    String name = vm.name();
    Instance now =
        BENCH
            .reopenAfter(root -> DoomedOnce.inUpdate(root, "btrfs", name, late, "data", "tree"))
            .instances()
            .get(name);
    assertEquals(List.of("data", "only", "root", "tree"), names(now));
    await(now, "data only root ", DISKS);
    assertEquals("lo\n", sh(now, "ls /sys/class/net"));
    awaitMount(now, "/srv/tree", "tree");
    now.update(change -> change.device("late", Device.disk("/l", d -> d.source(late.toString()))));
    await(now, "stray", withSerial("late", "head -c 5 $d"));
    now.update(change -> change.removeDevice("late"));
    return now;
  }

  private String sourceOf(String name) {
    try {
      return tree(name).toString();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void comesAndGoes(Instance vm) throws IOException {
    Path late = file("late.img", "of late");
    Device.Disk disk = Device.disk("/late", options -> options.source(late.toString()));
    Device.Disk ro = Device.disk("/mnt/ro", options -> options.source(sourceOf("ro")).readOnly());
    vm.update(update -> update.device("late", disk).device("ro", ro));
    await(vm, "of late", withSerial("late", "head -c 7 $d"));
    awaitMount(vm, "/mnt/ro", "ro");
    assertFalse(vm.exec("touch", "/mnt/ro/no").exitCode() == 0);
    assertFalse(
        vm.exec("sh", "-c", "mount -o remount,rw /mnt/ro; touch /mnt/ro/no").exitCode() == 0);

    Path missing = directory.resolve("zz-missing");
    Device.Disk third = Device.disk("/zz", options -> options.source(missing.toString()));
    refused(
        Kind.NOT_FOUND,
        "zz-missing",
        () -> vm.update(update -> update.removeDevice("late").device("zz", third)));
    assertEquals(List.of("data", "late", "only", "ro", "root", "tree"), names(vm));
    await(vm, "data late only root ", DISKS);
    vm.update(update -> update.removeDevice("late").removeDevice("ro"));
    assertEquals("data only root ", sh(vm, DISKS));
    goesFromBusToBus(vm);
  }

  private static Device.Disk on(Path file, Bus bus, Cache cache) {
    return Device.disk("/b", disk -> disk.source(file.toString()).bus(bus).cache(cache));
  }

  private void goesFromBusToBus(Instance vm) throws IOException {
    sh(vm, "modprobe -a virtio_scsi sd_mod");
    Path file = file("moved.img", "moved");
    vm.update(update -> update.device("moved", on(file, Bus.VIRTIO_SCSI, Cache.NONE)));
    await(vm, "moved", "head -c 5 /dev/sda");
    sh(vm, "grep -q moved /sys/block/sda/device/vpd_pg80");
    grow(file, 6 << 20);
    vm.update(update -> {});
    await(vm, "12288", "cat /sys/block/sda/size");
    Path taken = directory.resolve("data.img");
    refused(
        Kind.INTERNAL,
        "lock",
        () -> vm.update(u -> u.device("taken", on(taken, Bus.VIRTIO_SCSI, Cache.WRITEBACK))));
    assertFalse(names(vm).contains("taken"));

    vm.update(update -> update.device("moved", on(file, Bus.NVME, Cache.UNSAFE)));
    await(vm, "moved", "head -c 5 /dev/nvme0n1");
    assertEquals("moved", sh(vm, "cat /sys/block/nvme0n1/device/serial").strip());
    assertEquals("", sh(vm, "ls /sys/block | grep sd || true"));
    vm.update(update -> update.device("moved", on(file, Bus.USB, Cache.WRITEBACK)));
    sh(vm, "until grep -q 0x0c0330 /sys/bus/pci/devices/*/class; do usleep 20000; done");
    refused(
        Kind.UNSUPPORTED,
        "a directory has the bus virtiofs alone",
        () -> vm.update(u -> u.device("moved", on(directory, Bus.USB, Cache.WRITEBACK))));
    vm.update(update -> update.removeDevice("moved"));
    assertEquals("data only root ", sh(vm, DISKS));
  }

  private static List<String> names(Instance vm) {
    return vm.info().devices().keySet().stream().sorted().toList();
  }

  private static void startsNotWith(Device device, String words) {
    refused(
        Kind.NOT_FOUND,
        words,
        () -> BENCH.stapes().instances().launch(BENCH.spec().device("of-host", device).build()));
  }

  @Test
  void devices_that_the_host_has_not_are_named() {
    TreeMap<String, String> card = new TreeMap<>(Map.of("address", "ffff:ff:1f.7"));
    startsNotWith(new Device.Raw("pci", card), "no PCI device \"ffff:ff:1f.7\"");
    TreeMap<String, String> stick = new TreeMap<>(Map.of("serial", "no such", "required", "true"));
    startsNotWith(new Device.Raw("usb", stick), "no USB device of the host has {serial=no such}");
  }

  @Test
  void what_cannot_be_plugged_leaves_nothing_and_the_root_disk_grows() throws IOException {
    Instance vm = BENCH.launch();
    long had = Long.parseLong(sh(vm, "cat /sys/block/vda/size").strip()) * 512;
    Size more = Size.ofBytes(had + (64 << 20));
    vm.update(
        update -> update.device("root", Device.root(disk -> disk.pool("default").size(more))));
    await(vm, String.valueOf(more.bytes() / 512), "cat /sys/block/vda/size");

    Path first = file("first.img", "first");
    Path socket = directory.resolve("socket");
    try (ServerSocketChannel listening =
        ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      listening.bind(java.net.UnixDomainSocketAddress.of(socket));
      refused(
          Kind.INVALID,
          "is no file, directory or block device",
          () ->
              vm.update(
                  update ->
                      update
                          .device("a1", Device.disk("/1", d -> d.source(first.toString())))
                          .device("a2", Device.disk("/2", d -> d.source(sourceOf("a2"))))
                          .device("a3", Device.disk("/3", d -> d.source(socket.toString())))));
    }
    assertEquals(List.of("root"), names(vm));
    assertEquals("root ", sh(vm, DISKS));
    vm.update(update -> update.device("a1", Device.disk("/1", d -> d.source(first.toString()))));
    await(vm, "first", withSerial("a1", "head -c 5 $d"));
    vm.stop(Stop.FORCE);
    Files.delete(first);
    refused(Kind.NOT_FOUND, "source of device a1", vm::start);
    try (Stream<Path> left = Files.list(directory)) {
      assertTrue(left.noneMatch(each -> each.equals(first)));
    }
  }
}
