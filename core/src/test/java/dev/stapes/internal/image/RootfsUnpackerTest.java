package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a well-meant archive becomes, and what a hostile one does not. */
class RootfsUnpackerTest {
  private static final Instant TIME = Instant.parse("2024-02-29T12:34:56.123456789Z");
  private static final ImageMetadata METADATA =
      ImageMetadata.container("x86_64", Instant.EPOCH, Map.of("os", "test"));

  private final MemoryTree tree = new MemoryTree();
  private final Path directory;

  RootfsUnpackerTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private Path archive(ArchiveFile.Content content) {
    Path archive = directory.resolve("archive.tar");
    ArchiveFile.write(archive, false, METADATA, TIME, content);
    return archive;
  }

  private RootfsUnpacker.Unpacked unpack(Path archive) {
    return new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(archive, Optional.empty()), Progress.NONE);
  }

  private StapesException refused(ArchiveFile.Content content) {
    return refused(archive(content), ArchiveLimits.USUAL);
  }

  private StapesException refused(Path archive, ArchiveLimits limits) {
    RootfsUnpacker unpacker = new RootfsUnpacker(tree, true, limits, Decoders.JAVA);
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> unpacker.unpack(new ImageParts(archive, Optional.empty()), Progress.NONE));
    assertEquals(StapesException.Kind.INVALID, e.kind(), e.getMessage());
    return e;
  }

  private static TarEntry file(String name) {
    return TarEntry.file(name, 0644, 1, TIME);
  }

  private static void assertMentions(String part, StapesException e) {
    assertTrue(e.toString().contains(part), e.toString());
  }

  @Test
  void an_archive_of_a_root_file_system_alone_is_unpacked_from_its_root() throws IOException {
    Path bare = directory.resolve("bare.tar");
    try (OutputStream out = Files.newOutputStream(bare)) {
      TarWriter tar = new TarWriter(out);
      tar.add(TarEntry.directory("./", 0711, TIME));
      tar.add(TarEntry.directory("./rootfs", 0750, TIME));
      tar.add(file("./rootfs/f"), new byte[1]);
      tar.add(TarEntry.hardlink("g", "rootfs/f", TIME));
      tar.add(TarEntry.directory("dev", 0755, TIME));
      tar.add(file("dev/x"), new byte[1]);
      tar.finish();
    }
    new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(directory.resolve("none"), Optional.of(bare)), Progress.NONE);
    assertEquals(0711, tree.stat("/").orElseThrow().mode());
    assertEquals(0750, tree.stat("rootfs").orElseThrow().mode());
    assertEquals(2, tree.stat("g").orElseThrow().links());
    assertTrue(tree.list("dev").isEmpty());
  }

  @Test
  void owners_modes_times_and_attributes_arrive_to_the_bit() {
    byte[] capability = {1, 0, 0, 2, (byte) 0xff, (byte) 0x80, 0, 0, '\n', 0, 0, 0, 0, 0, 0, 0};
    unpack(
        archive(
            tar -> {
              tar.add(TarEntry.directory("rootfs", 0711, TIME).owner(7, 8));
              tar.add(TarEntry.directory("rootfs/d", 02755, TIME).owner(1, 3_000_000_000L));
              tar.add(
                  file("rootfs/d/f")
                      .owner(4_294_967_294L, 2_097_152)
                      .xattrs(Map.of("security.capability", capability, "user.a=b%", capability)),
                  new byte[1]);
              tar.add(TarEntry.file("rootfs/su", 04755, 0, TIME));
            }));
    Tree.Stat root = tree.stat("/").orElseThrow();
    assertEquals(0711, root.mode());
    assertEquals(7, root.uid());
    assertEquals(TIME, root.modifiedAt());
    Tree.Stat d = tree.stat("d").orElseThrow();
    assertEquals(02755, d.mode());
    assertEquals(3_000_000_000L, d.gid());
    assertEquals(TIME, d.modifiedAt());
    Tree.Stat f = tree.stat("d/f").orElseThrow();
    assertEquals(4_294_967_294L, f.uid());
    assertEquals(2_097_152, f.gid());
    assertEquals(TIME, f.modifiedAt());
    assertArrayEquals(capability, tree.xattrs("d/f").get("security.capability"));
    assertArrayEquals(capability, tree.xattrs("d/f").get("user.a=b%"));
    assertEquals(04755, tree.stat("su").orElseThrow().mode());
  }

  @Test
  void links_pipes_and_long_names_arrive() {
    String longName = "n".repeat(255);
    String deep = "rootfs" + "/directory".repeat(30);
    unpack(
        archive(
            tar -> {
              tar.add(file("rootfs/a"), new byte[] {42});
              tar.add(TarEntry.hardlink("rootfs/b", "rootfs/a", TIME));
              tar.add(TarEntry.symlink("rootfs/s", "/etc/../\u00e4" + longName, TIME));
              tar.add(TarEntry.of("rootfs/p", TarEntry.Kind.FIFO, 0620, 0, TIME, ""));
              tar.add(file(deep + "/" + longName), new byte[1]);
              tar.add(file("./rootfs//./\u00e9\u0001\n\\"), new byte[1]);
            }));
    assertEquals(tree.stat("a").orElseThrow().inode(), tree.stat("b").orElseThrow().inode());
    assertEquals("/etc/../\u00e4" + longName, tree.readlink("s"));
    assertEquals(Tree.Type.FIFO, tree.stat("p").orElseThrow().type());
    assertEquals(0620, tree.stat("p").orElseThrow().mode());
    assertTrue(tree.stat(deep.substring(7) + "/" + longName).isPresent());
    assertTrue(tree.stat("\u00e9\u0001\n\\").isPresent());
  }

  @Test
  void device_nodes_things_below_dev_and_the_hosts_attributes_are_left_out_and_counted() {
    RootfsUnpacker.Unpacked unpacked =
        unpack(
            archive(
                tar -> {
                  tar.add(TarEntry.directory("rootfs/dev", 0755, TIME));
                  tar.add(TarEntry.directory("rootfs/dev/pts", 0755, TIME));
                  tar.add(
                      TarEntry.of("rootfs/sda", TarEntry.Kind.BLOCK_DEVICE, 0666, 0, TIME, "")
                          .device(8, 0));
                  tar.add(TarEntry.hardlink("rootfs/sdb", "rootfs/sda", TIME));
                  tar.add(
                      TarEntry.of("rootfs/gone", TarEntry.Kind.CHARACTER_DEVICE, 0, 0, TIME, ""));
                  tar.add(
                      file("rootfs/f").xattrs(Map.of("trusted.overlay.opaque", new byte[] {'y'})),
                      new byte[1]);
                }));
    assertEquals(3, unpacked.leftOut());
    assertEquals(1, unpacked.attributesLeftOut());
    assertTrue(tree.list("dev").isEmpty());
    assertFalse(tree.stat("sda").isPresent());
    assertFalse(tree.stat("sdb").isPresent());
    assertEquals(Tree.Type.CHARACTER_DEVICE, tree.stat("gone").orElseThrow().type());
    assertTrue(tree.xattrs("f").isEmpty());
  }

  @Test
  void device_nodes_are_made_where_asked_for() {
    Path archive =
        archive(
            tar ->
                tar.add(
                    TarEntry.of("rootfs/n", TarEntry.Kind.CHARACTER_DEVICE, 0600, 0, TIME, "")
                        .device(1, 3)));
    new RootfsUnpacker(tree, true, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(archive, Optional.empty()), Progress.NONE);
    assertEquals(3, tree.stat("n").orElseThrow().deviceMinor());
  }

  @Test
  void a_name_with_two_dots_is_refused() {
    assertMentions("..", refused(tar -> tar.add(file("rootfs/../../etc/passwd"), new byte[1])));
    assertMentions("..", refused(tar -> tar.add(file("rootfs/a/.."), new byte[1])));
  }

  @Test
  void an_absolute_name_is_refused() {
    assertMentions(
        "\"/rootfs/etc/passwd\"", refused(tar -> tar.add(file("/rootfs/etc/passwd"), new byte[1])));
  }

  @Test
  void a_name_through_a_link_is_refused_wherever_the_link_leads() {
    for (String target : new String[] {"/etc", "../../../etc", "real", "."}) {
      Path archive =
          archive(
              tar -> {
                tar.add(TarEntry.directory("rootfs/real", 0755, TIME));
                tar.add(TarEntry.symlink("rootfs/link", target, TIME));
                tar.add(file("rootfs/link/passwd"), new byte[1]);
              });
      MemoryTree fresh = new MemoryTree();
      StapesException e =
          assertThrows(
              StapesException.class,
              () ->
                  new RootfsUnpacker(fresh, false, ArchiveLimits.USUAL, Decoders.JAVA)
                      .unpack(new ImageParts(archive, Optional.empty()), Progress.NONE));
      assertEquals(StapesException.Kind.INVALID, e.kind());
      assertMentions("\"rootfs/link/passwd\"", e);
      assertFalse(fresh.stat("real/passwd").isPresent());
      assertFalse(fresh.stat("passwd").isPresent());
    }
  }

  @Test
  void a_file_in_the_place_of_a_link_is_refused_not_written_through() {
    assertMentions(
        "taken already",
        refused(
            tar -> {
              tar.add(TarEntry.symlink("rootfs/a", "b", TIME));
              tar.add(file("rootfs/a"), new byte[1]);
            }));
    assertFalse(tree.stat("b").isPresent());
  }

  @Test
  void a_directory_in_the_place_of_a_link_is_refused() {
    assertMentions(
        "taken already",
        refused(
            tar -> {
              tar.add(TarEntry.symlink("rootfs/a", "b", TIME));
              tar.add(TarEntry.directory("rootfs/a", 0755, TIME));
            }));
  }

  @Test
  void a_link_in_the_place_of_a_directory_is_refused() {
    assertMentions(
        "taken already",
        refused(
            tar -> {
              tar.add(TarEntry.directory("rootfs/a", 0755, TIME));
              tar.add(TarEntry.symlink("rootfs/a", "/etc", TIME));
            }));
  }

  @Test
  void a_name_that_appears_twice_is_refused_but_for_a_directory() {
    unpack(
        archive(
            tar -> {
              tar.add(TarEntry.directory("rootfs/a", 0700, TIME));
              tar.add(TarEntry.directory("rootfs/a", 0750, TIME));
            }));
    assertEquals(0750, tree.stat("a").orElseThrow().mode());
    assertMentions(
        "\"rootfs/b\"",
        refused(
            tar -> {
              tar.add(file("rootfs/b"), new byte[1]);
              tar.add(file("rootfs/b"), new byte[1]);
            }));
  }

  @Test
  void a_hard_link_to_the_outside_is_refused() {
    assertMentions("\"/etc/shadow\"", refusedLink("/etc/shadow", "absolute"));
    refusedLink("rootfs/../../etc/shadow", "..");
    refusedLink("metadata.yaml", "outside of rootfs/");
    refusedLink("rootfs/missing/f", "no file before it");
    refusedLink("rootfs/missing", "cannot be made");
    refusedLink("rootfs", "no file before it");
  }

  private StapesException refusedLink(String first, String problem) {
    StapesException e = refused(tar -> tar.add(TarEntry.hardlink("rootfs/h", first, TIME)));
    assertMentions(problem, e);
    return e;
  }

  @Test
  void a_hard_link_through_a_link_is_refused() {
    refused(
        tar -> {
          tar.add(TarEntry.directory("rootfs/real", 0755, TIME));
          tar.add(file("rootfs/real/f"), new byte[1]);
          tar.add(TarEntry.symlink("rootfs/l", "real", TIME));
          tar.add(TarEntry.hardlink("rootfs/h", "rootfs/l/f", TIME));
        });
  }

  @Test
  void a_root_that_is_no_directory_is_refused() {
    refused(tar -> tar.add(TarEntry.symlink("rootfs", "/etc", TIME)));
    refused(tar -> tar.add(file("rootfs"), new byte[1]));
  }

  @Test
  void an_archive_without_root_file_system_is_refused() {
    assertMentions("no rootfs/", refused(tar -> tar.add(file("other/f"), new byte[1])));
  }

  @Test
  void limits_on_entries_sizes_depth_and_names_hold() {
    Path three =
        archive(
            tar -> {
              tar.add(file("rootfs/a"), new byte[1]);
              tar.add(file("rootfs/b"), new byte[1]);
            });
    assertMentions("2 entries", refused(three, ArchiveLimits.USUAL.entries(2)));
    Path big = archive(tar -> tar.add(TarEntry.file("rootfs/a", 0644, 4097, TIME), new byte[4097]));
    assertMentions("4KiB", refused(big, ArchiveLimits.USUAL.unpacked(Size.ofKibibytes(4))));
    assertMentions("256", refused(tar -> tar.add(file("rootfs" + "/d".repeat(300)), new byte[1])));
    assertMentions(
        "255 bytes", refused(tar -> tar.add(file("rootfs/" + "x".repeat(256)), new byte[1])));
    assertMentions(
        "4095", refused(tar -> tar.add(file("rootfs" + "/dddd".repeat(1000)), new byte[1])));
    byte[] huge = new byte[(1 << 16) + 1];
    assertMentions(
        "65536",
        refused(tar -> tar.add(file("rootfs/a").xattrs(Map.of("user.a", huge)), new byte[1])));
    TreeMap<String, byte[]> many = new TreeMap<>();
    for (int i = 0; i < 20; i++) {
      many.put("user." + i, new byte[1 << 16]);
    }
    assertMentions("1048576", refused(tar -> tar.add(file("rootfs/a").xattrs(many), new byte[1])));
  }

  @Test
  void a_bomb_is_refused_long_before_it_is_unpacked() {
    Path bomb = directory.resolve("bomb.tar.zst");
    byte[] zeros = new byte[1 << 20];
    ArchiveFile.write(
        bomb,
        true,
        METADATA,
        TIME,
        tar -> {
          for (int i = 0; i < 300; i++) {
            tar.add(TarEntry.file("rootfs/" + i, 0644, zeros.length, TIME), zeros);
          }
        });
    StapesException e =
        assertThrows(
            StapesException.class,
            () ->
                new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
                    .unpack(new ImageParts(bomb, Optional.empty()), Progress.NONE));
    assertMentions("1000 times", e);
  }

  @Test
  void an_archive_cut_anywhere_is_refused() throws IOException {
    byte[] whole =
        Files.readAllBytes(
            archive(
                tar -> {
                  tar.add(file("rootfs/a").xattrs(Map.of("user.x", new byte[600])), new byte[1]);
                  tar.add(TarEntry.file("rootfs/b", 0644, 1000, TIME), new byte[1000]);
                }));
    int end = whole.length;
    while (whole[end - 1] == 0) {
      end--;
    }
    for (int length = 0; length <= end; length += 64) {
      Path cut = Files.write(directory.resolve("cut"), Arrays.copyOf(whole, length));
      MemoryTree fresh = new MemoryTree();
      StapesException e =
          assertThrows(
              StapesException.class,
              () ->
                  new RootfsUnpacker(fresh, false, ArchiveLimits.USUAL, Decoders.JAVA)
                      .unpack(new ImageParts(cut, Optional.empty()), Progress.NONE));
      assertEquals(StapesException.Kind.INVALID, e.kind());
    }
  }

  @Test
  void data_behind_the_end_is_refused() throws IOException {
    Path archive = archive(tar -> tar.add(file("rootfs/a"), new byte[1]));
    byte[] whole = Files.readAllBytes(archive);
    whole[whole.length - 1] = 1;
    Files.write(archive, whole);
    assertMentions("behind its end", refused(archive, ArchiveLimits.USUAL));
  }

  @Test
  void a_name_with_a_nul_is_refused() throws IOException {
    ByteArrayOutputStream pax = new ByteArrayOutputStream();
    PaxRecords.write(pax, "path", "rootfs/a\0/../x".getBytes(StandardCharsets.UTF_8));
    assertMentions("NUL", refused(raw('x', pax.toByteArray()), ArchiveLimits.USUAL));
  }

  @Test
  void a_name_that_is_not_utf_8_is_refused() throws IOException {
    ByteArrayOutputStream pax = new ByteArrayOutputStream();
    PaxRecords.write(pax, "path", new byte[] {'r', (byte) 0xff});
    assertMentions("UTF-8", refused(raw('x', pax.toByteArray()), ArchiveLimits.USUAL));
  }

  @Test
  void a_damaged_extended_header_is_refused() throws IOException {
    for (String records :
        new String[] {
          "x", "99 path=a\n", "5 a=b", "0 a=b\n", "3 \n", "99999999999 a=b\n", "-5 a=b\n", "6 a=bc"
        }) {
      refused(raw('x', records.getBytes(StandardCharsets.US_ASCII)), ArchiveLimits.USUAL);
    }
  }

  @Test
  void a_global_name_is_refused() throws IOException {
    ByteArrayOutputStream pax = new ByteArrayOutputStream();
    PaxRecords.write(pax, "path", "rootfs/a".getBytes(StandardCharsets.UTF_8));
    assertMentions("one name", refused(raw('g', pax.toByteArray()), ArchiveLimits.USUAL));
  }

  @Test
  void an_unknown_type_is_refused() throws IOException {
    assertMentions("unknown type", refused(raw('M', new byte[0]), ArchiveLimits.USUAL));
  }

  @Test
  void an_interrupt_ends_it_and_stays_visible() {
    Path archive = archive(tar -> tar.add(file("rootfs/a"), new byte[1]));
    Thread.currentThread().interrupt();
    try {
      StapesException e = assertThrows(StapesException.class, () -> unpack(archive));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
    } finally {
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void errors_show_no_control_characters_of_the_archive() {
    StapesException e = refused(tar -> tar.add(file("/\u001b[31mred\n"), new byte[1]));
    assertMentions("\\u001b[31mred\\u000a", e);
  }

  /** An entry of any type with any content, and a file behind it. */
  private Path raw(char type, byte[] content) throws IOException {
    Path archive = directory.resolve("raw.tar");
    try (OutputStream out = Files.newOutputStream(archive)) {
      byte[] header = new byte[TarFormat.BLOCK];
      header[0] = 'n';
      TarFormat.putNumber(header, TarFormat.SIZE, TarFormat.LONG, content.length);
      header[TarFormat.TYPE] = (byte) type;
      TarFormat.seal(header);
      out.write(header);
      out.write(content);
      out.write(new byte[-content.length & (TarFormat.BLOCK - 1)]);
      TarWriter tar = new TarWriter(out);
      tar.add(file("rootfs/file"), new byte[1]);
      tar.finish();
    }
    return archive;
  }
}
