package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.GuestCounter.count;
import static dev.stapes.examples.machine.VmBench.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.model.Device;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
@RequiresTool("ip")
@RequiresKernel("btrfs")
@RequiresGuest
@TestMethodOrder(MethodOrderer.MethodName.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MigrationIT {
  @RegisterExtension static final VmBench HERE = new VmBench("btrfs");
  @RegisterExtension static final VmBench THERE = new VmBench("dir");

  /** The further disk, and what is seen of the interface, in the guest. */
  private static final String DATA =
      "/dev/$(basename $(dirname $(grep -l data /sys/block/*/serial)))";

  /** NBD_REP_ERR_TLS_REQD. */
  private static final int TLS_REQUIRED = 0x80000005;

  private static final String INTERFACE = "cd /sys/class/net/eth0; cat address mtu";

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
    staysAfter(kind, Transport.local(), disturbance);
  }

  private static void staysAfter(Kind kind, Transport transport, Progress disturbance) {
    Instance vm = vm();
    long before = count(vm);
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> vm.migrateTo(THERE.stapes(), "moved", transport, disturbance));
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
    staysAfter(Kind.INTERRUPTED, Transport.tcp(), interruptAt("memory"));
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
    for (Transport transport : List.of(Transport.local(), Transport.tcp())) {
      for (String wanted : List.of("disk", "memory")) {
        staysAfter(
            Kind.UNAVAILABLE,
            transport,
            (stage, done, total) -> {
              if (stage.equals(wanted)) {
                emulators(THERE.root()).forEach(ProcessHandle::destroyForcibly);
              }
            });
      }
    }
    assertEquals(List.of(), keys(HERE.root()));
  }

  @Test
  void c_it_stays_where_nobody_can_listen() throws IOException {
    InetAddress documentation = InetAddress.getByName("192.0.2.1");
    staysAfter(Kind.INVALID, Transport.tcp(documentation), Progress.NONE);
  }

  /** Files with what a move is encrypted with. */
  private static List<Path> keys(Path root) {
    try (Stream<Path> all = Files.walk(root.resolve("run/qemu"))) {
      return all.filter(file -> file.endsWith("keys.psk")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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
    still.snapshots().create("kept");
    refused(Kind.UNSUPPORTED, "snapshots", still, "moved");
    still.snapshots().delete("kept");
    refused(Kind.CONFLICT, "is not running", still, "moved");
    Instance vm = vm();
    Device.Nic named = Device.Nic.p2p().hostName("stm" + ProcessHandle.current().pid());
    vm.update(change -> change.device("eth0", named));
    refused(Kind.UNSUPPORTED, "its device eth0 does not move", vm, "moved");
    vm.update(change -> change.removeDevice("eth0"));
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

    goesBackWithItsDevices(again, hash, after);
    assertEquals(List.of(), emulators(THERE.root()));
  }

  /** A disk that both see, and an interface in a bridge; then its agent ends. */
  private static void goesBackWithItsDevices(Instance vm, String hash, long before)
      throws IOException {
    Path data = Files.write(THERE.root().resolve("data"), new byte[4 << 20]);
    String bridge = "stb" + ProcessHandle.current().pid();
    ip("link", "add", bridge, "type", "bridge");
    try {
      vm.update(
          change ->
              change
                  .device("data", Device.disk("/data", disk -> disk.source(data.toString())))
                  .device("eth0", Device.Nic.p2p()));
      output(vm, "until grep -q data /sys/block/*/serial; do usleep 50000; done");
      output(vm, "until [ -e /sys/class/net/eth0 ]; do usleep 50000; done");
      output(vm, VmBench.untilOpens(DATA) + "printf before | dd of=" + DATA + " conv=fsync");
      ip("address", "add", "10.213.79.1/24", "dev", bridge);
      ip("link", "set", bridge, "up");
      ip("link", "set", tapOf(vm), "master", bridge);
      output(vm, "ip link set eth0 up && ip addr add 10.213.79.2/24 dev eth0");
      String interfaces = output(vm, INTERFACE);

      Instance back = movesPastAStranger(vm);
      assertTrue(count(back) > before);
      assertEquals(hash, hash(back));
      assertEquals(interfaces, output(back, INTERFACE));
      output(back, "ping -c 1 -w 60 10.213.79.1");
      assertEquals("before", output(back, "echo 3 > /proc/sys/vm/drop_caches; head -c 6 " + DATA));
      output(back, "printf after | dd of=" + DATA + " conv=fsync");
      assertEquals("aftere", Files.readString(data).substring(0, 6));
      assertEquals(List.of(), keys(HERE.root()));
      back.update(change -> change.removeDevice("data"));
      isKnownToTheHostWithoutAnAgent(back);
      back.delete(Delete.FORCE);
    } finally {
      ip("link", "delete", bridge);
      Files.delete(data);
    }
  }

  /** Who connects to where the disk goes is told to encrypt, and is in nobody's way. */
  private static Instance movesPastAStranger(Instance vm) {
    NbdStranger stranger = new NbdStranger(() -> emulators(HERE.root()));
    Instance moved = vm.migrateTo(HERE.stapes(), "moving", Transport.tcp(), stranger);
    assertEquals(Set.of(TLS_REQUIRED), stranger.answers());
    return moved;
  }

  private static void isKnownToTheHostWithoutAnAgent(Instance vm) {
    String address = output(vm, "cat /sys/class/net/eth0/address");
    String end = "(sleep 5; mv $(which guest-agent) /root; killall -9 qemu-ga)"; // init begins it
    vm.exec("sh", "-c", end + " <&- >/dev/null 2>&1 &").orThrow();
    GuestInfo.Address known = new GuestInfo.Address("10.213.79.2", 32);
    GuestInfo.Interface expected = new GuestInfo.Interface(Optional.of(address), List.of(known));
    GuestInfo found = vm.guest();
    while (found.hostName().isPresent()) { // it has still answered
      found = vm.guest();
    }
    assertEquals(Map.of("eth0", expected), found.interfaces());
    for (int i = 0; i < 100; i++) { // which would take minutes if each of them waited
      StapesException e = assertThrows(StapesException.class, () -> vm.exec("true"));
      assertEquals(Kind.UNAVAILABLE, e.kind(), e::toString);
      assertTrue(
          e.toString().contains("the agent that ran in the guest does not run now"), e::toString);
    }
  }

  private static void ip(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(words));
    assertEquals(0, new ProcessBuilder(command).inheritIO().start().onExit().join().exitValue());
  }

  /** The interface of the host that its emulator has the other end of. */
  private static String tapOf(Instance vm) throws IOException {
    Path all = Path.of("/proc/" + vm.state().pid().orElseThrow() + "/fdinfo");
    try (Stream<Path> files = Files.list(all)) {
      return files
          .flatMap(MigrationIT::lines)
          .filter(line -> line.startsWith("iff:"))
          .map(line -> line.substring("iff:".length()).strip())
          .findFirst()
          .orElseThrow();
    }
  }

  private static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      return Stream.of(); // it was closed meanwhile
    }
  }
}
