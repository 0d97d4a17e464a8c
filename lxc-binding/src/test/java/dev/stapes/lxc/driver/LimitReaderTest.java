package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.Swap;
import dev.stapes.model.Config;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LimitReaderTest {
  private static CgroupLimits read(Map<String, String> config) {
    return LimitReader.read(
        Config.of(config), Optional.empty(), Size.ofBytes(8_000_000_000L), List.of());
  }

  @Test
  void a_share_of_the_memory_is_one_of_the_host() {
    assertEquals(read(Map.of("limits.memory", "4000000000")), read(Map.of("limits.memory", "50%")));
  }

  @Test
  void more_swap_adds_to_a_hard_limit() {
    assertEquals(
        CgroupLimits.builder()
            .memoryHard(1 << 30)
            .swap(new Swap.Extra(1 << 29))
            .clear(dev.stapes.linux.cgroup.Limit.IO_THROTTLE)
            .build(),
        read(Map.of("limits.memory", "1GiB", "limits.memory.swap", "512MiB")));
  }

  @ParameterizedTest
  @CsvSource({"'',''", "limits.memory.enforce,soft"})
  void more_swap_without_a_hard_limit_is_refused(String key, String value) {
    Map<String, String> config =
        key.isEmpty()
            ? Map.of("limits.memory.swap", "512MiB")
            : Map.of("limits.memory.swap", "512MiB", "limits.memory", "1GiB", key, value);
    StapesException thrown = assertThrows(StapesException.class, () -> read(config));
    assertEquals(Kind.INVALID, thrown.kind());
    assertTrue(
        String.valueOf(thrown.getMessage()).contains("limits.memory.swap"), thrown.toString());
  }
}
