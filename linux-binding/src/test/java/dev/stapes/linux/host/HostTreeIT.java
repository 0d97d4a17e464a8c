package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Xattrs;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Tree.Resolution;
import dev.stapes.spi.Tree.Type;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@RequiresRoot
@Timeout(60)
class HostTreeIT {
  private static final IdMapping MAP = IdMapping.of(1_000_000, 65536);

  private final Syscalls sys = Syscalls.system();
  private final Host host = new LinuxHostProvider().withoutTicker().open();
  private final Path disk;
  private final Path mapped;

  HostTreeIT(@TempDir Path dir) throws IOException {
    disk = Files.createDirectory(dir.toRealPath().resolve("disk"));
    mapped = Files.createDirectory(dir.toRealPath().resolve("mapped"));
    host.mounts().bindIdmapped(disk, mapped, MAP, Set.of());
  }

  @AfterEach
  void close() {
    host.close();
  }

  private Tree tree() {
    return host.tree(host.mounts().local(mapped), Resolution.IN_ROOT, Optional.of(MAP));
  }

  private static void fails(Kind kind, Executable call) {
    StapesException e = assertThrows(StapesException.class, call);
    assertEquals(kind, e.kind(), e.getMessage());
  }

  private FileStat onDisk(String name) {
    Path path = disk.resolve(name);
    try (Fd fd = Fd.open(sys, path, Set.of(OpenFlag.PATH_ONLY, OpenFlag.NO_FOLLOW))) {
      return fd.stat();
    }
  }

  private static void write(OutputStream out, String text) throws IOException {
    try (out) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void without_a_map_nothing_can_be_made_below_an_idmapped_mount() {
    try (Tree tree = host.tree(host.mounts().local(mapped), Resolution.BENEATH)) {
      fails(Kind.INVALID, () -> tree.mkdir("d", 0755));
    }
  }

  @Test
  void everything_that_is_made_belongs_to_root_inside_and_on_disk() throws Exception {
    try (Tree tree = tree()) {
      tree.mkdir("dir", 01755);
      write(tree.create("dir/file", 06755), "x");
      write(tree.write("/dir/other", 0644), "long text");
      write(tree.write("/dir/other", 0600), "short");
      write(tree.append("/dir/other", 0600), "er");
      tree.symlink("/dir/file", "link");
      tree.hardlink("dir/file", "hard");
      tree.mkfifo("fifo", 0622);
      tree.mknod("null", Type.CHARACTER_DEVICE, 0666, 1, 3);
      tree.rename("hard", "dir/renamed");
      for (String name : List.of("dir", "dir/file", "dir/other", "link", "fifo", "null")) {
        Tree.Stat stat = tree.stat(name).orElseThrow();
        assertEquals(0, stat.uid() + stat.gid(), name);
        assertEquals(0, onDisk(name).uid() + onDisk(name).gid(), name);
      }
      assertEquals(06755, tree.stat("dir/renamed").orElseThrow().mode());
      assertEquals(2, tree.stat("dir/renamed").orElseThrow().links());
      assertEquals(1, tree.stat("null").orElseThrow().deviceMajor());
      assertEquals(3, tree.stat("null").orElseThrow().deviceMinor());
      assertEquals("shorter", Files.readString(disk.resolve("dir/other")));
      assertEquals("x", new String(tree.read("link").readAllBytes(), StandardCharsets.UTF_8));
      assertEquals("/dir/file", tree.readlink("link"));
      assertEquals(List.of("dir", "fifo", "link", "null"), tree.list("/"));
    }
  }

  @Test
  void owners_are_given_and_told_as_the_inside_has_them() throws Exception {
    try (Tree tree = tree()) {
      tree.create("f", 0644).close();
      tree.chown("f", 33, 65534);
      assertEquals(33, tree.stat("f").orElseThrow().uid());
      assertEquals(65534, tree.stat("f").orElseThrow().gid());
      assertEquals(33, onDisk("f").uid());
      fails(Kind.INVALID, () -> tree.chown("f", 65536, 0));
      fails(Kind.INVALID, () -> tree.chown("f", -1, 0));
      // An owner on disk that the map does not have.
      try (Fd fd = Fd.open(sys, disk.resolve("f"), Set.of())) {
        fd.chown(70_000, 70_000);
      }
      assertEquals(65534, tree.stat("f").orElseThrow().uid());
    }
  }

  @Test
  void a_directory_of_somebody_who_lets_nobody_in_can_be_filled() throws Exception {
    try (Tree tree = tree()) {
      tree.mkdir("home", 0700);
      tree.chown("home", 1000, 1000);
      tree.mkdir("home/deep", 0700);
      tree.chown("home/deep", 1001, 1001);
      tree.create("home/deep/f", 0600).close();
      assertEquals(0, onDisk("home/deep/f").uid());
    }
  }

  @Test
  void the_thread_is_as_it_was_after_it_made_files() throws Exception {
    String before = status();
    try (Tree tree = tree()) {
      tree.mkdir("d", 0700);
      fails(Kind.CONFLICT, () -> tree.mkdir("d", 0700));
    }
    assertEquals(before, status());
    assertEquals(1, sys.libc().prctl(dev.stapes.linux.ffi.Constants.PR_GET_DUMPABLE, 0, 0, 0, 0));
  }

  private static String status() throws IOException {
    return String.join(
        "\n",
        Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
            .filter(
                line -> line.startsWith("Uid") || line.startsWith("Gid") || line.startsWith("Cap"))
            .toList());
  }

  @Test
  void file_capabilities_work_for_the_insides_root_on_disk_too() throws Exception {
    byte[] capability = HexFormat.of().parseHex("0100000200200000000000000000000000000000");
    try (Tree tree = tree()) {
      tree.create("ping", 0755).close();
      tree.setXattr("ping", "security.capability", capability);
      assertArrayEquals(capability, tree.xattrs("ping").get("security.capability"));
      tree.setXattr("ping", "user.x", new byte[] {1});
      assertEquals(Set.of("security.capability", "user.x"), tree.xattrs("ping").keySet());
    }
    byte[] disks = Xattrs.of(sys, disk.resolve("ping")).get("security.capability").orElseThrow();
    assertTrue(
        HexFormat.of()
            .formatHex(disks)
            .matches("010000(02|03)00200000000000000000000000000000(00000000)?"),
        HexFormat.of().formatHex(disks));
  }

  @Test
  void a_new_file_gets_owner_mode_attributes_and_holes_by_its_descriptor() throws Exception {
    byte[] capability = HexFormat.of().parseHex("0100000200200000000000000000000000000000");
    Instant time = Instant.ofEpochSecond(1_000_000_000, 5);
    int hole = 1 << 20;
    try (Tree tree = tree()) {
      tree.mkdir("groups", 02775); // gives its group to what is made in it
      tree.chown("groups", 7, 8);
      tree.chmod("groups", 02775);
      Tree.NewFile file = tree.newFile("groups/file");
      tree.rename("groups/file", "groups/elsewhere");
      try (file) {
        file.skip(hole);
        file.write(new byte[] {1, 2, 3}, 0, 3);
        Map<String, byte[]> xattrs = Map.of("security.capability", capability);
        file.finish(new Tree.Attributes(0, 0, 06755, xattrs, time));
      }
      Tree.Stat stat = tree.stat("groups/elsewhere").orElseThrow();
      assertEquals(List.of(0L, 0L), List.of(stat.uid(), stat.gid()));
      assertEquals(06755, stat.mode());
      assertEquals(time, stat.modifiedAt());
      assertEquals(hole + 3, stat.size());
      assertArrayEquals(capability, tree.xattrs("groups/elsewhere").get("security.capability"));
    }
    try (Fd fd = Fd.open(sys, disk.resolve("groups/elsewhere"), Set.of(OpenFlag.READ))) {
      assertTrue(fd.stat().allocated() < hole, "the hole takes space");
    }
  }

  @Test
  void access_control_lists_name_the_insides_users() throws Exception {
    byte[] acl =
        HexFormat.of()
            .parseHex(
                "02000000"
                    + "01000600ffffffff"
                    + "0200040021000000"
                    + "04000400ffffffff"
                    + "10000400ffffffff"
                    + "20000000ffffffff");
    try (Tree tree = tree()) {
      tree.create("f", 0640).close();
      tree.setXattr("f", "system.posix_acl_access", acl);
      assertArrayEquals(acl, tree.xattrs("f").get("system.posix_acl_access"));
    }
    assertArrayEquals(
        acl, Xattrs.of(sys, disk.resolve("f")).get("system.posix_acl_access").orElseThrow());
  }

  @Test
  void times_modes_and_removal_go_through() throws Exception {
    try (Tree tree = tree()) {
      tree.mkdir("d", 0700);
      tree.create("d/f", 0600).close();
      tree.setModified("d/f", Instant.ofEpochSecond(1, 2));
      tree.chmod("d/f", 04711);
      assertEquals(Instant.ofEpochSecond(1, 2), tree.stat("d/f").orElseThrow().modifiedAt());
      assertEquals(04711, tree.stat("d/f").orElseThrow().mode());
      try (Tree sub = tree.subtree("d")) {
        assertEquals(List.of("f"), sub.list(""));
        sub.mkdir("e", 0700);
      }
      fails(Kind.CONFLICT, () -> tree.remove("d"));
      tree.remove("d/f");
      tree.remove("d/e");
      tree.create("d/g", 0600).close();
      tree.removeAll("d");
      tree.removeAll("d");
      assertEquals(Optional.empty(), tree.stat("d"));
      fails(Kind.NOT_FOUND, () -> tree.remove("d"));
      fails(Kind.NOT_FOUND, () -> tree.read("d"));
      fails(Kind.INVALID, () -> tree.chmod("/", 010000));
      fails(Kind.INVALID, () -> tree.mkdir("a\0b", 0700));
    }
  }

  @Test
  void a_tree_of_what_is_no_directory_is_refused() throws Exception {
    fails(
        Kind.NOT_FOUND,
        () -> host.tree(disk.resolve("none"), Resolution.BENEATH, Optional.empty()));
    Files.createFile(
        disk.resolve("f"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    fails(Kind.INVALID, () -> host.tree(disk.resolve("f"), Resolution.BENEATH, Optional.empty()));
    assertEquals(Map.of(), host.tree(disk, Resolution.BENEATH).xattrs("f"));
  }
}
