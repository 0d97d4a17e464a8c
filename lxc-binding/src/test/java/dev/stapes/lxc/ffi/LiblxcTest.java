package dev.stapes.lxc.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@RequiresTool("lxc-start")
class LiblxcTest {
  private final Path lxcPath;

  LiblxcTest(@TempDir Path lxcPath) {
    this.lxcPath = lxcPath;
  }

  @AfterEach
  void remove_what_liblxc_leaves_behind() throws IOException {
    LockFiles.remove(lxcPath);
    assertFalse(Files.exists(Path.of("/run/lxc/lock" + lxcPath)));
  }

  @Test
  void a_library_that_is_not_there_is_an_answer_with_a_remedy() {
    Liblxc.Probe probe = Liblxc.load("liblxc-not-there.so.1");

    Liblxc.Probe.Missing missing = assertInstanceOf(Liblxc.Probe.Missing.class, probe);
    assertEquals("liblxc-not-there.so.1 not found", missing.reason());
    assertEquals("install the package liblxc1", missing.remedy());
  }

  @Test
  void a_library_that_is_something_else_is_an_answer_too() {
    Liblxc.Probe.Missing missing =
        assertInstanceOf(Liblxc.Probe.Missing.class, Liblxc.load("libm.so.6"));

    assertTrue(missing.reason().startsWith("libm.so.6 does not tell its version"));
  }

  @Test
  void the_library_of_this_machine_is_new_enough_and_loaded_once() {
    Liblxc library = library();

    assertTrue(library.version().isAtLeast(LxcVersion.OLDEST));
    assertEquals(Optional.of(library), Liblxc.probe().ifFound());
  }

  @Test
  void config_items_that_it_knows_are_told_from_others() {
    assertTrue(library().supportsConfigItem("lxc.idmap"));
    assertFalse(library().supportsConfigItem("lxc.nonsense"));
  }

  @Test
  void a_container_that_nobody_made_is_neither_defined_nor_running() {
    try (ContainerCalls container = library().container("nobody", lxcPath.toString())) {
      assertFalse(container.isDefined());
      assertFalse(container.isRunning());
      assertEquals("STOPPED", container.state());
      assertEquals(OptionalInt.empty(), container.initPid());
      assertEquals(OptionalInt.empty(), container.initPidfd());
      assertEquals(OptionalInt.empty(), container.devptsFd());
      assertEquals(Optional.empty(), container.runningConfigItem("lxc.uts.name"));
      assertEquals(Optional.empty(), container.cgroupItem("memory.usage_in_bytes"));
      assertThrows(LxcException.class, container::freeze);
    }
  }

  @Test
  void config_items_are_set_read_and_cleared() {
    try (ContainerCalls container = library().container("items", lxcPath.toString())) {
      container.setConfigItem("lxc.uts.name", "höst");
      assertEquals(Optional.of("höst"), container.configItem("lxc.uts.name"));

      container.setConfigItem("lxc.idmap", "u 0 1000000 65536");
      container.setConfigItem("lxc.idmap", "g 0 1000000 65536");
      assertEquals(
          Optional.of("u 0 1000000 65536\ng 0 1000000 65536"), container.configItem("lxc.idmap"));
      container.clearConfigItem("lxc.idmap");
      assertEquals(Optional.of(""), container.configItem("lxc.idmap"));
      assertEquals(Optional.empty(), container.configItem("lxc.nonsense"));
    }
  }

  @Test
  void a_refused_item_is_an_error_that_names_it() {
    try (ContainerCalls container = library().container("refused", lxcPath.toString())) {
      LxcException thrown =
          assertThrows(
              LxcException.class, () -> container.setConfigItem("lxc.idmap", "no such map"));
      assertEquals("set_config_item(refused, lxc.idmap): refused by liblxc", thrown.getMessage());
    }
  }

  @Test
  void a_saved_configuration_is_read_again() throws IOException {
    Path file = lxcPath.resolve("saved");
    try (ContainerCalls container = library().container("saver", lxcPath.toString())) {
      container.setConfigItem("lxc.uts.name", "kept");
      container.saveConfig(file.toString());
      container.clearConfig();
      assertEquals(Optional.empty(), container.configItem("lxc.uts.name"));
      container.loadConfig(file.toString());
      assertEquals(Optional.of("kept"), container.configItem("lxc.uts.name"));
    }
    assertTrue(Files.readString(file).contains("lxc.uts.name = kept"));
  }

  @Test
  void a_closed_handle_refuses_calls_and_may_be_closed_again() {
    ContainerCalls container = library().container("closed", lxcPath.toString());
    container.close();
    container.close();

    assertThrows(LxcException.class, container::state);
  }

  private static Liblxc library() {
    Liblxc.Probe probe = Liblxc.probe();
    org.junit.jupiter.api.Assertions.assertTrue(
        probe instanceof Liblxc.Probe.Found, probe::toString);
    return probe.ifFound().orElseThrow();
  }
}
