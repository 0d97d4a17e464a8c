package dev.stapes.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping.Range;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpecTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"", "1web", "-web", "web-", "web_1", "wéb", "a b", "../x", "a/b", "web\n"})
  void a_name_that_is_no_host_name_is_refused_with_the_name_in_the_message(String name) {
    StapesException e =
        assertThrows(StapesException.class, () -> InstanceSpec.container(name, "busybox").build());
    assertEquals(StapesException.Kind.INVALID, e.kind());
    assertTrue(String.valueOf(e.getMessage()).contains("\"" + name + "\""));
  }

  @Test
  void a_name_of_63_characters_is_the_longest() {
    String longest = "a".repeat(63);
    assertEquals(longest, Names.instance(longest));
    assertThrows(StapesException.class, () -> Names.instance(longest + "a"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "a/b", "a b", "-x", "x\0"})
  void a_snapshot_name_cannot_be_a_path(String name) {
    assertThrows(StapesException.class, () -> Names.snapshot(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/a", "a/", "a/../b", "a b", "a:b"})
  void an_alias_cannot_leave_its_place(String alias) {
    assertThrows(StapesException.class, () -> Names.alias(alias));
  }

  @Test
  void a_spec_has_at_most_one_root_disk() {
    InstanceSpec.Builder builder =
        InstanceSpec.container("web", "busybox")
            .device("root", Device.root())
            .device("root2", Device.root());
    assertThrows(StapesException.class, builder::build);
  }

  @Test
  void an_exec_needs_a_command_without_nul_and_an_absolute_directory() {
    assertThrows(StapesException.class, () -> ExecSpec.of());
    assertThrows(StapesException.class, () -> ExecSpec.of(""));
    assertThrows(StapesException.class, () -> ExecSpec.of("echo", "a\0b"));
    assertThrows(StapesException.class, () -> ExecSpec.builder("ls").directory("tmp").build());
    assertThrows(
        StapesException.class, () -> ExecSpec.builder("ls").environment("A=B", "c").build());
    assertThrows(StapesException.class, () -> ExecSpec.builder("ls").user(-1).build());
    assertThrows(
        StapesException.class, () -> ExecSpec.builder("ls").timeout(Duration.ZERO).build());
    assertThrows(StapesException.class, () -> ExecSpec.builder("ls").terminal(0, 24).build());
  }

  @Test
  void a_failed_program_says_its_exit_code_and_the_end_of_its_errors() {
    ExecResult result =
        new ExecResult(
            List.of("false"),
            3,
            new ExecResult.Bytes(new byte[0]),
            new ExecResult.Bytes("no luck\n".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    ExecException e = assertThrows(ExecException.class, result::orThrow);
    assertEquals("exec false: exit code 3: no luck", e.getMessage());
    assertEquals(3, e.result().exitCode());
  }

  @Test
  void an_id_map_finds_the_host_id_and_refuses_overlaps() {
    IdMapping mapping = IdMapping.of(100_000, 65_536);
    assertEquals(OptionalLong.of(101_000), mapping.hostUid(1_000));
    assertEquals(OptionalLong.empty(), mapping.hostGid(65_536));
    List<Range> apart = List.of(new Range(0, 100, 10));
    assertThrows(
        StapesException.class,
        () -> new IdMapping(List.of(new Range(0, 100, 10), new Range(5, 200, 10)), apart));
    assertThrows(
        StapesException.class,
        () -> new IdMapping(apart, List.of(new Range(0, 100, 10), new Range(50, 105, 10))));
    assertThrows(StapesException.class, () -> new Range(0, 0xFFFF_FFFFL, 1));
  }
}
