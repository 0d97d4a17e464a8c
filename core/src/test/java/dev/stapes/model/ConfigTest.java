package dev.stapes.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigTest {
  private static void validate(String key, String value) {
    InstanceKeys.SCHEMA.validate("instance web", Map.of(key, value));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "limits.cpu|2",
        "limits.cpu|0-3,7",
        "limits.cpu|1-1",
        "limits.cpu.allowance|50%",
        "limits.cpu.allowance|25ms/100ms",
        "limits.memory|512MiB",
        "limits.memory|50%",
        "limits.memory.enforce|soft",
        "limits.memory.swap|false",
        "limits.memory.swap|1GiB",
        "limits.processes|100",
        "limits.kernel.nofile|1024:4096",
        "limits.kernel.memlock|unlimited",
        "boot.autostart|yes",
        "boot.autostart.priority|-5",
        "user.anything|two words",
        "environment.PATH|/bin",
        "volatile.last_state.power|RUNNING"
      })
  void a_value_as_incus_documents_it_is_valid(String key, String value) {
    validate(key, value);
    assertEquals(Optional.of(value), Config.of(Map.of(key, value)).text(key));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "limits.cpu|0",
        "limits.cpu|3-1",
        "limits.cpu|two",
        "limits.cpu.allowance|101%",
        "limits.cpu.allowance|0%",
        "limits.cpu.allowance|25/100",
        "limits.cpu.priority|11",
        "limits.memory|0",
        "limits.memory|200%",
        "limits.memory|much",
        "limits.memory.enforce|gently",
        "limits.processes|0",
        "limits.processes|-1",
        "limits.kernel.nofile|many",
        "limits.kernel.nofile|300:200",
        "limits.kernel.nofile|unlimited:200",
        "boot.autostart|perhaps",
        "boot.autostart.delay|-1"
      })
  void a_wrong_value_is_refused_with_key_and_value_in_the_message(String key, String value) {
    StapesException e = assertThrows(StapesException.class, () -> validate(key, value));
    assertEquals(StapesException.Kind.INVALID, e.kind());
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains(key) && message.contains(value), message);
  }

  @Test
  void an_unknown_key_is_refused_by_its_name() {
    StapesException e = assertThrows(StapesException.class, () -> validate("limits.cpuu", "2"));
    assertEquals("instance web: unknown config key \"limits.cpuu\"", e.getMessage());
    assertThrows(StapesException.class, () -> validate("user.", "2"));
  }

  @Test
  void a_key_that_is_absent_has_its_default() {
    assertEquals(Optional.of(30L), Config.empty().get(InstanceKeys.BOOT_HOST_SHUTDOWN_TIMEOUT));
    assertEquals(Optional.empty(), Config.empty().get(InstanceKeys.LIMITS_MEMORY));
    assertFalse(Config.empty().isTrue(InstanceKeys.BOOT_AUTOSTART));
  }

  @Test
  void an_empty_value_removes_a_key() {
    Config config = Config.of(Map.of("user.a", "1", "user.b", "2")).with("user.a", "");
    assertEquals(Map.of("user.b", "2"), config.values());
  }

  @Test
  void a_family_is_shown_without_its_prefix() {
    Config config = Config.of(Map.of("environment.A", "1", "environment.B", "2", "user.x", "3"));
    assertEquals(Map.of("A", "1", "B", "2"), config.family("environment."));
  }

  @Test
  void a_key_cannot_be_declared_twice() {
    assertThrows(
        StapesException.class, () -> InstanceKeys.SCHEMA.and(List.of(InstanceKeys.LIMITS_MEMORY)));
  }

  @Test
  void typed_limits_are_config_keys() {
    Limits limits =
        Limits.of(
            builder ->
                builder
                    .cpus(2)
                    .cpuQuota(Duration.ofMillis(25), Duration.ofMillis(100))
                    .memory(Size.ofMebibytes(64))
                    .memorySoft()
                    .swap(false)
                    .processes(10)
                    .kernel("nofile", 64));
    assertEquals(
        Map.of(
            "limits.cpu", "2",
            "limits.cpu.allowance", "25ms/100ms",
            "limits.memory", "64MiB",
            "limits.memory.enforce", "soft",
            "limits.memory.swap", "false",
            "limits.processes", "10",
            "limits.kernel.nofile", "64:64"),
        limits.entries());
    assertThrows(StapesException.class, () -> Limits.of(builder -> builder.cpus(0)));
    assertThrows(
        StapesException.class, () -> Limits.of(builder -> builder.raw(Map.of("user.a", "1"))));
  }
}
