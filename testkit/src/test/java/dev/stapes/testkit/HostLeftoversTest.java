package dev.stapes.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostLeftoversTest {
  private final Path directory;

  HostLeftoversTest(@TempDir Path directory) throws IOException {
    this.directory = directory.toRealPath();
  }

  @Test
  void a_directory_that_nobody_uses_has_none() {
    assertEquals(Set.of(), HostLeftovers.of(directory, "no-such-tag"));
  }

  @Test
  @RequiresTool("sleep")
  void a_process_that_works_in_it_is_one_until_it_ends() throws Exception {
    Process process = new ProcessBuilder("sleep", "1000").directory(directory.toFile()).start();
    try {
      assertEquals(
          Set.of("process " + process.pid() + ": sleep 1000"), HostLeftovers.of(directory));
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertEquals(Set.of(), HostLeftovers.of(directory));
  }

  @Test
  void a_virtual_machine_with_its_tag_is_one_wherever_it_works() throws Exception {
    Path gone = Files.createDirectory(directory.resolve("gone"));
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh", "-c", "echo up; read line; exit", "qemu", "-name", "guest=some-tag-1,x=y");
    Process process = builder.directory(gone.toFile()).start();
    try {
      assertEquals('u', process.getInputStream().read());
      Files.delete(gone);
      Set<String> found = HostLeftovers.of(Path.of("/no/such/directory"), "some-tag-");
      assertEquals(1, found.size(), found::toString);
      assertEquals(found, HostLeftovers.of(directory));
      assertEquals(Set.of(), HostLeftovers.of(Path.of("/no/such/directory"), "other-tag-"));
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void files_below_it_are_listed() throws IOException {
    Files.createFile(Files.createDirectory(directory.resolve("sub")).resolve("file"));
    assertEquals(
        Set.of("file " + directory.resolve("sub"), "file " + directory.resolve("sub/file")),
        HostLeftovers.filesBelow(directory));
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory.resolve("missing")));
  }

  @Test
  void a_tag_that_could_be_anybody_s_is_refused() {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> HostLeftovers.of(directory, "lxc"));
    assertTrue(String.valueOf(refused.getMessage()).contains("\"lxc\""));
  }
}
