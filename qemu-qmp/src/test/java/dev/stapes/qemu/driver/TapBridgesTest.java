package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is known of bridges of a host whose sysfs is a directory. */
class TapBridgesTest {
  private static final Machine.Spec SPEC =
      Specs.of(
          Map.of("eth0", Device.Nic.p2p().hostName("tap0"), "eth1", Device.Nic.p2p()),
          "volatile.eth1.host_name",
          "tap1");

  @TempDir Path net;

  private Path master(String tap, String name) throws IOException {
    Path master = Files.createDirectories(net.resolve(name));
    Path port = Files.createDirectories(net.resolve(tap));
    Files.createSymbolicLink(port.resolve("master"), master);
    return master;
  }

  @BeforeEach
  void bridge() throws IOException {
    Files.createDirectory(master("tap1", "br7").resolve("bridge"));
  }

  private TapBridges bridges(String... addressed) {
    return new TapBridges(
        net, name -> Files.exists(net.resolve(name)), List.of(addressed)::contains);
  }

  private void refused(String why, String... addressed) {
    Specs.refused(
        Kind.UNSUPPORTED,
        "its device eth0 does not move: its end on the host, tap0, " + why,
        () -> bridges(addressed).of(SPEC));
  }

  @Test
  void those_that_are_in_one_are_told() throws IOException {
    Files.createDirectory(net.resolve("tap0"));
    assertEquals(Map.of("eth1", "br7"), bridges("tap1", "br7").of(SPEC));
    assertEquals(Map.of(), bridges().of(Specs.of()));
  }

  @Test
  void one_that_belongs_to_something_else_does_not_move() throws IOException {
    master("tap0", "ovs-system");
    refused("belongs to ovs-system, which is no bridge of Linux");
  }

  /** As for who has entered a network namespace, and sees the sysfs of before. */
  @Test
  void nothing_is_known_of_one_that_the_sysfs_of_another_network_namespace_lacks() {
    Specs.refused(
        Kind.UNSUPPORTED,
        "tap0, is not in " + net + ": mount sysfs anew",
        () -> new TapBridges(net, name -> true, name -> false).of(SPEC));
  }

  @Test
  void one_of_the_same_name_in_another_network_namespace_is_not_taken_for_it() throws IOException {
    Files.createDirectory(net.resolve("tap0"));
    Specs.refused(
        Kind.UNSUPPORTED,
        "tap0, is in another network namespace",
        () -> new TapBridges(net, name -> false, name -> false).of(SPEC));
  }

  @Test
  void another_root_is_another_host() throws IOException {
    HostRoot root = new HostRoot(net.resolve("root"));
    Files.createDirectories(root.interfaces().resolve("tap0"));
    Files.createDirectory(root.interfaces().resolve("tap1"));
    assertEquals(Map.of(), TapBridges.of(root, Syscalls.system()).of(SPEC));
  }

  @Test
  void what_would_be_lost_is_refused() throws IOException {
    refused("is in another network namespace");
    Files.createDirectory(net.resolve("tap0"));
    refused("has addresses, and is in no bridge", "tap0");
  }
}
