package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.stapes.spi.Tree;
import dev.stapes.spi.Tree.Resolution;
import dev.stapes.spi.Tree.Stat;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Tree} must do. A test extends it and opens an empty directory; all calls of one
 * test open the same directory.
 */
public abstract class TreeContract {

  /** For subclasses. */
  protected TreeContract() {}

  /** Opens the directory of this test, empty at the first call. */
  protected abstract Tree open(Resolution resolution);

  private Tree tree() {
    return open(Resolution.BENEATH);
  }

  @Test
  void what_is_written_is_read_and_appended_to() throws IOException {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "file", "one");
      TreePicture.write(tree, "file", "two");
      try (OutputStream out = tree.append("file", 0600)) {
        out.write(" three".getBytes(StandardCharsets.UTF_8));
      }
      assertEquals("two three", TreePicture.text(tree, "file"));
      assertEquals(9, tree.stat("file").orElseThrow().size());
    }
  }

  @Test
  void absolute_and_relative_paths_mean_the_same() {
    try (Tree tree = tree()) {
      tree.mkdir("/directory", 0755);
      TreePicture.write(tree, "directory/file", "same");
      for (String path :
          List.of("/directory/file", "./directory//file", "/directory/./../directory/file")) {
        assertEquals("same", TreePicture.text(tree, path), path);
      }
      assertEquals(tree.list("/"), tree.list("."));
    }
  }

  @Test
  void names_are_listed_sorted_and_without_dots() {
    try (Tree tree = tree()) {
      for (String name : List.of("b", "a", "ü", "c d", ".hidden")) {
        TreePicture.write(tree, name, "");
      }
      assertEquals(List.of(".hidden", "a", "b", "c d", "ü"), tree.list("/"));
    }
  }

  @Test
  void a_mode_is_exactly_the_one_that_is_asked_for() {
    try (Tree tree = tree()) {
      for (int mode : new int[] {0, 0600, 0666, 0777, 04755, 02755, 01777}) {
        String name = Integer.toOctalString(mode);
        tree.mkdir("d" + name, mode);
        assertEquals(mode, mode("d" + name, tree), "directory " + name);
        TreePicture.write(tree, "f" + name, "");
        tree.chmod("f" + name, mode);
        assertEquals(mode, mode("f" + name, tree), "file " + name);
      }
    }
  }

  @Test
  void writing_an_existing_file_keeps_its_mode_and_inode() throws IOException {
    try (Tree tree = tree()) {
      tree.create("file", 0640).close();
      Stat before = tree.stat("file").orElseThrow();
      TreePicture.write(tree, "file", "text");
      Stat after = tree.stat("file").orElseThrow();
      assertEquals(0640, after.mode());
      assertEquals(before.inode(), after.inode());
    }
  }

  @Test
  void a_new_file_gets_its_attributes_when_it_is_complete() throws IOException {
    Instant time = Instant.ofEpochSecond(1_000_000_000, 123_456_789);
    byte[] text = "in the middle".getBytes(StandardCharsets.UTF_8);
    try (Tree tree = tree()) {
      try (Tree.NewFile file = tree.newFile("file")) {
        assertEquals(0, mode("file", tree) & 0077, "others can open it");
        file.skip(100_000);
        file.write(text, 3, text.length - 3);
        file.skip(5);
        file.finish(new Tree.Attributes(0, 0, 0640, Map.of(), time));
      }
      Stat stat = tree.stat("file").orElseThrow();
      assertEquals(0640, stat.mode());
      assertEquals(time, stat.modifiedAt());
      assertEquals(100_000 + text.length - 3 + 5, stat.size());
      byte[] content;
      try (InputStream in = tree.read("file")) {
        content = in.readAllBytes();
      }
      byte[] expected = new byte[(int) stat.size()];
      System.arraycopy(text, 3, expected, 100_000, text.length - 3);
      assertArrayEquals(expected, content);
      refused(CONFLICT, "file", () -> tree.newFile("file").close());
      refused(NOT_FOUND, "missing", () -> tree.newFile("missing/file").close());
    }
  }

  @Test
  void a_file_is_resized() throws IOException {
    try (Tree tree = tree()) {
      try (OutputStream out = tree.create("file", 0600)) {
        out.write("content".getBytes(StandardCharsets.UTF_8));
      }
      tree.symlink("file", "link");
      tree.resize("file", 3);
      tree.resize("file", 5L << 30);
      assertEquals(5L << 30, tree.stat("file").orElseThrow().size());
      try (InputStream in = tree.read("file")) {
        assertArrayEquals(new byte[] {'c', 'o', 'n', 0, 0}, in.readNBytes(5));
      }
      tree.resize("file", 0);
      assertEquals(0, tree.stat("file").orElseThrow().size());
      refused(NOT_FOUND, "missing", () -> tree.resize("missing", 1));
      refused(INVALID, "link", () -> tree.resize("link", 1));
    }
  }

  @Test
  void a_new_file_keeps_its_set_user_id_bit_and_attributes() throws Exception {
    Map<String, byte[]> xattrs = Map.of("user.x", new byte[] {1, 2});
    Tree.Attributes attributes =
        new Tree.Attributes(5, 6, 04755, xattrs, Instant.ofEpochSecond(1_000));
    try (Tree tree = tree()) {
      tree.mkdir("dir", 0755);
      Tree below = tree.subtree("dir");
      Tree.NewFile file = below.newFile("file");
      boolean independent = file.isIndependent();
      if (independent) {
        below.close();
        tree.rename("dir/file", "dir/moved");
        TreePicture.write(tree, "dir/file", "another one");
      }
      Thread other =
          new Thread(
              () -> {
                file.write(new byte[] {7}, 0, 1);
                file.finish(attributes);
                file.close();
                file.close();
              });
      other.start();
      other.join();
      below.close();
      String path = independent ? "dir/moved" : "dir/file";
      Stat stat = tree.stat(path).orElseThrow();
      assertEquals(List.of(5L, 6L), List.of(stat.uid(), stat.gid()));
      assertEquals(04755, stat.mode());
      assertEquals(1, stat.size());
      assertArrayEquals(new byte[] {1, 2}, tree.xattrs(path).get("user.x"));
      if (independent) {
        assertEquals("another one", TreePicture.text(tree, "dir/file"));
      }
    }
  }

  @Test
  void what_exists_is_not_made_again() {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "file", "kept");
      refused(CONFLICT, "file", () -> tree.create("file", 0644).close());
      refused(CONFLICT, "file", () -> tree.mkdir("file", 0755));
      refused(CONFLICT, "file", () -> tree.symlink("target", "file"));
      refused(CONFLICT, "file", () -> tree.mkfifo("file", 0644));
      refused(CONFLICT, "file", () -> tree.hardlink("file", "file"));
      assertEquals("kept", TreePicture.text(tree, "file"));
    }
  }

  @Test
  void what_does_not_exist_is_not_found() {
    try (Tree tree = tree()) {
      assertEquals(Optional.empty(), tree.stat("missing"));
      assertEquals(Optional.empty(), tree.stat("missing/below"));
      refused(NOT_FOUND, "missing", () -> tree.read("missing").close());
      refused(NOT_FOUND, "missing", () -> tree.list("missing"));
      refused(NOT_FOUND, "missing", () -> tree.remove("missing"));
      refused(NOT_FOUND, "missing", () -> tree.readlink("missing"));
      refused(NOT_FOUND, "missing", () -> tree.chmod("missing", 0644));
      refused(NOT_FOUND, "missing", () -> tree.chown("missing", 0, 0));
      refused(NOT_FOUND, "missing", () -> tree.rename("missing", "other"));
      refused(NOT_FOUND, "missing", () -> tree.subtree("missing").close());
      refused(NOT_FOUND, "missing", () -> tree.mkdir("missing/below", 0755));
      tree.removeAll("missing");
      assertEquals(List.of(), tree.list("/"));
    }
  }

  @Test
  void only_files_are_read_and_written() {
    try (Tree tree = tree()) {
      tree.mkdir("directory", 0755);
      tree.mkfifo("fifo", 0644);
      for (String path : List.of("directory", "fifo")) {
        refused(INVALID, path, () -> tree.read(path).close());
        refused(INVALID, path, () -> tree.write(path, 0644).close());
      }
      TreePicture.write(tree, "file", "");
      refused(INVALID, "file", () -> tree.list("file"));
      refused(INVALID, "file/below", () -> tree.mkdir("file/below", 0755));
    }
  }

  @Test
  void links_are_followed_to_read_and_write_and_not_otherwise() {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "file", "text");
      tree.symlink("file", "link");
      assertEquals("file", tree.readlink("link"));
      assertEquals(Tree.Type.SYMLINK, tree.stat("link").orElseThrow().type());
      assertEquals("text", TreePicture.text(tree, "link"));
      TreePicture.write(tree, "link", "changed");
      assertEquals("changed", TreePicture.text(tree, "file"));
      refused(CONFLICT, "link", () -> tree.create("link", 0644).close());
      tree.chown("link", 7, 8);
      assertEquals(7, tree.stat("link").orElseThrow().uid());
      assertNotEquals(7, tree.stat("file").orElseThrow().uid());
      tree.remove("link");
      assertEquals("changed", TreePicture.text(tree, "file"));
    }
  }

  @Test
  void owner_and_mode_of_what_is_written_are_there_before_its_content() throws IOException {
    try (Tree tree = tree()) {
      tree.create("old", 0666).close();
      TreePicture.write(tree, "old", "longer than what replaces it");
      for (String path : List.of("old", "new")) {
        try (OutputStream out = tree.writeAs(path, 1000, 1001, 04600)) {
          assertEquals(List.of(0L, 1000L, 1001L, 04600L), attributes(path, tree), path);
          out.write("text".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(List.of(4L, 1000L, 1001L, 04600L), attributes(path, tree), path);
        assertEquals("text", TreePicture.text(tree, path));
      }
      tree.mkdir("directory", 0755);
      refused(INVALID, "directory", () -> tree.writeAs("directory", 0, 0, 0644).close());
      refused(NOT_FOUND, "no/file", () -> tree.writeAs("no/file", 0, 0, 0644).close());
    }
  }

  @Test
  void what_is_written_through_a_link_is_given_away_and_the_link_is_not() throws IOException {
    try (Tree tree = open(Resolution.IN_ROOT)) {
      tree.mkdir("run", 0755);
      TreePicture.write(tree, "run/resolv.conf", "old");
      tree.symlink("/run/resolv.conf", "link");
      tree.symlink("run/made", "dangling");
      for (String link : List.of("link", "dangling")) {
        long owner = tree.stat(link).orElseThrow().uid();
        try (OutputStream out = tree.writeAs(link, 7, 8, 0640)) {
          out.write("new".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(Tree.Type.SYMLINK, tree.stat(link).orElseThrow().type());
        assertEquals(owner, tree.stat(link).orElseThrow().uid());
      }
      for (String file : List.of("run/resolv.conf", "run/made")) {
        assertEquals(List.of(3L, 7L, 8L, 0640L), attributes(file, tree), file);
      }
    }
  }

  private static List<Long> attributes(String path, Tree tree) {
    Stat stat = tree.stat(path).orElseThrow();
    return List.of(stat.size(), stat.uid(), stat.gid(), (long) stat.mode());
  }

  @Test
  void a_tree_that_is_read_beneath_refuses_what_leaves_it() {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "file", "inside");
      tree.mkdir("directory", 0755);
      tree.symlink("/file", "absolute");
      tree.symlink("../..", "directory/up");
      for (String path :
          List.of("../file", "directory/../../file", "absolute", "directory/up/file")) {
        refused(INVALID, path, () -> tree.read(path).close());
        refused(INVALID, path, () -> tree.write(path, 0644).close());
      }
      refused(INVALID, "directory/up/new", () -> tree.mkdir("directory/up/new", 0755));
    }
  }

  @Test
  void a_tree_that_is_read_in_root_stays_inside() {
    try (Tree tree = open(Resolution.IN_ROOT)) {
      TreePicture.write(tree, "file", "inside");
      tree.mkdir("directory", 0755);
      tree.symlink("/file", "absolute");
      tree.symlink("../../..", "directory/up");
      for (String path :
          List.of("../file", "directory/../../file", "absolute", "directory/up/file")) {
        assertEquals("inside", TreePicture.text(tree, path), path);
      }
      tree.symlink("/new", "dangling");
      TreePicture.write(tree, "dangling", "made through a link");
      assertEquals("made through a link", TreePicture.text(tree, "new"));
    }
  }

  @Test
  void a_loop_of_links_is_refused() {
    try (Tree tree = tree()) {
      tree.symlink("b", "a");
      tree.symlink("a", "b");
      refused(INVALID, "a", () -> tree.read("a").close());
      refused(INVALID, "a/below", () -> tree.mkdir("a/below", 0755));
    }
  }

  @Test
  void two_names_of_a_file_are_one_file() {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "first", "text");
      tree.hardlink("first", "second");
      assertEquals(2, tree.stat("first").orElseThrow().links());
      assertEquals(inode("first", tree), inode("second", tree));
      TreePicture.write(tree, "second", "changed");
      assertEquals("changed", TreePicture.text(tree, "first"));
      tree.remove("first");
      assertEquals("changed", TreePicture.text(tree, "second"));
      assertEquals(1, tree.stat("second").orElseThrow().links());
    }
  }

  @Test
  void devices_and_pipes_are_what_they_are_made_as() {
    try (Tree tree = tree()) {
      tree.mknod("null", Tree.Type.CHARACTER_DEVICE, 0666, 1, 3);
      tree.mknod("disk", Tree.Type.BLOCK_DEVICE, 0660, 7, 300);
      tree.mkfifo("fifo", 0620);
      Stat device = tree.stat("null").orElseThrow();
      assertEquals(List.of(1, 3), List.of(device.deviceMajor(), device.deviceMinor()));
      assertEquals(Tree.Type.CHARACTER_DEVICE, device.type());
      Stat disk = tree.stat("disk").orElseThrow();
      assertEquals(List.of(7, 300), List.of(disk.deviceMajor(), disk.deviceMinor()));
      assertEquals(Tree.Type.FIFO, tree.stat("fifo").orElseThrow().type());
      assertEquals(0620, mode("fifo", tree));
      refused(INVALID, "file", () -> tree.mknod("file", Tree.Type.FILE, 0644, 0, 0));
    }
  }

  @Test
  void a_rename_moves_and_replaces() {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "file", "moved");
      TreePicture.write(tree, "old", "replaced");
      tree.rename("file", "old");
      assertEquals(List.of("old"), tree.list("/"));
      assertEquals("moved", TreePicture.text(tree, "old"));
      tree.mkdir("directory", 0755);
      tree.rename("old", "directory/new");
      assertEquals("moved", TreePicture.text(tree, "directory/new"));
      assertNull(TreePicture.text(tree, "old"));
    }
  }

  @Test
  void a_directory_that_is_not_empty_is_removed_as_a_whole_only() {
    try (Tree tree = tree()) {
      tree.mkdir("directory", 0755);
      tree.mkdir("directory/below", 0700);
      TreePicture.write(tree, "directory/below/file", "");
      TreePicture.write(tree, "outside", "kept");
      tree.symlink("../outside", "directory/link");
      refused(CONFLICT, "directory", () -> tree.remove("directory"));
      tree.removeAll("directory");
      assertEquals(List.of("outside"), tree.list("/"));
      assertEquals("kept", TreePicture.text(tree, "outside"));
      tree.mkdir("empty", 0755);
      tree.remove("empty");
      assertEquals(List.of("outside"), tree.list("/"));
    }
  }

  @Test
  void owners_times_and_attributes_are_kept() {
    try (Tree tree = tree()) {
      TreePicture.write(tree, "file", "");
      tree.chown("file", 1000, 4_000_000_000L);
      tree.setModified("file", Instant.parse("2001-02-03T04:05:06.000007Z"));
      tree.setXattr("file", "user.one", new byte[] {0, 1, -1});
      tree.setXattr("file", "user.two", new byte[0]);
      Stat stat = tree.stat("file").orElseThrow();
      assertEquals(List.of(1000L, 4_000_000_000L), List.of(stat.uid(), stat.gid()));
      assertEquals(Instant.parse("2001-02-03T04:05:06.000007Z"), stat.modifiedAt());
      assertEquals(Set.of("user.one", "user.two"), tree.xattrs("file").keySet());
      assertArrayEquals(new byte[] {0, 1, -1}, tree.xattrs("file").get("user.one"));
    }
  }

  @Test
  void a_subtree_is_a_tree_of_its_own() {
    try (Tree tree = tree()) {
      tree.mkdir("directory", 0755);
      TreePicture.write(tree, "outside", "");
      try (Tree below = tree.subtree("directory")) {
        TreePicture.write(below, "/file", "below");
        assertEquals(List.of("file"), below.list("/"));
        refused(INVALID, "../outside", () -> below.read("../outside").close());
      }
      assertEquals("below", TreePicture.text(tree, "directory/file"));
      refused(INVALID, "outside", () -> tree.subtree("outside").close());
    }
  }

  @Test
  void everything_that_a_root_file_system_has_can_be_made() {
    try (Tree tree = tree()) {
      TreePicture.fill(tree);
      assertEquals(TreePicture.of(tree), TreePicture.of(tree));
      assertEquals(0640, mode("etc/shadow", tree));
      for (String name : tree.list("/")) {
        tree.removeAll(name);
      }
      assertEquals(List.of(), tree.list("/"));
    }
  }

  private static int mode(String path, Tree tree) {
    return tree.stat(path).orElseThrow().mode();
  }

  private static long inode(String path, Tree tree) {
    return tree.stat(path).orElseThrow().inode();
  }
}
