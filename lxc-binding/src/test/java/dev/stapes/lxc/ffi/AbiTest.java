package dev.stapes.lxc.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AbiTest {
  @Test
  @RequiresTool("gcc")
  void the_layout_is_that_of_the_installed_headers(@TempDir Path directory)
      throws IOException, InterruptedException {
    org.junit.jupiter.api.Assertions.assertTrue(
        Files.exists(Path.of("/usr/include/lxc/lxccontainer.h")),
        "the headers of liblxc are not installed (package lxc-dev)");

    assertEquals(Abi.ours(), Abi.measured(directory, List.of("gcc"), List.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"5.0.2", "6.0.4"})
  void the_layout_is_what_was_recorded_of(String version) throws IOException {
    assertEquals(Abi.recorded(version), Abi.ours());
  }

  @Test
  void every_member_has_an_offset_of_its_own_after_the_private_fields() {
    assertEquals(80, Member.IS_DEFINED.offset());
    long distinct =
        java.util.Arrays.stream(Member.values()).mapToLong(Member::offset).distinct().count();
    assertEquals(Member.values().length, distinct);
    assertTrue(Member.INIT_PIDFD.offset() > Member.IS_DEFINED.offset());
  }
}
