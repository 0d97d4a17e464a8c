package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.CString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class MountTableTest {
  private static final String RECORDED =
      """
      22 27 0:21 / /proc rw,relatime - proc proc rw
      27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard,errors=remount-ro
      31 27 0:28 / /tmp rw,nosuid shared:2 master:3 propagate_from:4 - tmpfs tmpfs rw,size=64k
      40 31 0:40 /sub\\040dir /tmp/a\\040b\\134c\\011d ro,noatime - btrfs /dev/loop\\0430 rw,subvolid=5,subvol=/
      41 40 0:41 / /tmp/a\\040b\\134c\\011d rw - tmpfs none rw
      """;

  private final MountTable table = MountTable.parse(RECORDED.getBytes(StandardCharsets.UTF_8));

  @Test
  void every_field_is_read() {
    assertEquals(5, table.mounts().size());
    assertEquals(
        new MountTable.Mount(
            31,
            27,
            new DeviceNumber(0, 28),
            "/",
            "/tmp",
            Set.of("rw", "nosuid"),
            Set.of("shared:2", "master:3", "propagate_from:4"),
            "tmpfs",
            "tmpfs",
            Set.of("rw", "size=64k")),
        table.mounts().get(2));
  }

  @Test
  void octal_escapes_are_undone() {
    MountTable.Mount mount = table.mounts().get(3);
    assertEquals("/sub dir", mount.root());
    assertEquals("/tmp/a b\\c\td", mount.mountPoint());
    assertEquals("/dev/loop#0", mount.source());
  }

  @Test
  void the_topmost_mount_of_a_path_is_found() {
    Path path = Path.of("/tmp/a b\\c\td");
    assertEquals(41, table.at(path).orElseThrow().id());
    assertEquals(41, table.containing(path.resolve("x/y")).orElseThrow().id());
    assertEquals(27, table.containing(Path.of("/etc/passwd")).orElseThrow().id());
    assertEquals(Optional.empty(), table.at(Path.of("/etc")));
  }

  @Test
  void mounts_below_a_path_are_listed_and_neighbours_are_not() {
    List<Integer> ids = table.below(Path.of("/tmp")).stream().map(MountTable.Mount::id).toList();
    assertEquals(List.of(31, 40, 41), ids);
    assertEquals(List.of(), table.below(Path.of("/tm")));
    assertEquals(5, table.below(Path.of("/")).size());
  }

  @Test
  void a_line_that_is_none_is_refused_with_the_line() {
    for (String line :
        List.of(
            "x",
            "1 2 3:4 / /",
            "1 2 3:4 / / rw - a b",
            "a 2 3:4 / / rw - a b c",
            "1 2 3 / / rw - a b c")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> MountTable.parse(line.getBytes(StandardCharsets.UTF_8)));
      assertTrue(String.valueOf(e.getMessage()).contains(line), e.getMessage());
    }
  }

  @Test
  void this_machines_own_table_is_understood() {
    assertTrue(MountTable.ofProcess().at(Path.of("/")).isPresent());
    assertTrue(MountTable.ofProcess().at(Path.of("/proc")).isPresent());
  }

  @Property
  void unescaping_undoes_the_kernels_escaping(@ForAll byte[] name) {
    StringBuilder escaped = new StringBuilder();
    for (byte b : name) {
      boolean special = b == ' ' || b == '\t' || b == '\n' || b == '\\' || b == '#';
      escaped.append(
          special
              ? String.format(java.util.Locale.ROOT, "\\%03o", b & 0xFF)
              : String.valueOf((char) (b & 0xFF)));
    }
    byte[] bytes = escaped.toString().getBytes(StandardCharsets.ISO_8859_1);
    String field = CString.decode(bytes, 0, bytes.length);
    assertEquals(CString.decode(name, 0, name.length), MountTable.unescape(field));
  }
}
