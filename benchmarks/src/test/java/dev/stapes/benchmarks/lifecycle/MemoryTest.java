package dev.stapes.benchmarks.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryTest {
  @Test
  void only_private_dirty_pages_count() {
    List<String> lines =
        List.of(
            "55d0a7a4e000-7ffd2d5f7000 ---p 00000000 00:00 0                          [rollup]",
            "Rss:                3792 kB",
            "Shared_Dirty:         12 kB",
            "Private_Clean:       420 kB",
            "Private_Dirty:       364 kB");
    assertEquals(364, Memory.privateDirty(lines));
  }

  @Test
  void a_process_without_memory_has_none() {
    assertEquals(0, Memory.privateDirty(List.of()));
  }
}
