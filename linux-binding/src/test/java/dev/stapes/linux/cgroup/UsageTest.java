package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The transcripts are from Linux 6.18 (v1) and as documented for v2. */
class UsageTest {
  private static final String V1_CPU_STAT =
      """
      nr_periods 12
      nr_throttled 5
      throttled_time 210000000
      nr_bursts 0
      burst_time 0""";

  private static final String V1_BYTES =
      """
      8:0 Read 4096
      8:0 Write 8192
      8:0 Sync 12288
      8:0 Async 0
      8:0 Discard 0
      8:0 Total 12288
      7:1 Read 512
      7:1 Write 0
      Total 12800""";

  private static final String V1_OPERATIONS =
      """
      8:0 Read 1
      8:0 Write 2
      8:0 Total 3
      Total 3""";

  private static final String V2_CPU_STAT =
      """
      usage_usec 106488718
      user_usec 85528702
      system_usec 20960015
      nice_usec 0
      core_sched.force_idle_usec 0
      nr_periods 7
      nr_throttled 3
      throttled_usec 45
      nr_bursts 0
      burst_usec 0""";

  private static final String V2_IO_STAT =
      """
      8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0
      7:7 7:6 8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=50331648 dios=3021
      254:1""";

  private static OptionalLong is(long value) {
    return OptionalLong.of(value);
  }

  @Test
  void usage_on_v1(@TempDir Path root) {
    CgroupLayout layout =
        FabricatedHost.v1(root)
            .group("cpu,cpuacct/g", "cpuacct.usage", "109118227471", "cpu.stat", V1_CPU_STAT)
            .group("memory/g", "memory.usage_in_bytes", "1000", "memory.limit_in_bytes", "5000")
            .group("memory/g", "memory.max_usage_in_bytes", "3000")
            .group("memory/g", "memory.memsw.usage_in_bytes", "1500")
            .group("memory/g", "memory.memsw.limit_in_bytes", "9223372036854771712")
            .group("memory/g", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2")
            .group("memory/g/a/b", "memory.oom_control", "oom_kill_disable 0\noom_kill 3")
            .group("pids/g", "pids.current", "4", "pids.max", "max")
            .group("blkio/g", "blkio.throttle.io_service_bytes_recursive", V1_BYTES)
            .group("blkio/g", "blkio.throttle.io_serviced_recursive", V1_OPERATIONS)
            .layout();
    assertEquals(
        new CgroupUsage(
            is(109118227471L),
            is(12),
            is(5),
            is(210000000),
            is(1000),
            is(3000),
            is(5000),
            is(500),
            OptionalLong.empty(),
            is(5),
            is(4),
            OptionalLong.empty(),
            Map.of(
                new BlockDevice(8, 0), new CgroupUsage.Io(4096, 8192, 1, 2),
                new BlockDevice(7, 1), new CgroupUsage.Io(512, 0, 0, 0))),
        layout.group("g").usage());
  }

  @Test
  void usage_on_v2(@TempDir Path root) {
    CgroupLayout layout =
        FabricatedHost.v2(root)
            .group("g", "cpu.stat", V2_CPU_STAT, "io.stat", V2_IO_STAT)
            .group("g", "memory.current", "1000", "memory.peak", "3000", "memory.max", "max")
            .group("g", "memory.swap.current", "7", "memory.swap.max", "9")
            .group(
                "g", "memory.events", "low 0\nhigh 0\nmax 8\noom 1\noom_kill 1\noom_group_kill 0")
            .group("g", "pids.current", "4", "pids.max", "50")
            .layout();
    assertEquals(
        new CgroupUsage(
            is(106488718000L),
            is(7),
            is(3),
            is(45000),
            is(1000),
            is(3000),
            OptionalLong.empty(),
            is(7),
            is(9),
            is(1),
            is(4),
            is(50),
            Map.of(
                new BlockDevice(8, 16), new CgroupUsage.Io(1459200, 314773504, 192, 353),
                new BlockDevice(8, 0), new CgroupUsage.Io(90430464, 299008000, 8950, 1252))),
        layout.group("g").usage());
  }

  @Test
  void a_group_that_is_not_there_uses_nothing_known(@TempDir Path root) {
    CgroupUsage usage = FabricatedHost.hybrid(root).layout().group("g").usage();
    assertEquals(OptionalLong.empty(), usage.cpuNanos());
    assertEquals(OptionalLong.empty(), usage.oomKills());
    assertEquals(Map.of(), usage.io());
  }

  @Test
  void a_number_beyond_63_bits_is_the_greatest_one() {
    assertEquals(is(Long.MAX_VALUE), UsageText.number("18446744073709551615"));
    assertEquals(OptionalLong.empty(), UsageText.limit("9223372036854771712"));
    assertEquals(OptionalLong.empty(), UsageText.limit("max"));
  }

  @Property
  void no_text_breaks_the_parsers(@ForAll String text) {
    UsageText.keyed(text);
    UsageText.limit(text);
    UsageText.ioV1(text, text);
    assertEquals(0, UsageText.ioV2(text).values().stream().filter(io -> io.reads() < 0).count());
  }
}
