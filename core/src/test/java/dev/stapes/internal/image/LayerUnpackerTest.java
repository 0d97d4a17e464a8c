package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What layers make of those below them. */
class LayerUnpackerTest {
  private static final Instant TIME = Instant.parse("2024-02-29T12:34:56Z");

  private final MemoryTree tree = new MemoryTree();
  private final Path directory;
  private int layers;

  LayerUnpackerTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private interface Content {
    void write(TarWriter tar) throws IOException;
  }

  private RootfsUnpacker.Unpacked layer(Content content) throws IOException {
    Path file = directory.resolve("layer-" + layers++);
    try (OutputStream out = Files.newOutputStream(file)) {
      TarWriter tar = new TarWriter(out);
      content.write(tar);
      tar.finish();
    }
    return new LayerUnpacker(tree, ArchiveLimits.USUAL, Decoders.JAVA).unpack(file, Progress.NONE);
  }

  private static void file(TarWriter tar, String name, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    tar.add(TarEntry.file(name, 0644, bytes.length, TIME), bytes);
  }

  private static void directory(TarWriter tar, String name, int mode) throws IOException {
    tar.add(TarEntry.directory(name, mode, TIME));
  }

  private String content(String path) throws IOException {
    return new String(tree.read(path).readAllBytes(), StandardCharsets.UTF_8);
  }

  private void refused(String part, Content content) {
    StapesException e = assertThrows(StapesException.class, () -> layer(content));
    assertEquals(Kind.INVALID, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
  }

  @BeforeEach
  void the_lowest_layer() throws IOException {
    layer(
        tar -> {
          directory(tar, "./", 0755);
          directory(tar, "etc", 0711);
          file(tar, "etc/passwd", "root");
          file(tar, "etc/group", "root");
          directory(tar, "var/cache", 0750);
          file(tar, "var/cache/a", "a");
          file(tar, "var/cache/deep/b", "b");
          tar.add(TarEntry.symlink("lib", "usr/lib", TIME));
          file(tar, "usr/lib/libc", "c");
        });
  }

  @Test
  void a_file_replaces_one_below_and_leaves_the_others() throws IOException {
    layer(tar -> file(tar, "etc/passwd", "somebody"));
    assertEquals("somebody", content("etc/passwd"));
    assertEquals("root", content("etc/group"));
    assertEquals(0711, tree.stat("etc").orElseThrow().mode());
  }

  @Test
  void a_replaced_name_of_a_file_leaves_its_other_names() throws IOException {
    layer(tar -> tar.add(TarEntry.hardlink("etc/second", "etc/passwd", TIME)));
    assertEquals(2, tree.stat("etc/second").orElseThrow().links());
    layer(tar -> file(tar, "etc/passwd", "changed"));
    assertEquals("root", content("etc/second"));
  }

  @Test
  void directories_are_one_with_those_below_and_get_new_attributes() throws IOException {
    layer(
        tar -> {
          directory(tar, "etc", 0700);
          file(tar, "etc/new", "n");
        });
    assertEquals(0700, tree.stat("etc").orElseThrow().mode());
    assertEquals(TIME, tree.stat("etc").orElseThrow().modifiedAt());
    assertEquals(List.of("group", "new", "passwd"), tree.list("etc"));
  }

  @Test
  void a_directory_replaces_a_file_and_a_file_a_directory() throws IOException {
    layer(
        tar -> {
          directory(tar, "etc/passwd", 0755);
          file(tar, "etc/passwd/inside", "i");
          file(tar, "var/cache", "flat");
        });
    assertEquals("i", content("etc/passwd/inside"));
    assertEquals("flat", content("var/cache"));
  }

  @Test
  void a_directory_replaces_a_link_to_one() throws IOException {
    layer(
        tar -> {
          directory(tar, "lib", 0755);
          file(tar, "lib/own", "o");
        });
    assertEquals(Tree.Type.DIRECTORY, tree.stat("lib").orElseThrow().type());
    assertEquals(List.of("libc"), tree.list("usr/lib"));
  }

  @Test
  void names_may_lead_through_links_of_layers_below() throws IOException {
    layer(tar -> file(tar, "lib/libm", "m"));
    assertEquals(Tree.Type.SYMLINK, tree.stat("lib").orElseThrow().type());
    assertEquals("m", content("usr/lib/libm"));
  }

  @Test
  void a_whiteout_takes_away_what_is_below() throws IOException {
    layer(
        tar -> {
          file(tar, "etc/.wh.passwd", "");
          file(tar, "var/.wh.cache", "");
          file(tar, ".wh.not-there", "");
          file(tar, "nowhere/.wh.nothing", "");
        });
    assertEquals(List.of("group"), tree.list("etc"));
    assertFalse(tree.stat("var/cache").isPresent());
    assertFalse(tree.stat("nowhere").isPresent());
  }

  @Test
  void a_whiteout_does_not_take_away_what_its_own_layer_has() throws IOException {
    layer(
        tar -> {
          file(tar, "etc/passwd", "own");
          file(tar, "etc/.wh.passwd", "");
          file(tar, "etc/.wh.group", "");
          file(tar, "etc/group", "own, too");
        });
    assertEquals("own", content("etc/passwd"));
    assertEquals("own, too", content("etc/group"));
  }

  @Test
  void an_opaque_directory_has_nothing_of_those_below_wherever_the_mark_stands()
      throws IOException {
    layer(
        tar -> {
          directory(tar, "var/cache", 0755);
          file(tar, "var/cache/deep/new", "n");
          file(tar, "var/cache/.wh..wh..opq", "");
          file(tar, "var/cache/late", "l");
        });
    assertEquals(List.of("deep", "late"), tree.list("var/cache"));
    assertEquals(List.of("new"), tree.list("var/cache/deep"));
    assertEquals("root", content("etc/passwd"));
  }

  @Test
  void marks_of_other_drivers_are_passed_over() throws IOException {
    layer(tar -> file(tar, ".wh..wh.plnk", "x"));
    assertFalse(tree.list("/").contains(".wh..wh.plnk"));
  }

  @Test
  void devices_and_what_is_below_dev_are_left_out() throws IOException {
    RootfsUnpacker.Unpacked unpacked =
        layer(
            tar -> {
              tar.add(
                  TarEntry.of("null", TarEntry.Kind.CHARACTER_DEVICE, 0666, 0, TIME, "")
                      .device(1, 3));
              file(tar, "dev/x", "x");
              tar.add(TarEntry.hardlink("y", "dev/x", TIME));
            });
    assertEquals(3, unpacked.leftOut());
    assertFalse(tree.stat("null").isPresent());
    assertFalse(tree.stat("y").isPresent());
  }

  @Test
  void a_name_that_comes_twice_is_what_it_was_last() throws IOException {
    layer(
        tar -> {
          file(tar, "twice", "1");
          tar.add(TarEntry.symlink("twice", "etc/passwd", TIME));
          file(tar, "twice", "3");
        });
    assertEquals("3", content("twice"));
    assertEquals("root", content("etc/passwd"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "/x", "a/../../x"})
  void a_name_that_leaves_is_refused(String name) {
    refused("archive", tar -> file(tar, name, "x"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"etc/.wh.", "etc/.wh..", "etc/.wh..."})
  void a_whiteout_of_nothing_is_refused(String name) {
    refused("whiteout of nothing", tar -> file(tar, name, ""));
    assertTrue(tree.stat("etc/passwd").isPresent());
  }

  @Test
  void a_name_that_leads_through_a_file_is_refused() {
    refused("no directory", tar -> file(tar, "etc/passwd/x", "x"));
  }

  @Test
  void a_hard_link_to_nothing_and_to_itself_are_refused() {
    refused("cannot be made", tar -> tar.add(TarEntry.hardlink("h", "not/there", TIME)));
    refused("itself", tar -> tar.add(TarEntry.hardlink("etc/passwd", "etc/passwd", TIME)));
    assertTrue(tree.stat("etc/passwd").isPresent());
  }
}
