package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VmFilesTest {
  @TempDir Path directory;

  private VmFiles files() {
    return VmFiles.of(scope(), Specs.ID);
  }

  private Scope scope() {
    return Specs.scope(directory, "12345678");
  }

  @Test
  void the_name_of_its_process_has_the_tag_and_the_id() {
    assertEquals("stapes-12345678-abcd1234", files().name());
    assertTrue(VmFiles.isName(scope(), files().name()));
    for (String other :
        List.of(
            "stapes-12345678-",
            "stapes-12345678-../etc",
            "stapes-12345678-ABCD",
            "stapes-12345678-abc",
            "stapes-87654321-abcd1234",
            "")) {
      assertFalse(VmFiles.isName(scope(), other), other);
    }
  }

  @Test
  void nobody_else_may_enter_its_directory() throws IOException {
    files().create();
    assertEquals(
        PosixFilePermissions.fromString("rwx------"),
        Files.getPosixFilePermissions(files().directory()));
    assertThrows(FileAlreadyExistsException.class, () -> files().create());
  }

  @Test
  void beside_it_is_one_that_is_made_once() throws IOException {
    files().createShares();
    files().createShares();
    assertEquals(
        PosixFilePermissions.fromString("rwx------"),
        Files.getPosixFilePermissions(files().shares()));
    files().remove(new VfioGroups(directory.resolve("vfio")));
    assertFalse(Files.exists(files().shares()));
  }

  @Test
  void those_that_exist_are_listed_and_nothing_else() throws IOException {
    assertEquals(List.of(), VmFiles.all(scope()));
    files().create();
    Files.createDirectory(directory.resolve("NOT-AN-ID"));
    assertEquals(List.of(files()), VmFiles.all(scope()));
  }

  @Test
  void it_is_removed_with_whatever_was_put_there_and_nothing_beyond() throws IOException {
    files().create();
    Path outside =
        Files.createFile(Files.createDirectory(directory.resolve("outside")).resolve("x"));
    Path deep = Files.createDirectories(files().directory().resolve("a/b"));
    Files.createFile(deep.resolve("file"));
    Files.createSymbolicLink(deep.resolve("link"), outside.getParent());
    Files.createSymbolicLink(files().directory().resolve("log"), outside);
    files().remove(new VfioGroups(directory.resolve("vfio")));
    assertFalse(Files.exists(files().directory()));
    assertTrue(Files.exists(outside));
    files().remove(new VfioGroups(directory.resolve("vfio")));
  }

  @Test
  void a_link_in_its_place_is_not_followed() throws IOException {
    Path outside =
        Files.createFile(Files.createDirectory(directory.resolve("outside")).resolve("x"));
    Files.createSymbolicLink(files().directory(), outside.getParent());
    files().remove(new VfioGroups(directory.resolve("vfio")));
    assertTrue(Files.exists(outside));
  }

  @Test
  void the_last_complaint_of_a_huge_log_is_its_end() throws IOException {
    files().create();
    assertEquals("it has no log", QemuLauncher.complaint(files()));
    Files.createFile(files().log());
    assertEquals("it says nothing", QemuLauncher.complaint(files()));
    try (var file = new java.io.RandomAccessFile(files().log().toFile(), "rw")) {
      file.setLength(1L << 36); // with holes
      file.seek(file.length());
      file.write("\none\ntwo\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    String complaint = QemuLauncher.complaint(files());
    assertTrue(complaint.endsWith(";one;two"), complaint);
    assertTrue(complaint.length() <= 2000);
  }

  @Test
  void what_qemu_puts_in_the_place_of_its_log_is_not_read() throws IOException {
    files().create();
    Path secret = Files.writeString(directory.resolve("secret"), "secret");
    Files.createSymbolicLink(files().log(), secret);
    assertEquals("it has no log", QemuLauncher.complaint(files()));
    Files.delete(files().log());
    Files.createDirectory(files().log());
    assertEquals("it has no log", QemuLauncher.complaint(files()));
  }
}
