package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Limits as writes to running groups and as LXC items, on fabricated trees of v1, v2 and hybrid.
 */
class LimitTranslationTest {
  private static final BlockDevice SDA = new BlockDevice(8, 0);
  private static final String UNLIMITED = "9223372036854771712";

  private final Path root;

  LimitTranslationTest(@TempDir Path root) {
    this.root = root;
  }

  private static CgroupLimits.Builder limits() {
    return CgroupLimits.builder();
  }

  private static List<String> writes(CgroupLayout layout, CgroupLimits limits) {
    LimitPlan plan = layout.group("g").plan(limits);
    assertEquals(List.of(), plan.unsupported());
    return plan.settings().stream().map(setting -> setting.file() + "=" + setting.value()).toList();
  }

  private static List<String> items(CgroupLayout layout, CgroupLimits limits) {
    LxcCgroupConfig config = layout.lxcConfig(limits);
    assertEquals(List.of(), config.unsupported());
    return config.items().stream().map(item -> item.key() + "=" + item.value()).toList();
  }

  private CgroupLayout v1Memory(String limit, String both) {
    return FabricatedHost.v1(root)
        .group("memory/g", "memory.limit_in_bytes", limit, "memory.memsw.limit_in_bytes", both)
        .group("memory/g", "memory.soft_limit_in_bytes", UNLIMITED, "memory.swappiness", "60")
        .group("memory", "memory.swappiness", "45", "memory.memsw.limit_in_bytes", UNLIMITED)
        .layout();
  }

  @Test
  void on_v1_a_first_limit_sets_memory_before_memory_with_swap() {
    assertEquals(
        List.of(
            "memory.limit_in_bytes=100",
            "memory.memsw.limit_in_bytes=100",
            "memory.soft_limit_in_bytes=-1"),
        writes(v1Memory(UNLIMITED, UNLIMITED), limits().memoryHard(100).build()));
  }

  @Test
  void on_v1_raising_sets_memory_with_swap_first() {
    assertEquals(
        List.of("memory.memsw.limit_in_bytes=200", "memory.limit_in_bytes=200"),
        writes(v1Memory("100", "100"), limits().memoryHard(200).build()).subList(0, 2));
  }

  @Test
  void on_v1_lowering_sets_memory_first() {
    assertEquals(
        List.of("memory.limit_in_bytes=50", "memory.memsw.limit_in_bytes=50"),
        writes(v1Memory("100", "100"), limits().memoryHard(50).build()).subList(0, 2));
  }

  @Test
  void on_v1_less_memory_but_more_swap_goes_the_way_up() {
    assertEquals(
        List.of("memory.memsw.limit_in_bytes=150", "memory.limit_in_bytes=50"),
        writes(v1Memory("100", "100"), limits().memoryHard(50).swap(new Swap.Extra(100)).build())
            .subList(0, 2));
  }

  @Test
  void on_v1_clearing_memory_lifts_both_with_swap_first() {
    assertEquals(
        List.of("memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=-1"),
        writes(v1Memory("100", "100"), limits().clear(Limit.MEMORY_HARD).build()));
  }

  @Test
  void on_v1_a_soft_limit_lifts_the_hard_one() {
    assertEquals(
        List.of(
            "memory.memsw.limit_in_bytes=-1",
            "memory.limit_in_bytes=-1",
            "memory.soft_limit_in_bytes=70"),
        writes(v1Memory("100", "100"), limits().memorySoft(70).build()));
  }

  @Test
  void on_v1_swap_never_is_swappiness_0_and_the_priority_counts_down_from_70() {
    CgroupLayout layout = v1Memory(UNLIMITED, UNLIMITED);
    assertEquals(
        List.of("memory.swappiness=0"), writes(layout, limits().swap(new Swap.Never()).build()));
    assertEquals(List.of("memory.swappiness=67"), writes(layout, limits().swapPriority(3).build()));
    assertEquals(
        List.of("memory.swappiness=45"), writes(layout, limits().clear(Limit.SWAP).build()));
  }

  @Test
  void without_swap_accounting_an_explicit_swap_limit_is_unsupported_and_an_implied_one_is_not() {
    CgroupLayout layout =
        FabricatedHost.v1(root)
            .group("memory/g", "memory.limit_in_bytes", UNLIMITED)
            .group("memory/g", "memory.soft_limit_in_bytes", UNLIMITED)
            .layout();
    assertEquals(
        List.of("memory.limit_in_bytes=100", "memory.soft_limit_in_bytes=-1"),
        writes(layout, limits().memoryHard(100).build()));
    LimitPlan plan =
        layout.group("g").plan(limits().memoryHard(100).swap(new Swap.Extra(1)).build());
    assertEquals(Limit.SWAP, plan.unsupported().get(0).limit());
  }

  @Test
  void on_v2_memory_high_max_and_swap_are_separate() {
    CgroupLayout layout =
        FabricatedHost.v2(root)
            .group("g", "memory.max", "max", "memory.high", "max", "memory.swap.max", "max")
            .layout();
    assertEquals(
        List.of("memory.max=100", "memory.high=max", "memory.swap.max=0"),
        writes(layout, limits().memoryHard(100).build()));
    assertEquals(
        List.of("memory.max=100", "memory.high=max", "memory.swap.max=30"),
        writes(layout, limits().memoryHard(100).swap(new Swap.Extra(30)).build()));
    assertEquals(
        List.of("memory.max=max", "memory.high=70", "memory.swap.max=max"),
        writes(layout, limits().memorySoft(70).build()));
    assertEquals(
        List.of("memory.swap.max=0"), writes(layout, limits().swap(new Swap.Never()).build()));
  }

  @Test
  void on_v2_swappiness_is_unsupported_and_names_its_controller() {
    CgroupLayout layout = FabricatedHost.v2(root).group("g", "memory.max", "max").layout();
    UnsupportedLimit refused =
        layout.group("g").plan(limits().swapPriority(5).build()).unsupported().get(0);
    assertEquals(Limit.SWAPPINESS, refused.limit());
    assertEquals(Controller.MEMORY, refused.controller());
    assertEquals("cgroup v2 has no memory.swappiness", refused.why());
  }

  @Test
  void cpu_time_is_shares_and_quota_on_v1_weight_and_max_on_v2() {
    CgroupLimits hard = limits().cpu(CpuAllowance.parse("25ms/100ms", 9)).build();
    CgroupLimits soft = limits().cpu(CpuAllowance.parse("50%", 10)).build();
    CgroupLayout v1 =
        FabricatedHost.v1(root.resolve("one"))
            .group("cpu,cpuacct/g", "cpu.shares", "1024", "cpu.cfs_quota_us", "-1")
            .group("cpu,cpuacct/g", "cpu.cfs_period_us", "100000")
            .layout();
    assertEquals(
        List.of("cpu.shares=1023", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=25000"),
        writes(v1, hard));
    assertEquals(
        List.of("cpu.shares=512", "cpu.cfs_quota_us=-1", "cpu.cfs_period_us=100000"),
        writes(v1, soft));
    CgroupLayout v2 =
        FabricatedHost.v2(root.resolve("two"))
            .group("g", "cpu.weight", "100", "cpu.max", "max 100000")
            .layout();
    assertEquals(List.of("cpu.weight=99", "cpu.max=25000 100000"), writes(v2, hard));
    assertEquals(List.of("cpu.weight=50", "cpu.max=max 100000"), writes(v2, soft));
    CgroupLimits cleared = limits().build().replacing(hard);
    assertEquals(List.of("cpu.weight=100", "cpu.max=max 100000"), writes(v2, cleared));
  }

  @Test
  void throttles_are_a_file_for_each_kind_on_v1_and_one_line_on_v2() {
    CgroupLimits limits = limits().ioThrottle(new IoThrottle(SDA, 1000L, null, null, 50L)).build();
    String[] names = {"read_bps", "write_bps", "read_iops", "write_iops"};
    FabricatedHost host = FabricatedHost.v1(root.resolve("one"));
    for (String name : names) {
      host.group("blkio/g", "blkio.throttle." + name + "_device", "8:16 5");
    }
    assertEquals(
        List.of(
            "blkio.throttle.read_bps_device=8:0 1000",
            "blkio.throttle.write_bps_device=8:0 0",
            "blkio.throttle.read_iops_device=8:0 0",
            "blkio.throttle.write_iops_device=8:0 50"),
        writes(host.layout(), limits));
    CgroupLayout v2 =
        FabricatedHost.v2(root.resolve("two"))
            .group("g", "io.max", "8:16 rbps=1 wbps=max riops=max wiops=max")
            .layout();
    assertEquals(List.of("io.max=8:0 rbps=1000 wbps=max riops=max wiops=50"), writes(v2, limits));
    assertEquals(
        List.of("io.max=8:16 rbps=max wbps=max riops=max wiops=max"),
        writes(v2, limits().clear(Limit.IO_THROTTLE).build()));
    assertEquals(
        "blkio.throttle.read_bps_device=8:16 0",
        writes(host.layout(), limits().clear(Limit.IO_THROTTLE).build()).get(0));
  }

  @Test
  void io_weight_goes_to_whichever_scheduler_has_it() {
    CgroupLimits limits = limits().ioPriority(3).build();
    FabricatedHost host = FabricatedHost.v1(root).group("blkio/g");
    assertEquals(
        "the kernel has neither blkio.weight nor blkio.bfq.weight",
        host.layout().group("g").plan(limits).unsupported().get(0).why());
    host.group("blkio/g", "blkio.bfq.weight", "100");
    assertEquals(List.of("blkio.bfq.weight=300"), writes(host.layout(), limits));
    host.group("blkio/g", "blkio.weight", "500");
    assertEquals(List.of("blkio.weight=300"), writes(host.layout(), limits));
    assertEquals(List.of("blkio.weight=10"), writes(host.layout(), limits().ioPriority(0).build()));
    assertEquals(
        List.of("blkio.weight=500"),
        writes(host.layout(), limits().clear(Limit.IO_WEIGHT).build()));
  }

  @Test
  void huge_pages_limit_reservations_too_where_they_are_counted() {
    CgroupLayout layout =
        FabricatedHost.v2(root)
            .group("g", "hugetlb.2MB.max", "max", "hugetlb.2MB.rsvd.max", "max")
            .group("g", "hugetlb.1GB.max", "5")
            .layout();
    assertEquals(
        List.of("hugetlb.2MB.max=4096", "hugetlb.2MB.rsvd.max=4096"),
        writes(layout, limits().hugePages("2MB", 4096).build()));
    assertEquals(
        List.of("hugetlb.2MB.max=4096", "hugetlb.2MB.rsvd.max=4096", "hugetlb.1GB.max=max"),
        writes(layout, limits().hugePages("2MB", 4096).clear(Limit.HUGE_PAGES).build()));
    assertEquals(
        Limit.HUGE_PAGES,
        layout.group("g").plan(limits().hugePages("64KB", 1).build()).unsupported().get(0).limit());
  }

  @Test
  void processes_and_their_clearing() {
    CgroupLayout layout = FabricatedHost.v1(root).group("pids/g", "pids.max", "max").layout();
    assertEquals(List.of("pids.max=7"), writes(layout, limits().processes(7).build()));
    assertEquals(List.of("pids.max=max"), writes(layout, limits().clear(Limit.PROCESSES).build()));
  }

  @Test
  void a_missing_group_or_controller_is_unsupported_and_clearing_there_is_nothing() {
    CgroupLayout layout = FabricatedHost.at(root).v1("pids", "/").group("memory").layout();
    CgroupLimits limits = limits().processes(1).memoryHard(1).hugePages("2MB", 1).build();
    List<UnsupportedLimit> refused = layout.group("g").plan(limits).unsupported();
    assertEquals(
        List.of(Limit.MEMORY_HARD, Limit.PROCESSES, Limit.HUGE_PAGES),
        refused.stream().map(UnsupportedLimit::limit).toList());
    assertTrue(refused.get(1).why().startsWith("there is no group "), refused.get(1).why());
    assertEquals(List.of(), writes(layout, limits().build().replacing(limits)));
    UnsupportedLimitException e =
        assertThrows(UnsupportedLimitException.class, () -> layout.group("g").apply(limits));
    assertEquals(refused, e.limits());
    assertTrue(
        String.valueOf(e.getMessage()).contains("MEMORY_HARD (controller memory): "),
        e.getMessage());
  }

  @Test
  void device_rules_are_written_on_v1_in_their_order_and_unsupported_on_a_running_v2_group() {
    CgroupLimits limits =
        limits()
            .devices(
                List.of(
                    DeviceRule.DENY_ALL,
                    DeviceRule.allowChar(1, 3, "rwm"),
                    new DeviceRule(true, 'c', 136, null, "rw")))
            .build();
    CgroupLayout v1 =
        FabricatedHost.v1(root.resolve("one"))
            .group("devices/g", "devices.allow", "", "devices.deny", "")
            .layout();
    assertEquals(
        List.of("devices.deny=a", "devices.allow=c 1:3 rwm", "devices.allow=c 136:* rw"),
        writes(v1, limits));
    CgroupLayout v2 = FabricatedHost.v2(root.resolve("two")).group("g").layout();
    assertEquals(Limit.DEVICES, v2.group("g").plan(limits).unsupported().get(0).limit());
    assertEquals(
        List.of(
            "lxc.cgroup2.devices.deny=a",
            "lxc.cgroup2.devices.allow=c 1:3 rwm",
            "lxc.cgroup2.devices.allow=c 136:* rw"),
        items(v2, limits));
  }

  @Test
  void an_lxc_config_has_the_keys_of_the_layout() {
    CgroupLimits limits =
        limits()
            .cpus(CpuSet.parse("0,2"))
            .cpu(CpuAllowance.parse("50ms/100ms", 10))
            .memoryHard(1 << 20)
            .processes(100)
            .build();
    CgroupLayout hybrid =
        FabricatedHost.hybrid(root.resolve("hybrid"))
            .group("memory", "memory.memsw.limit_in_bytes", UNLIMITED)
            .group("cpu,cpuacct", "cpu.cfs_period_us", "100000", "cpu.cfs_quota_us", "-1")
            .layout();
    assertEquals(
        List.of(
            "lxc.cgroup.cpuset.cpus=0,2",
            "lxc.cgroup.cpu.cfs_period_us=100000",
            "lxc.cgroup.cpu.cfs_quota_us=50000",
            "lxc.cgroup.memory.limit_in_bytes=1048576",
            "lxc.cgroup.memory.memsw.limit_in_bytes=1048576",
            "lxc.cgroup.pids.max=100"),
        items(hybrid, limits));
    assertEquals(
        List.of(
            "lxc.cgroup2.cpuset.cpus=0,2",
            "lxc.cgroup2.cpu.max=50000 100000",
            "lxc.cgroup2.memory.max=1048576",
            "lxc.cgroup2.memory.swap.max=0",
            "lxc.cgroup2.pids.max=100"),
        items(FabricatedHost.v2(root.resolve("v2")).layout(), limits));
  }

  @Test
  void a_controller_on_v2_of_a_hybrid_layout_is_out_of_an_lxc_configs_reach() {
    CgroupLayout layout =
        FabricatedHost.v1(root).v2("/sys/fs/cgroup/unified", "hugetlb", "/").layout();
    LxcCgroupConfig config = layout.lxcConfig(limits().hugePages("2MB", 1).build());
    assertEquals(List.of(), config.items());
    assertEquals(Controller.HUGETLB, config.unsupported().get(0).controller());
    assertTrue(config.unsupported().get(0).why().contains("liblxc ignores lxc.cgroup2"));
  }

  @Test
  void what_a_first_group_will_have_is_guessed_from_signs_at_the_root() {
    FabricatedHost host = FabricatedHost.v2(root);
    CgroupLimits limits = limits().ioPriority(5).hugePages("2MB", 1).build();
    assertEquals(2, host.layout().lxcConfig(limits).unsupported().size());
    host.file("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0")
        .group("", "io.cost.qos", "");
    assertEquals(
        List.of(
            "lxc.cgroup2.io.weight=500",
            "lxc.cgroup2.hugetlb.2MB.max=1",
            "lxc.cgroup2.hugetlb.2MB.rsvd.max=1"),
        items(host.layout(), limits));
  }

  @Test
  void what_a_group_that_exists_lacks_a_new_one_lacks_too() {
    CgroupLayout layout =
        FabricatedHost.v2(root)
            .group("system.slice", "cgroup.controllers", "memory pids", "memory.max", "max")
            .group("system.slice", "memory.high", "max", "cgroup.procs", "")
            .layout();
    CgroupLimits implied = limits().memoryHard(1).build();
    assertEquals(List.of("lxc.cgroup2.memory.max=1"), items(layout, implied));
    CgroupLimits wanted = limits().memoryHard(1).swap(new Swap.Extra(1)).build();
    assertEquals(Limit.SWAP, layout.lxcConfig(wanted).unsupported().get(0).limit());
  }

  @Test
  void a_group_that_is_being_removed_tells_nothing_of_a_new_one() {
    FabricatedHost host = FabricatedHost.v1(root).group("pids/going");
    CgroupLimits limits = limits().processes(5).build();
    List<String> wanted = List.of("lxc.cgroup.pids.max=5");
    assertEquals(wanted, items(host.layout(), limits));
    host.group("pids/is", "pids.max", "max", "cgroup.procs", "");
    CgroupLayout layout = host.layout();
    assertEquals(wanted, items(layout, limits));
    host.group("pids/odd", "cgroup.procs", "");
    assertEquals(wanted, items(layout, limits));
  }

  @Test
  void a_v1_cpuset_takes_the_groups_within_along() {
    FabricatedHost host =
        FabricatedHost.v1(root)
            .group("cpuset", "cpuset.cpus", "0-7")
            .group("cpuset/g", "cpuset.cpus", "0-3")
            .group("cpuset/g/follows", "cpuset.cpus", "0-3")
            .group("cpuset/g/follows/chose", "cpuset.cpus", "1")
            .group("cpuset/g/elsewhere", "cpuset.cpus", "0");
    Cgroup group = host.layout().group("g");
    group.apply(limits().cpus(CpuSet.parse("1-2")).build());
    assertEquals("1-2", host.read("cpuset/g/cpuset.cpus"));
    assertEquals("1-2", host.read("cpuset/g/follows/cpuset.cpus"));
    assertEquals("1", host.read("cpuset/g/follows/chose/cpuset.cpus"));
    assertEquals("1-2", host.read("cpuset/g/elsewhere/cpuset.cpus"));
    group.apply(limits().clear(Limit.CPUS).build());
    assertEquals("0-7", host.read("cpuset/g/cpuset.cpus"));
    assertEquals("0-7", host.read("cpuset/g/follows/cpuset.cpus"));
    assertEquals("1", host.read("cpuset/g/follows/chose/cpuset.cpus"));
  }

  @Test
  void at_every_step_a_v1_cpuset_contains_those_within() {
    CgroupLayout layout =
        FabricatedHost.v1(root)
            .group("cpuset/g", "cpuset.cpus", "0-1")
            .group("cpuset/g/a", "cpuset.cpus", "0")
            .layout();
    LimitPlan plan = layout.group("g").plan(limits().cpus(CpuSet.parse("2-3")).build());
    assertEquals(
        List.of("g=0-3", "a=0,2-3", "a=2-3", "g=2-3"),
        plan.settings().stream()
            .map(setting -> setting.directory().getFileName() + "=" + setting.value())
            .toList());
  }

  @Test
  void on_v2_a_cleared_cpuset_is_the_parents() {
    CgroupLayout layout = FabricatedHost.v2(root).group("g", "cpuset.cpus", "0").layout();
    assertEquals(List.of("cpuset.cpus=\n"), writes(layout, limits().clear(Limit.CPUS).build()));
  }

  @Test
  void when_a_write_fails_those_before_it_are_put_back() throws Exception {
    FabricatedHost host =
        FabricatedHost.v2(root).group("g", "memory.max", "77", "memory.high", "max");
    // A directory in place of the file: it exists, and writing it fails.
    Files.createDirectories(host.path("g/pids.max"));
    Cgroup group = host.layout().group("g");
    CgroupException e =
        assertThrows(
            CgroupException.class, () -> group.apply(limits().memoryHard(5).processes(3).build()));
    assertTrue(String.valueOf(e.getMessage()).contains("pids.max"), e.getMessage());
    assertEquals("77", host.read("g/memory.max"));
  }

  @Test
  void a_throttle_is_undone_by_the_line_of_its_device() {
    CgroupLayout layout = FabricatedHost.v2(root).layout();
    Hierarchy v2 = layout.unified().orElseThrow();
    Setting setting = new Setting(Limit.IO_THROTTLE, v2, root, "io.max", "8:0 rbps=1");
    assertEquals("8:0 rbps=9", UndoSetting.before(setting, "8:16 rbps=1\n8:0 rbps=9"));
    assertEquals(
        "8:0 rbps=max wbps=max riops=max wiops=max", UndoSetting.before(setting, "8:16 rbps=1"));
  }
}
