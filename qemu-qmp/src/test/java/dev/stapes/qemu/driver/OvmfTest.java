package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OvmfTest {
  @TempDir Path directory;

  private Ovmf ovmf() throws IOException {
    Path variables = Files.writeString(directory.resolve("VARS.fd"), "fresh");
    return new Ovmf(directory.resolve("CODE.fd"), variables);
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(path -> path.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  @Test
  void a_machine_gets_variables_of_its_own_once() throws IOException {
    Path own = directory.resolve("nvram.fd");
    ovmf().prepareVariables(own);
    assertEquals("fresh", Files.readString(own));
    assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(own));
    Files.writeString(own, "set by the guest");
    ovmf().prepareVariables(own);
    assertEquals("set by the guest", Files.readString(own));
    assertEquals(Set.of("VARS.fd", "nvram.fd"), names());
  }

  @Test
  void a_copy_that_was_cut_short_is_made_again() throws IOException {
    Path own = directory.resolve("nvram.fd");
    Files.writeString(directory.resolve("nvram.fd.part"), "fr");
    ovmf().prepareVariables(own);
    assertEquals("fresh", Files.readString(own));
    assertEquals(Set.of("VARS.fd", "nvram.fd"), names());
  }

  @Test
  void a_copy_that_fails_leaves_nothing() throws IOException {
    Ovmf missing = new Ovmf(directory.resolve("CODE.fd"), directory.resolve("missing"));
    assertThrows(
        NoSuchFileException.class, () -> missing.prepareVariables(directory.resolve("nvram.fd")));
    assertEquals(Set.of(), names());
  }

  @Test
  void no_space_is_an_error_of_its_own() {
    Specs.refused(
        dev.stapes.model.StapesException.Kind.EXHAUSTED,
        "instance vm: start failed",
        () -> {
          throw IoFailure.of(
              "instance vm", "start failed", new IOException("/x: No space left on device"));
        });
    Specs.refused(
        dev.stapes.model.StapesException.Kind.INTERNAL,
        "instance vm: start failed",
        () -> {
          throw IoFailure.of("instance vm", "start failed", new IOException("odd"));
        });
  }
}
