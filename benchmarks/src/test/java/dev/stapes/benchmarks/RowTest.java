package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowTest {
  @Test
  void a_result_in_json_has_these_members_in_this_order() throws Exception {
    Row row = Row.of("restore-running", "stapes", new long[] {1_234_567, 2_000_000});
    assertEquals(
        "[{\"path\":\"restore-running\",\"subject\":\"stapes\",\"median_ms\":1.617,"
            + "\"p90_ms\":2.0,\"n\":2}]",
        new ObjectMapper().writeValueAsString(List.of(row)));
  }
}
