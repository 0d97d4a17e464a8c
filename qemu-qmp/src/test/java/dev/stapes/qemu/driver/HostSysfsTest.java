package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostSysfsTest {
  @TempDir Path directory;

  @Test
  void what_is_there_is_read() throws IOException {
    Path file = Files.writeString(directory.resolve("vendor"), "0x8086\n");
    assertEquals("0x8086", HostSysfs.text(file));
    Path link = Files.createSymbolicLink(directory.resolve("driver"), file);
    assertEquals(Optional.of(file.toRealPath()), HostSysfs.target(link));
    assertEquals(List.of(link), HostSysfs.children(directory, "d.*"));
  }

  @Test
  void what_is_missing_is_nothing() {
    assertEquals("", HostSysfs.text(directory.resolve("none")));
    assertEquals(Optional.empty(), HostSysfs.target(directory.resolve("none")));
    assertEquals(List.of(), HostSysfs.children(directory.resolve("none"), ".*"));
  }

  @Test
  void what_cannot_be_read_is_not_missing() throws IOException {
    Specs.refused(Kind.INTERNAL, directory.toString(), () -> HostSysfs.text(directory));
    Path loop = Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop"));
    Specs.refused(Kind.INTERNAL, loop.toString(), () -> HostSysfs.target(loop));
    Specs.refused(Kind.INTERNAL, loop.toString(), () -> HostSysfs.text(loop.resolve("file")));
  }
}
