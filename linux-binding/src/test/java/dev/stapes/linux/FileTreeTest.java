package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.FileTree.Resolution;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FileTreeTest {
  private final Syscalls sys = Syscalls.system();
  private final Path outside;
  private final Path root;
  private final FileTree beneath;
  private final FileTree inRoot;

  FileTreeTest(@TempDir Path dir) throws IOException {
    outside = Files.writeString(dir.resolve("outside"), "secret");
    root = Files.createDirectory(dir.resolve("root"));
    beneath = FileTree.open(sys, root, Resolution.BENEATH);
    inRoot = FileTree.open(sys, root, Resolution.IN_ROOT);
  }

  @BeforeEach
  void fill() throws IOException {
    Files.createDirectories(root.resolve("etc/sub"));
    Files.writeString(root.resolve("etc/f"), "inside");
    Files.createSymbolicLink(root.resolve("absolute"), Path.of("/etc/f"));
    Files.createSymbolicLink(root.resolve("up"), Path.of("../outside"));
    Files.createSymbolicLink(root.resolve("dirUp"), Path.of(".."));
    Files.createSymbolicLink(root.resolve("dirAbsolute"), Path.of("/etc"));
    Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(root.resolve("magic"), Path.of("/proc/self/root/etc/hostname"));
  }

  @AfterEach
  void nothing_outside_was_touched() throws IOException {
    beneath.list("/").forEach(beneath::removeAll);
    beneath.close();
    inRoot.close();
    assertEquals("secret", Files.readString(outside));
  }

  private static void fails(int errno, Executable call) {
    LinuxException e = assertThrows(LinuxException.class, call);
    assertEquals(Errno.name(errno), e.errnoName(), e.getMessage());
  }

  private static String text(Fd fd) {
    try (fd) {
      ByteBuffer buffer = ByteBuffer.allocate(100);
      fd.read(buffer);
      return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    }
  }

  private static void write(Fd fd, String text) {
    try (fd) {
      fd.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }
  }

  @Test
  void the_same_path_means_the_same_with_and_without_slashes_around_it() {
    for (FileTree tree : List.of(beneath, inRoot)) {
      for (String path : List.of("etc/f", "/etc/f", "//etc//f", "./etc/./f", "etc/sub/../f")) {
        assertEquals("inside", text(tree.openFile(path, Set.of())), path);
      }
      for (String path : List.of("", "/", ".", "///")) {
        assertEquals(FileKind.DIRECTORY, tree.stat(path).orElseThrow().kind(), path);
        assertTrue(tree.list(path).contains("etc"));
      }
    }
  }

  @Test
  void beneath_a_path_that_leaves_is_exdev_whatever_it_is_for() {
    for (String path : List.of("up", "dirUp/outside", "../outside", "absolute", "dirAbsolute/f")) {
      fails(Errno.EXDEV, () -> beneath.openFile(path, Set.of()));
    }
    for (String path : List.of("dirUp/x", "../x", "dirAbsolute/x", "etc/../../x")) {
      fails(Errno.EXDEV, () -> beneath.create(path, 0600));
      fails(Errno.EXDEV, () -> beneath.openOrCreateFile(path, Set.of(OpenFlag.WRITE), 0600));
      fails(Errno.EXDEV, () -> beneath.mkdir(path, 0700));
      fails(Errno.EXDEV, () -> beneath.symlink("t", path));
      fails(Errno.EXDEV, () -> beneath.hardlink("etc/f", path));
      fails(Errno.EXDEV, () -> beneath.hardlink(path, "y"));
      fails(Errno.EXDEV, () -> beneath.mkfifo(path, 0600));
      fails(Errno.EXDEV, () -> beneath.unlink(path));
      fails(Errno.EXDEV, () -> beneath.rmdir(path));
      fails(Errno.EXDEV, () -> beneath.rename("etc/f", path));
      fails(Errno.EXDEV, () -> beneath.rename(path, "y"));
      fails(Errno.EXDEV, () -> beneath.removeAll(path));
      fails(Errno.EXDEV, () -> beneath.chmod(path, 0777));
      fails(Errno.EXDEV, () -> beneath.chown(path, 1, 1));
      fails(Errno.EXDEV, () -> beneath.times(path, null, Instant.EPOCH));
      fails(Errno.EXDEV, () -> beneath.readlink(path));
      fails(Errno.EXDEV, () -> beneath.stat(path));
      fails(Errno.EXDEV, () -> beneath.xattrs(path, Xattrs::list));
    }
  }

  @Test
  void in_root_absolute_links_and_dots_stay_inside() throws IOException {
    assertEquals("inside", text(inRoot.openFile("absolute", Set.of())));
    assertEquals("inside", text(inRoot.openFile("dirAbsolute/f", Set.of())));
    assertEquals("inside", text(inRoot.openFile("../../etc/f", Set.of())));
    fails(Errno.ENOENT, () -> inRoot.openFile("up", Set.of()));
    write(inRoot.openOrCreateFile("dirUp/made", Set.of(OpenFlag.WRITE), 0640), "x");
    assertEquals("x", Files.readString(root.resolve("made")));
    write(inRoot.openOrCreateFile("up", Set.of(OpenFlag.WRITE), 0640), "through the link");
    assertEquals("through the link", Files.readString(root.resolve("outside")));
  }

  @Test
  void magic_links_of_proc_are_never_followed() {
    fails(Errno.ELOOP, () -> inRoot.openFile("loop", Set.of()));
    try (FileTree proc = FileTree.open(sys, Path.of("/proc/self"), Resolution.IN_ROOT)) {
      fails(Errno.ELOOP, () -> proc.openFile("root/etc/hostname", Set.of()));
      fails(Errno.ELOOP, () -> proc.subtree("cwd"));
    }
    fails(Errno.ENOENT, () -> inRoot.openFile("magic", Set.of()));
  }

  @Test
  void a_name_is_needed_where_something_is_made_or_removed() {
    for (String path : List.of("", "/", ".", "..", "etc/..", "etc/.")) {
      fails(Errno.EINVAL, () -> beneath.mkdir(path, 0700));
      fails(Errno.EINVAL, () -> beneath.removeAll(path));
      fails(Errno.EINVAL, () -> inRoot.create(path, 0600));
    }
    assertThrows(IllegalArgumentException.class, () -> beneath.create("a\0b", 0600));
  }

  @Test
  void permissions_are_exact_whatever_the_umask() {
    beneath.create("file", 0666).close();
    beneath.mkdir("dir", 01777);
    beneath.mkfifo("fifo", 0622);
    write(beneath.openOrCreateFile("other", Set.of(OpenFlag.WRITE), 04755), "x");
    assertEquals(0666, beneath.stat("file").orElseThrow().permissions());
    assertEquals(01777, beneath.stat("dir").orElseThrow().permissions());
    assertEquals(FileKind.FIFO, beneath.stat("fifo").orElseThrow().kind());
    assertEquals(0622, beneath.stat("fifo").orElseThrow().permissions());
    beneath.chmod("file", 02711);
    beneath.chmod("/", 0755);
    assertEquals(02711, beneath.stat("file").orElseThrow().permissions());
    // A file that is there keeps its permissions.
    beneath.openOrCreateFile("file", Set.of(OpenFlag.WRITE), 0600).close();
    assertEquals(02711, beneath.stat("file").orElseThrow().permissions());
  }

  @Test
  void a_fifo_or_directory_is_refused_at_once_where_a_file_is_wanted() {
    beneath.mkfifo("fifo", 0600);
    fails(Errno.EINVAL, () -> beneath.openFile("fifo", Set.of(OpenFlag.READ)));
    fails(Errno.EINVAL, () -> beneath.openOrCreateFile("fifo", Set.of(OpenFlag.WRITE), 0600));
    fails(Errno.EISDIR, () -> beneath.openFile("etc", Set.of(OpenFlag.READ)));
  }

  @Test
  void create_refuses_what_exists_be_it_a_dangling_link() {
    fails(Errno.EEXIST, () -> beneath.create("etc/f", 0600));
    beneath.symlink("nowhere", "dangling");
    fails(Errno.EEXIST, () -> beneath.create("dangling", 0600));
    fails(Errno.EEXIST, () -> beneath.mkdir("dangling", 0700));
  }

  @Test
  void links_keep_any_text_and_are_not_followed_by_changes() throws IOException {
    beneath.symlink("../../any \u00e9 text", "link");
    assertEquals("../../any \u00e9 text", beneath.readlink("link"));
    beneath.times("up", null, Instant.ofEpochSecond(7, 9));
    assertEquals(Instant.ofEpochSecond(7, 9), beneath.stat("up").orElseThrow().modified());
    assertTrue(Files.getLastModifiedTime(outside).toMillis() > 7000);
    fails(Errno.EOPNOTSUPP, () -> beneath.chmod("up", 0600));
    beneath.hardlink("up", "second");
    assertEquals(2, beneath.stat("second").orElseThrow().links());
    assertEquals(FileKind.SYMLINK, beneath.stat("second").orElseThrow().kind());
    beneath.removeAll("up");
    assertFalse(Files.exists(root.resolve("up"), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void names_that_are_no_utf8_survive() {
    String odd = CString.decode(new byte[] {'a', (byte) 0xFF, (byte) 0xC3, 'z'}, 0, 4);
    beneath.mkdir(odd, 0700);
    assertTrue(beneath.list("/").contains(odd));
    assertTrue(beneath.stat(odd).isPresent());
    beneath.rmdir(odd);
    assertEquals(Optional.empty(), beneath.stat(odd));
  }

  @Test
  void renames_replace_and_exchange() throws IOException {
    write(beneath.create("a", 0600), "A");
    write(beneath.create("b", 0600), "B");
    beneath.exchange("a", "b");
    assertEquals("B", Files.readString(root.resolve("a")));
    beneath.rename("a", "etc/f");
    assertEquals("B", Files.readString(root.resolve("etc/f")));
    fails(Errno.ENOENT, () -> beneath.rename("a", "c"));
  }

  @Test
  void attributes_of_links_and_files_are_told_apart() {
    beneath.xattrs(
        "etc/f",
        attributes -> {
          attributes.set("user.one", new byte[] {1, 2, 3});
          attributes.set("user.big", new byte[2000]);
          assertEquals(Set.of("user.one", "user.big"), userNames(attributes));
          assertArrayEquals(new byte[] {1, 2, 3}, attributes.get("user.one").orElseThrow());
          assertEquals(2000, attributes.get("user.big").orElseThrow().length);
          assertEquals(Optional.empty(), attributes.get("user.none"));
          assertTrue(attributes.remove("user.one"));
          assertFalse(attributes.remove("user.one"));
          return null == attributes;
        });
    beneath.symlink("etc/f", "to-f");
    assertEquals(Set.of(), beneath.xattrs("to-f", FileTreeTest::userNames));
    assertEquals(Set.of("user.big"), beneath.xattrs("etc/f", FileTreeTest::userNames));
    assertEquals(Set.of(), beneath.xattrs("/", FileTreeTest::userNames));
  }

  private static Set<String> userNames(Xattrs attributes) {
    Set<String> names = new HashSet<>(attributes.list());
    names.removeIf(name -> !name.startsWith("user."));
    return names;
  }

  @Test
  void a_subtree_is_confined_to_itself() {
    try (FileTree sub = beneath.subtree("etc")) {
      assertEquals("inside", text(sub.openFile("f", Set.of())));
      fails(Errno.EXDEV, () -> sub.openFile("../etc/f", Set.of()));
    }
    fails(Errno.ENOTDIR, () -> beneath.subtree("etc/f"));
    fails(Errno.ENOENT, () -> beneath.subtree("none"));
  }

  @Test
  void everything_is_removed_however_deep_and_nothing_behind_links() throws IOException {
    FileTree at = beneath.subtree("/");
    for (int i = 0; i < 3000; i++) { // far deeper than PATH_MAX and the limit of descriptors
      at.mkdir("some-directory", 0700);
      at.symlink("/etc", "link");
      FileTree next = at.subtree("some-directory");
      at.close();
      at = next;
    }
    at.close();
    for (int i = 0; i < 500; i++) {
      beneath.create("some-directory/file" + i, 0).close();
    }
    beneath.removeAll("some-directory");
    assertEquals(Optional.empty(), beneath.stat("some-directory"));
    beneath.removeAll("some-directory");
    beneath.removeAll("dirAbsolute");
    assertTrue(Files.exists(root.resolve("etc/f")));
  }

  @Test
  void a_listing_of_many_names_is_whole() {
    beneath.mkdir("many", 0700);
    Set<String> expected = new HashSet<>();
    for (int i = 0; i < 3000; i++) {
      expected.add("a-rather-long-file-name-" + i);
      beneath.create("many/a-rather-long-file-name-" + i, 0600).close();
    }
    assertEquals(expected, new HashSet<>(beneath.list("many")));
    assertEquals(3000, beneath.list("many").size());
    fails(Errno.ENOTDIR, () -> beneath.list("etc/f"));
  }
}
