package dev.stapes.storage.zfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How long what a tree shows is mounted. */
class MountedTreeTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final PoolSpec SPEC = PoolSpec.of("trees", "zfs").source("tank/data");

  @TempDir Path machine;

  private final DirectoryMounts mounts = new DirectoryMounts(() -> {});
  private StoragePool pool;

  @BeforeEach
  void create() throws IOException {
    Path directory = Files.createDirectory(machine.resolve("pool"));
    Host host = mounts.on(new FakeZfs().host().build());
    pool = new ZfsProvider(machine).create(host, SPEC, directory);
    pool.create(A);
  }

  @AfterEach
  void close() {
    pool.close();
  }

  @Test
  void the_mount_stays_until_the_tree_is_closed() {
    Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
    assertEquals(1, mounts.count());
    Tree second = pool.tree(A, Tree.Resolution.BENEATH);
    assertEquals(1, mounts.count(), "there is one for all");
    tree.close();
    tree.close();
    assertEquals(1, mounts.count());
    second.close();
    assertEquals(0, mounts.count());
  }

  @Test
  void so_it_does_until_its_subtrees_and_files_are_closed() throws IOException {
    Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
    tree.mkdir("below", 0755);
    Tree below = tree.subtree("below");
    OutputStream out = below.create("file", 0644);
    out.write("text".getBytes(UTF_8));
    out.close();
    InputStream in = tree.read("below/file");
    OutputStream more = tree.append("below/file", 0644);
    Tree.NewFile made = tree.newFile("made");
    for (AutoCloseable each : List.of(tree, more, below, made)) {
      closed(each);
      assertEquals(1, mounts.count());
    }
    assertEquals("text", new String(in.readAllBytes(), UTF_8));
    in.close();
    assertEquals(0, mounts.count());
  }

  private static void closed(AutoCloseable opened) {
    try {
      opened.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void errors_of_the_tree_are_as_they_were() {
    try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH)) {
      StapesException error = assertThrows(StapesException.class, () -> tree.read("none"));
      assertEquals(Kind.NOT_FOUND, error.kind(), error::toString);
    }
    assertEquals(0, mounts.count());
  }

  @Test
  void a_pool_that_is_closed_first_lets_it_go() {
    Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
    pool.close();
    assertEquals(0, mounts.count());
    tree.close();
  }
}
