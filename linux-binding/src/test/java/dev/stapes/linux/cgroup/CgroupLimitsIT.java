package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every limit is exceeded for real. */
@RequiresRoot
class CgroupLimitsIT {
  private static final long MIB = 1 << 20;

  private final GroupOnTheMachine machine = new GroupOnTheMachine();
  private final Cgroup group = machine.group;

  @AfterEach
  void nothing_is_left() throws Exception {
    machine.close();
  }

  private static CgroupLimits.Builder limits() {
    return CgroupLimits.builder();
  }

  @Test
  void who_takes_more_memory_than_allowed_is_killed_and_counted() throws Exception {
    group.apply(limits().memoryHard(16 * MIB).build());
    // It keeps a line for as long as the line is, and this one has no end.
    GroupOnTheMachine.Child child = machine.start("tail", "/dev/zero");
    assertEquals(128 + 9, child.exitCode());
    CgroupUsage usage = group.usage();
    assertEquals(1, usage.oomKills().orElseThrow());
    assertEquals(OptionalLong.of(16 * MIB), usage.memoryLimitBytes());
    assertTrue(usage.memoryPeakBytes().orElse(0) <= 16 * MIB, usage.toString());
    assertTrue(usage.memoryPeakBytes().orElse(16 * MIB) > 8 * MIB, usage.toString());
  }

  @Test
  void a_memory_limit_goes_up_and_down_and_away_while_the_group_lives() throws Exception {
    machine.start("cat");
    CgroupLimits before = limits().build();
    for (long mib : new long[] {64, 128, 32, 512}) {
      CgroupLimits now = limits().memoryHard(mib * MIB).build();
      group.apply(now.replacing(before));
      assertEquals(OptionalLong.of(mib * MIB), group.usage().memoryLimitBytes());
      assertEquals(0, group.usage().swapLimitBytes().orElse(0));
      before = now;
    }
    group.apply(limits().memoryHard(64 * MIB).swap(new Swap.Extra(64 * MIB)).build());
    assertEquals(OptionalLong.of(64 * MIB), group.usage().swapLimitBytes());
    group.apply(limits().memoryHard(96 * MIB).swap(new Swap.Extra(16 * MIB)).build());
    assertEquals(OptionalLong.of(16 * MIB), group.usage().swapLimitBytes());
    group.apply(limits().memorySoft(10 * MIB).build());
    assertEquals(OptionalLong.empty(), group.usage().memoryLimitBytes());
    assertEquals(OptionalLong.empty(), group.usage().swapLimitBytes());
  }

  @RequiresKernel("cgroup-v1")
  @Test
  void on_v1_a_limit_below_what_is_in_use_is_refused_and_the_old_ones_are_back() throws Exception {
    group.apply(limits().memoryHard(256 * MIB).processes(50).build());
    String take = "x=$(head -c 20000000 /dev/zero | tr '\\0' a); echo ready; read -r end";
    GroupOnTheMachine.Child child = machine.start("sh", "-c", take);
    assertEquals("ready", child.output().readLine());
    CgroupException e =
        assertThrows(
            CgroupException.class,
            () -> group.apply(limits().cpu(CpuAllowance.parse("50%", 10)).memoryHard(MIB).build()));
    assertTrue(e.path().endsWith("memory.limit_in_bytes"), e.getMessage());
    assertEquals(0, e.getSuppressed().length);
    assertEquals(OptionalLong.of(256 * MIB), group.usage().memoryLimitBytes());
    Path cpu = group.directory(Controller.CPU).orElseThrow();
    assertEquals("1024", Files.readString(cpu.resolve("cpu.shares")).strip());
    assertTrue(child.process().isAlive());
  }

  @Test
  void forks_beyond_the_limit_of_processes_fail_until_it_is_raised() throws Exception {
    String[] six = {"sh", "-c", "for i in 1 2 3 4 5 6; do sleep 600 & done; echo all"};
    group.apply(limits().processes(3).build());
    GroupOnTheMachine.Child few = machine.start(six);
    assertNotEquals(0, few.exitCode());
    assertEquals(OptionalLong.of(3), group.usage().processLimit());
    assertTrue(group.usage().processes().orElseThrow() <= 3);
    group.apply(limits().processes(20).build());
    GroupOnTheMachine.Child many = machine.start(six);
    assertEquals(0, many.exitCode());
    group.apply(limits().build().replacing(limits().processes(20).build()));
    assertEquals(OptionalLong.empty(), group.usage().processLimit());
  }

  @Test
  void a_quota_of_cpu_time_throttles() throws Exception {
    group.apply(limits().cpu(CpuAllowance.parse("10ms/100ms", 10)).build());
    String count = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
    assertEquals(0, machine.start("sh", "-c", count).exitCode());
    CgroupUsage usage = group.usage();
    assertTrue(usage.throttledPeriods().orElseThrow() >= 1, usage.toString());
    assertTrue(usage.throttledNanos().orElseThrow() > 0, usage.toString());
    assertTrue(usage.cpuNanos().orElseThrow() > 10_000_000, usage.toString());
    group.apply(limits().cpu(CpuAllowance.parse("50%", 10)).build());
    long periods = group.usage().periods().orElseThrow();
    assertEquals(0, machine.start("true").exitCode());
    assertEquals(periods, group.usage().periods().orElseThrow());
  }

  @Test
  void processes_run_on_the_cpus_of_the_set_and_groups_within_follow() throws Exception {
    Cgroup within = machine.layout.group(group.name() + "/init.scope");
    within.create();
    String[] allowed = {"sh", "-c", "grep Cpus_allowed_list /proc/self/status; read -r end"};
    group.apply(limits().cpus(CpuSet.of(0)).memoryNodes(CpuSet.of(0)).build());
    GroupOnTheMachine.Child child = machine.startIn(within, allowed);
    assertEquals("Cpus_allowed_list:\t0", child.output().readLine());
    group.apply(limits().clear(Limit.CPUS).build());
    GroupOnTheMachine.Child other = machine.startIn(within, allowed);
    String online = Files.readString(Path.of("/sys/devices/system/cpu/online")).strip();
    assertEquals("Cpus_allowed_list:\t" + online, other.output().readLine());
  }

  @Test
  void a_cpu_that_is_not_there_is_refused_with_the_value() {
    CgroupException e =
        assertThrows(
            CgroupException.class,
            () -> group.apply(limits().cpus(CpuSet.of(CpuSet.MAX_ID)).build()));
    assertTrue(String.valueOf(e.value()).contains("8191"), e.getMessage());
  }

  @RequiresKernel("cgroup-v1")
  @Test
  void on_v1_device_rules_decide_what_opens() throws Exception {
    group.apply(
        limits().devices(List.of(DeviceRule.DENY_ALL, DeviceRule.allowChar(1, 3, "rw"))).build());
    assertEquals(0, machine.start("sh", "-c", ": < /dev/null").exitCode());
    GroupOnTheMachine.Child denied = machine.start("sh", "-c", ": < /dev/zero");
    assertNotEquals(0, denied.exitCode());
    assertTrue(denied.allOutput().contains("/dev/zero"));
    group.apply(limits().clear(Limit.DEVICES).build());
    assertEquals(0, machine.start("sh", "-c", ": < /dev/zero").exitCode());
  }

  @RequiresKernel("loop")
  @RequiresTool("losetup")
  @Test
  void a_throttled_disk_reads_no_faster_than_allowed(@TempDir Path directory) throws Exception {
    Path image = directory.resolve("disk.img");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(4 * MIB);
    }
    String loop = run("losetup", "--find", "--show", "--read-only", image.toString());
    try {
      BlockDevice device = BlockDevice.parse(run("lsblk", "-dno", "MAJ:MIN", loop));
      group.apply(
          limits().ioThrottle(new IoThrottle(device, 256 * 1024L, null, null, null)).build());
      String[] read = {"dd", "if=" + loop, "of=/dev/null", "bs=4k", "count=64", "iflag=direct"};
      long start = System.nanoTime();
      assertEquals(0, machine.start(read).exitCode());
      long millis = (System.nanoTime() - start) / 1_000_000;
      // A slow machine can only make it longer: unthrottled this takes a few milliseconds.
      assertTrue(millis >= 500, millis + " ms for 256 KiB at 256 KiB/s");
      CgroupUsage.Io io = group.usage().io().getOrDefault(device, new CgroupUsage.Io(0, 0, 0, 0));
      assertTrue(io.readBytes() >= 256 * 1024 && io.reads() >= 1, io.toString());
      group.apply(limits().clear(Limit.IO_THROTTLE).build());
      assertEquals(List.of(), group.plan(limits().clear(Limit.IO_THROTTLE).build()).settings());
    } finally {
      run("losetup", "--detach", loop);
    }
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.strip();
  }

  @Test
  void what_this_machine_lacks_is_an_answer_and_nothing_is_written() {
    CgroupLimits limits = limits().processes(5).hugePages("64KB", 1).build();
    UnsupportedLimitException e =
        assertThrows(UnsupportedLimitException.class, () -> group.apply(limits));
    assertEquals(Limit.HUGE_PAGES, e.limits().get(0).limit());
    assertEquals(OptionalLong.empty(), group.usage().processLimit());
  }

  @Test
  void a_new_group_has_every_file_that_an_lxc_config_names() {
    CgroupLimits limits =
        limits()
            .cpus(CpuSet.of(0))
            .memoryNodes(CpuSet.of(0))
            .cpu(CpuAllowance.parse("50ms/100ms", 5))
            .memoryHard(64 * MIB)
            .processes(100)
            .ioPriority(3)
            .devices(List.of(DeviceRule.DENY_ALL))
            .ioThrottle(new IoThrottle(new BlockDevice(7, 0), 1L, 1L, 1L, 1L))
            .build();
    LxcCgroupConfig config = machine.layout.lxcConfig(limits);
    assertTrue(config.items().size() >= 12, config.toString());
    for (LxcCgroupConfig.Item item : config.items()) {
      String file = item.key().replaceFirst("lxc\\.cgroup2?\\.", "");
      boolean there =
          group.directories().stream().anyMatch(each -> Files.exists(each.resolve(file)));
      assertTrue(there || file.startsWith("devices."), item.toString());
    }
  }
}
