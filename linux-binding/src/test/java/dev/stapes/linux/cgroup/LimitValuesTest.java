package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitValuesTest {
  private static final BlockDevice SDA = new BlockDevice(8, 0);

  @ParameterizedTest
  @CsvSource({
    "50%, 10, 512, 50",
    "10%, 10, 102, 10",
    "'', 10, 1024, 100",
    "'', 3, 1017, 93",
    "100%, 0, 1014, 90",
    "5%, 0, 41, 1",
    "0%, 0, 2, 1",
    "25ms/100ms, 10, 1024, 100",
    "250%, 10, 2560, 250",
  })
  void an_allowance_is_a_share_of_1024_on_v1_and_of_100_on_v2(
      String allowance, int priority, int shares, int weight) {
    CpuAllowance parsed = CpuAllowance.parse(allowance, priority);
    assertEquals(shares, parsed.shares());
    assertEquals(weight, parsed.weight());
  }

  @Test
  void a_time_is_a_quota_in_microseconds() {
    CpuAllowance.Quota quota = CpuAllowance.parse("25ms/100ms", 10).quota();
    assertTrue(quota != null && quota.timeMicros() == 25_000 && quota.periodMicros() == 100_000);
    assertEquals(quota, CpuAllowance.parse("25/100", 10).quota());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "50",
        "%",
        "-5%",
        "x%",
        "25ms",
        "25ms/",
        "25us/100us",
        "20000%",
        "1.5%",
        "99999999%"
      })
  void another_allowance_is_refused_with_the_value(String allowance) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> CpuAllowance.parse(allowance, 10));
    assertTrue(String.valueOf(e.getMessage()).contains("\"" + allowance + "\""), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0ms/100ms", "10ms/0ms", "10ms/1001ms"})
  void a_quota_beyond_the_kernels_range_is_refused(String allowance) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> CpuAllowance.parse(allowance, 10));
    assertTrue(String.valueOf(e.getMessage()).contains("\"" + allowance + "\""), e.getMessage());
  }

  @Test
  void limits_out_of_range_are_refused_with_the_value() {
    refused("-1", () -> CgroupLimits.builder().memoryHard(-1).build());
    refused("-2", () -> CgroupLimits.builder().memorySoft(-2).build());
    refused("-3", () -> CgroupLimits.builder().processes(-3).build());
    refused("11", () -> CgroupLimits.builder().ioPriority(11));
    refused("12", () -> CgroupLimits.builder().swapPriority(12));
    refused("-4", () -> CgroupLimits.builder().hugePages("2MB", -4).build());
    refused("2MiB", () -> CgroupLimits.builder().hugePages("2MiB", 1).build());
    refused("Extra", () -> CgroupLimits.builder().swap(new Swap.Extra(1)).build());
    refused("-5", () -> new Swap.Extra(-5));
    refused("11", () -> CpuAllowance.parse("", 11));
    refused("4294967296", () -> new IoThrottle(SDA, null, null, 1L << 32, null));
    refused("0 is not", () -> new IoThrottle(SDA, 0L, null, null, null));
    refused("4096:0", () -> new BlockDevice(4096, 0));
    refused("8-0", () -> BlockDevice.parse("8-0"));
    refused("c 1:3 wr", () -> DeviceRule.allowChar(1, 3, "wr"));
    refused("c 1:3 ", () -> DeviceRule.allowChar(1, 3, ""));
    refused("x", () -> new DeviceRule(true, 'x', 1, 3, "r"));
    refused("empty", () -> CgroupLimits.builder().cpus(CpuSet.EMPTY).build());
    refused(
        "device=8:0",
        () ->
            CgroupLimits.builder()
                .ioThrottle(IoThrottle.unlimited(SDA))
                .ioThrottle(IoThrottle.unlimited(SDA))
                .build());
  }

  private static void refused(String value, Executable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call);
    assertTrue(String.valueOf(e.getMessage()).contains(value), e.getMessage());
  }

  @Test
  void replacing_clears_what_was_limited_and_is_no_more() {
    BlockDevice sdb = new BlockDevice(8, 16);
    CgroupLimits before =
        CgroupLimits.builder()
            .memoryHard(100)
            .swap(new Swap.Never())
            .processes(5)
            .cpu(CpuAllowance.parse("10ms/20ms", 10))
            .hugePages("2MB", 1)
            .ioThrottle(new IoThrottle(SDA, 1L, null, null, null))
            .ioThrottle(new IoThrottle(sdb, 1L, null, null, null))
            .devices(List.of(DeviceRule.DENY_ALL))
            .build();
    CgroupLimits now =
        CgroupLimits.builder()
            .memorySoft(50)
            .processes(6)
            .hugePages("1GB", 1)
            .ioThrottle(new IoThrottle(SDA, 2L, null, null, null))
            .build()
            .replacing(before);
    assertEquals(
        Set.of(Limit.MEMORY_HARD, Limit.SWAP, Limit.CPU_SHARE, Limit.CPU_QUOTA, Limit.HUGE_PAGES),
        now.cleared());
    assertEquals(
        List.of(new IoThrottle(SDA, 2L, null, null, null), IoThrottle.unlimited(sdb)),
        now.ioThrottles());
    assertEquals(Long.valueOf(6), now.processes());
  }

  @Test
  void replacing_nothing_changes_nothing() {
    CgroupLimits nothing = CgroupLimits.builder().build();
    assertEquals(nothing, nothing.replacing(nothing));
  }
}
