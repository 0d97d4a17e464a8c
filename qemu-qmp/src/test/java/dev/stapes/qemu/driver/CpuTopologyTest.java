package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a guest sees its processors, and where those of the host are. */
class CpuTopologyTest {
  private static final String KEY = "qemu.cpu_topology";

  @TempDir Path directory;

  /** Two sockets of three cores of two threads, numbered as a PC does: second threads last. */
  private HostTree host() throws IOException {
    HostTree host = new HostTree(directory);
    for (int core = 0; core < 6; core++) {
      String both = core + "," + (core + 6);
      host.cpu(core, core / 3, both);
      host.cpu(core + 6, core / 3, both);
    }
    return host;
  }

  private CpuTopology seen(String cpus) throws IOException {
    return host().host().cpus().topology(CpuSet.parse(cpus));
  }

  @Test
  void pinned_cpus_are_seen_as_those_of_the_host() throws IOException {
    assertEquals(new CpuTopology(2, 3, 2), seen("0-11"));
    assertEquals(new CpuTopology(1, 2, 2), seen("0-1,6-7"));
    assertEquals(new CpuTopology(1, 3, 1), seen("3-5"));
    assertEquals(new CpuTopology(2, 1, 1), seen("0,3"));
    assertEquals(new CpuTopology(2, 1, 2), seen("2,5,8,11"));
    assertEquals(new CpuTopology(1, 1, 1), seen("11"));
  }

  @Test
  void those_that_make_no_whole_cores_or_sockets_are_cores() throws IOException {
    assertEquals(CpuTopology.ofCores(3), seen("0,1,6"));
    assertEquals(CpuTopology.ofCores(3), seen("0,1,3"));
    assertEquals(CpuTopology.ofCores(4), seen("0,1,6,3"));
  }

  @Test
  void where_the_kernel_does_not_tell_they_are_cores() throws IOException {
    HostTree host = host();
    assertEquals(CpuTopology.ofCores(2), host.host().cpus().topology(CpuSet.parse("0,99")));
    host.cpu(20, 0, "");
    host.file(directory.resolve("sys/devices/system/cpu/cpu21/topology/core_cpus_list"), "21");
    assertEquals(CpuTopology.ofCores(2), host.host().cpus().topology(CpuSet.parse("20,21")));
    HostCpus nothing = new HostRoot(directory.resolve("nowhere")).cpus();
    assertEquals(CpuTopology.ofCores(2), nothing.topology(CpuSet.parse("4-5")));
    assertEquals(List.of(4, 5), nothing.inOrder(CpuSet.parse("4-5")));
  }

  @Test
  void a_kernel_of_old_tells_it_by_another_name() throws IOException {
    HostTree host = new HostTree(directory);
    for (int cpu = 0; cpu < 2; cpu++) {
      Path topology = directory.resolve("sys/devices/system/cpu/cpu" + cpu + "/topology");
      host.file(topology.resolve("physical_package_id"), "0");
      host.file(topology.resolve("thread_siblings_list"), "0-1");
    }
    assertEquals(new CpuTopology(1, 1, 2), host.host().cpus().topology(CpuSet.parse("0-1")));
  }

  @Test
  void processors_are_pinned_where_the_guest_believes_them_to_be() throws IOException {
    HostCpus cpus = host().host().cpus();
    assertEquals(List.of(0, 6, 1, 7), cpus.inOrder(CpuSet.parse("0-1,6-7")));
    assertEquals(List.of(0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11), cpus.inOrder(CpuSet.parse("0-11")));
  }

  @Test
  void there_is_room_for_more_of_the_same() {
    assertEquals(CpuTopology.ofCores(8), CpuTopology.ofCores(2).upTo(8));
    assertEquals(CpuTopology.ofCores(9), CpuTopology.ofCores(9).upTo(4));
    assertEquals(new CpuTopology(1, 3, 2), new CpuTopology(1, 2, 2).upTo(7));
    assertEquals(new CpuTopology(4, 2, 2), new CpuTopology(2, 2, 2).upTo(18));
    assertEquals(CpuTopology.ofCores(255), CpuTopology.ofCores(1).upTo(1000));
    assertEquals(new CpuTopology(32, 5, 1), new CpuTopology(2, 5, 1).upTo(1000));
    assertTrue(new CpuTopology(32, 5, 1).isPossible());
    assertFalse(new CpuTopology(32, 8, 1).isPossible(), "its last one would be number 255");
    assertFalse(new CpuTopology(33, 5, 1).isPossible());
  }

  @Test
  void what_a_user_chooses_holds_whatever_the_host_has() throws IOException {
    HostCpus host = host().host().cpus();
    Size memory = Size.ofMebibytes(64);
    VmPlan chosen = Specs.plan("limits.cpu", "0-1", KEY, "sockets=2,cores=1,threads=4");
    VmRoom room = VmRoom.of(chosen, host, 12, memory);
    assertEquals(new CpuTopology(2, 1, 4), room.cpus());
    VmPlan pinned = Specs.plan("limits.cpu", "0-1,6-7");
    assertEquals(new CpuTopology(1, 6, 2), VmRoom.of(pinned, host, 12, memory).cpus());
    VmPlan small =
        Specs.plan("limits.cpu", "0-1,6-7", "qemu.machine", "microvm", "qemu.kernel", "/k");
    assertEquals(new CpuTopology(1, 2, 2), VmRoom.of(small, host, 12, memory).cpus());
    refused(
        Kind.INVALID,
        "fewer processors than limits.cpu, 3: \"sockets=2,cores=1,threads=1\"",
        () -> Specs.plan("limits.cpu", "3", KEY, "sockets=2,cores=1,threads=1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "2",
        "sockets=2",
        "sockets=1,cores=0,threads=1",
        "sockets=0,cores=1,threads=1",
        "sockets=1,cores=1,threads=0",
        "sockets=1,cores=256,threads=1",
        "sockets=999,cores=999,threads=999",
        "sockets=1,cores=1,threads=1,dies=2",
        " sockets=1,cores=1,threads=1",
        "sockets=-1,cores=1,threads=1",
        "cores=1,sockets=1,threads=1"
      })
  void what_is_no_topology_is_refused(String text) {
    refused(Kind.INVALID, "\"" + text + "\"", () -> CpuTopology.parse(KEY, text));
  }

  @Test
  void it_is_read_from_what_a_machine_was_started_with() {
    CpuTopology topology = CpuTopology.parse(KEY, "sockets=2,cores=3,threads=4");
    assertEquals(24, topology.processors());
    assertEquals(topology, CpuTopology.in("cpus=1,maxcpus=24," + topology, 24));
    assertEquals(CpuTopology.ofCores(7), CpuTopology.in("cpus=1,maxcpus=7", 7));
  }

  @Test
  void what_is_too_much_is_told_as_it_is() {
    assertEquals(
        new CpuTopology(1, 129, 1), CpuTopology.parse(KEY, "sockets=1,cores=129,threads=1"));
    Specs.refused(
        Kind.INVALID,
        "its last processor would have the APIC number 384, and 254 is the highest",
        () -> CpuTopology.parse(KEY, "sockets=2,cores=129,threads=1"));
    Specs.refused(
        Kind.INVALID,
        "must have a socket, a core and a thread",
        () -> CpuTopology.parse(KEY, "sockets=0,cores=1,threads=1"));
  }
}
