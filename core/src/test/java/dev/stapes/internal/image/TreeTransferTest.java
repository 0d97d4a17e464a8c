package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trees that are copied, and that go through archives of several. */
class TreeTransferTest {
  private static final Instant THEN = Instant.parse("2001-02-03T04:05:06.789Z");
  private static final byte[] ABOUT = "{}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;

  private static void write(Tree tree, String path, byte[] content) throws IOException {
    try (OutputStream out = tree.create(path, 0600)) {
      out.write(content);
    }
  }

  /** With one of everything. */
  private static MemoryTree full() throws IOException {
    MemoryTree tree = new MemoryTree();
    tree.mkdir("dev", 0755);
    write(tree, "dev/kept", new byte[] {1});
    tree.mkdir("deep", 0700);
    write(tree, "deep/file", new byte[] {1, 2, 3});
    tree.setXattr("deep/file", "user.a", new byte[] {7});
    tree.chown("deep/file", 70_000, 5);
    tree.chmod("deep/file", 04711);
    tree.setModified("deep/file", THEN);
    tree.hardlink("deep/file", "link");
    tree.symlink("deep/file", "soft");
    tree.mkfifo("pipe", 0600);
    tree.mknod("node", Tree.Type.CHARACTER_DEVICE, 0600, 1, 3);
    byte[] sparse = new byte[1 << 20];
    sparse[0] = 1;
    sparse[sparse.length - 1] = 2;
    write(tree, "sparse", sparse);
    tree.setModified("dev", THEN);
    tree.setModified("deep", THEN);
    tree.setModified("/", THEN);
    return tree;
  }

  @Test
  void a_copy_is_the_same_tree() throws IOException {
    MemoryTree from = full();
    MemoryTree to = new MemoryTree();
    List<Long> told = new ArrayList<>();
    TreeTransfer.copy(from, to, (stage, done, total) -> told.add(done));
    assertEquals(from.dump(), to.dump());
    assertEquals(2, to.stat("link").orElseThrow().links());
    assertTrue(told.get(told.size() - 1) > 1 << 20);
  }

  @Test
  void an_interrupt_ends_a_copy() throws IOException {
    MemoryTree from = full();
    Thread.currentThread().interrupt();
    Kind kind =
        assertThrows(
                StapesException.class,
                () -> TreeTransfer.copy(from, new MemoryTree(), Progress.NONE))
            .kind();
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, kind);
  }

  private Path archive(byte[] content) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(content);
    all.write(TreeArchive.trailer(Sha256.begin().digest(content)));
    return Files.write(directory.resolve("archive"), all.toByteArray());
  }

  /** As somebody would make it who knows how the checksum is made. */
  private Path archive(List<TarEntry> entries) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter writer = new TarWriter(tar);
    writer.add(TarEntry.file("backup.json", 0644, ABOUT.length, THEN), ABOUT);
    for (TarEntry entry : entries) {
      writer.add(entry);
    }
    writer.finish();
    return archive(Zstd.compress(tar.toByteArray()));
  }

  /** Where an archive is unpacked to. */
  private static final class Trees implements TreeArchive.Receiver {
    private final Map<String, MemoryTree> trees = new TreeMap<>();
    private final List<String> finished = new ArrayList<>();

    MemoryTree of(String part) {
      return Objects.requireNonNull(trees.get(part), part);
    }

    @Override
    public Tree open(String part) {
      MemoryTree tree = new MemoryTree();
      trees.put(part, tree);
      return tree;
    }

    @Override
    public void finished(String part) {
      finished.add(part);
    }
  }

  @Test
  void trees_go_through_an_archive_without_device_nodes() throws IOException {
    MemoryTree one = full();
    Path file = directory.resolve("archive");
    try (OutputStream out = Files.newOutputStream(file)) {
      TreeArchive.write(
          out,
          ABOUT,
          THEN,
          List.of(
              new TreeArchive.Part("snapshots/0", () -> one),
              new TreeArchive.Part("volume", MemoryTree::new)),
          Progress.NONE);
    }
    TreeArchive archive = TreeArchive.open(file, Progress.NONE);
    assertArrayEquals(ABOUT, archive.about());
    Trees trees = new Trees();
    archive.unpack(Set.of("snapshots/0", "volume"), trees, Progress.NONE);
    assertEquals(List.of("snapshots/0", "volume"), trees.finished);
    MemoryTree expected = full();
    expected.remove("node");
    expected.setModified("/", THEN);
    assertEquals(expected.dump(), trees.of("snapshots/0").dump());
    assertEquals(List.of(), trees.of("volume").list("/"));
  }

  private void refused(String why, TarEntry... entries) throws IOException {
    TreeArchive archive = TreeArchive.open(archive(List.of(entries)), Progress.NONE);
    StapesException error =
        assertThrows(
            StapesException.class,
            () -> archive.unpack(Set.of("snapshots/0", "volume"), new Trees(), Progress.NONE));
    assertEquals(Kind.INVALID, error.kind());
    assertTrue(error.toString().contains(why), error::toString);
  }

  private static TarEntry dir(String name) {
    return TarEntry.directory(name, 0755, THEN);
  }

  @Test
  void hostile_entries_are_refused_though_the_checksum_is_right() throws IOException {
    TarEntry snapshot = dir("snapshots/0");
    refused("leaves the archive", snapshot, TarEntry.symlink("volume/../x", "y", THEN));
    refused("absolute", snapshot, dir("/volume"));
    refused("belongs to nothing", snapshot, dir("other/0"));
    refused("belongs to nothing", snapshot, dir("snapshots/1"));
    refused("comes behind", snapshot, dir("volume"), dir("snapshots/0/late"));
    refused("lacks", dir("volume"));
    refused(
        "out of its tree",
        snapshot,
        dir("volume"),
        TarEntry.hardlink("volume/a", "snapshots/0", THEN));
    refused("cannot be made", dir("volume"), TarEntry.hardlink("volume/a", "volume/b", THEN));
    refused(
        "no directory",
        dir("volume"),
        TarEntry.symlink("volume/a", "/etc", THEN),
        TarEntry.symlink("volume/a/b", "x", THEN));
    refused(
        "taken already",
        dir("volume"),
        TarEntry.symlink("volume/a", "x", THEN),
        TarEntry.symlink("volume/a", "y", THEN));
    refused("must be a directory", TarEntry.symlink("volume", "/", THEN));
  }

  @Test
  void what_is_no_archive_is_refused_though_the_checksum_is_right() throws IOException {
    TreeArchive noise = TreeArchive.open(archive(new byte[] {1, 2, 3}), Progress.NONE);
    assertEquals(Kind.INVALID, assertThrows(StapesException.class, noise::about).kind());
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter writer = new TarWriter(tar);
    writer.add(dir("volume"));
    writer.finish();
    TreeArchive unknown =
        TreeArchive.open(archive(Zstd.compress(tar.toByteArray())), Progress.NONE);
    assertEquals(Kind.INVALID, assertThrows(StapesException.class, unknown::about).kind());
    Path missing = directory.resolve("missing");
    assertEquals(
        Kind.NOT_FOUND,
        assertThrows(StapesException.class, () -> TreeArchive.open(missing, Progress.NONE)).kind());
  }
}
