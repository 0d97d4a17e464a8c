package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Interfaces of a virtual machine, whose other ends are in a network namespace of the test. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("busybox")
@RequiresTool("ip")
@RequiresTool("nsenter")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NicsInGuestIT {
  @RegisterExtension final DriverBench bench = new DriverBench();

  private final String hostName = "stn" + ProcessHandle.current().pid();
  private Process network;

  NicsInGuestIT() throws IOException {
    network = new ProcessBuilder("unshare", "--net", "sleep", "600").start();
  }

  @BeforeEach
  void awaitNamespace() throws Exception {
    Path own = Path.of("/proc/self/ns/net");
    Path other = Path.of("/proc/" + network.pid() + "/ns/net");
    while (Files.readSymbolicLink(other).equals(Files.readSymbolicLink(own))) {
      assertTrue(network.isAlive());
      Thread.onSpinWait();
    }
    inside("ip", "link", "set", "lo", "up");
  }

  @AfterEach
  void end() throws Exception {
    network.destroyForcibly().waitFor();
  }

  private String host(String... command) {
    return bench.host().programs().run(Command.of(command)).stdout();
  }

  /** In the network namespace of the test. */
  private String inside(String... command) {
    String[] whole = new String[command.length + 4];
    System.arraycopy(
        new String[] {"nsenter", "--net", "--target", Long.toString(network.pid())},
        0,
        whole,
        0,
        4);
    System.arraycopy(command, 0, whole, 4, command.length);
    return host(whole);
  }

  /** Gives an interface of the host an address that ends with 1, where the guest's ends with 2. */
  private void connect(Machine vm, String tap, String device, String subnet) {
    host("ip", "link", "set", tap, "netns", Long.toString(network.pid()));
    inside("ip", "address", "add", subnet + ".1/24", "dev", tap);
    inside("ip", "link", "set", tap, "up");
    String there = "[ -e /sys/class/net/" + device + " ]";
    DriverBench.await(vm, there);
    DriverBench.run(vm, "ip link set " + device + " up");
    DriverBench.run(vm, "ip addr add " + subnet + ".2/24 dev " + device);
  }

  @Test
  void frames_go_both_ways_survive_the_jvm_and_interfaces_come_and_go() throws Exception {
    Device.Nic nic = nic(hostName, 1400).address("02:AA:bb:cc:dd:01").bootPriority(5);
    Machine.Spec spec = bench.spec(Map.of("eth0", nic));
    Machine vm = bench.start(spec);
    assertEquals("1400", Files.readString(Path.of("/sys/class/net", hostName, "mtu")).strip());
    connect(vm, hostName, "eth0", "10.213.77");
    assertEquals(
        "02:aa:bb:cc:dd:01 1400",
        DriverBench.run(vm, "cd /sys/class/net/eth0; echo $(cat address mtu)"));
    inside("busybox", "ping", "-c", "1", "-w", "60", "10.213.77.2");
    DriverBench.run(vm, "ping -c 1 -w 60 10.213.77.1");
    assertEquals("2000000", transferred(vm, 2_000_000));
    GuestInfo.Interface inside =
        Objects.requireNonNull(vm.guest().orElseThrow().interfaces().get("eth0"));
    assertEquals(Optional.of("02:aa:bb:cc:dd:01"), inside.hardwareAddress());
    assertTrue(inside.addresses().contains(new GuestInfo.Address("10.213.77.2", 24)), "" + inside);

    vm = bench.reopen(spec);
    assertEquals("300000", transferred(vm, 300_000));

    Device.Nic second = nic(hostName + "b", 1500);
    Machine.Spec both = DriverBench.with(spec, Map.of("eth0", nic, "lan", second), spec.config());
    vm.update(both);
    connect(vm, hostName + "b", "eth1", "10.213.78");
    inside("busybox", "ping", "-c", "1", "-w", "20", "10.213.78.2");

    vm.update(spec);
    DriverBench.await(vm, "[ ! -e /sys/class/net/eth1 ]");
    assertFalse(links().contains(hostName + "b"), links());
    vm.update(both); // its name is free again
    assertEquals(Set.of("lan"), vm.state().network().keySet()); // the other was moved away
    DriverBench.await(vm, "[ -e /sys/class/net/eth1 ]");
    assertTrue(Files.exists(Path.of("/sys/class/net", hostName + "b")));
    StapesException taken = assertThrows(StapesException.class, () -> plugTwice(spec, nic, second));
    assertEquals(Kind.CONFLICT, taken.kind(), taken.toString());
    assertTrue(taken.toString().contains("\"" + hostName + "b\""), taken.toString());

    new ProcessBuilder("kill", "-9", Long.toString(vm.pid())).start().waitFor();
    vm.exit().toCompletableFuture().get();
    assertFalse(Files.exists(Path.of("/sys/class/net", hostName + "b")));
    assertFalse(links().contains(hostName), links());
  }

  private void plugTwice(Machine.Spec spec, Device.Nic nic, Device.Nic second) {
    Machine.Spec more =
        DriverBench.with(spec, Map.of("eth0", nic, "lan", second, "wan", second), spec.config());
    bench.driver().adopt(more).orElseThrow().update(more);
  }

  private static Device.Nic nic(String hostName, int mtu) {
    return (Device.Nic)
        Device.parse(
            "nic",
            Map.of(
                "type",
                "nic",
                "nictype",
                "p2p",
                "host_name",
                hostName,
                "mtu",
                Integer.toString(mtu)));
  }

  private String links() {
    return inside("ip", "-o", "link");
  }

  /** How many bytes come through a connection to the guest. */
  private String transferred(Machine vm, int bytes) throws IOException {
    try (Machine.Exec served = vm.exec(ExecSpec.of("sh", "-c", "nc -l -p 7000 | wc -c"))) {
      DriverBench.await(vm, "netstat -ltn | grep -q :7000");
      inside("sh", "-c", "head -c " + bytes + " /dev/zero | busybox nc 10.213.77.2 7000");
      return new String(served.stdout().readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  @Test
  void a_name_that_the_host_has_is_a_conflict_and_nothing_is_left() {
    Machine.Spec spec = bench.spec(Map.of("eth0", Device.Nic.p2p().hostName("lo")));
    StapesException e = assertThrows(StapesException.class, () -> bench.start(spec));
    assertEquals(Kind.CONFLICT, e.kind(), e.toString());
    assertTrue(bench.driver().adopt(spec).isEmpty());
  }
}
