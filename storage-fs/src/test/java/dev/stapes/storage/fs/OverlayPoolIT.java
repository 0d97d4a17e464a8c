package dev.stapes.storage.fs;

import static dev.stapes.storage.fs.PoolBench.A;
import static dev.stapes.storage.fs.PoolBench.B;
import static dev.stapes.storage.fs.PoolBench.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is special about layers: who shares them, whose ids are in them, when they go. */
@RequiresRoot
@RequiresKernel("overlay")
@Timeout(120)
class OverlayPoolIT {
  private static final IdMapping ONE = IdMapping.of(1_000_000, 65_536);
  private static final IdMapping OTHER = IdMapping.of(2_000_000, 65_536);

  private PoolBench bench;

  @SuppressWarnings("NullAway.Init") // JUnit calls open() first
  OverlayPoolIT() {}

  @BeforeEach
  void open() {
    bench = new PoolBench(new OverlayProvider(), PoolSpec.of("test", "overlay"));
    bench.pool.create(A);
    bench.write(A, "file", "content");
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private long layers() throws IOException {
    try (Stream<Path> all = Files.list(bench.directory.resolve("volumes/layers"))) {
      return all.filter(path -> !path.endsWith("nothing")).count();
    }
  }

  private Tree open(Attachment attachment) {
    return bench.host.tree(
        bench.host.mounts().local(attachment.path()), Tree.Resolution.IN_ROOT, attachment.mapped());
  }

  @Test
  void owners_are_right_whatever_map_a_copy_has() {
    try (Attachment attachment = bench.pool.attach(A, Optional.of(ONE), false);
        Tree tree = open(attachment)) {
      tree.mkdir("home", 0755);
      tree.chown("home", 1000, 1001);
      tree.chown("file", 33, 33);
    }
    bench.pool.copy(A, B, false);
    try (Attachment attachment = bench.pool.attach(B, Optional.of(OTHER), false)) {
      Path local = bench.host.mounts().local(attachment.path());
      try (Tree asHost = bench.host.tree(local, Tree.Resolution.BENEATH)) {
        assertEquals(2_001_000, asHost.stat("home").orElseThrow().uid());
        assertEquals(2_001_001, asHost.stat("home").orElseThrow().gid());
        assertEquals(2_000_033, asHost.stat("file").orElseThrow().uid());
      }
      try (Tree tree = open(attachment)) {
        tree.remove("file");
        tree.rename("home", "moved");
      }
    }
    assertEquals(java.util.List.of("moved"), bench.names(B, "/"));
    assertEquals("content", bench.read(A, "file"));
  }

  @Test
  void copies_share_layers_until_the_last_of_them_is_gone() throws IOException {
    for (int i = 0; i < 10; i++) {
      bench.pool.copy(A, new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i), true);
    }
    assertEquals(2, layers()); // what they share, and what A has above it
    bench.pool.discard(A);
    bench.pool.reclaim();
    assertEquals(1, layers());
    assertEquals("content", bench.read(new VolumeId(VolumeId.Kind.SNAPSHOT, "s9"), "file"));
    for (int i = 0; i < 10; i++) {
      bench.pool.discard(new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i));
    }
    bench.pool.reclaim();
    assertEquals(0, layers());
  }

  @Test
  void a_volume_with_a_long_history_stays_right() {
    for (int i = 0; i < 60; i++) {
      bench.write(A, "file", "version " + i);
      bench.write(A, "file-" + i, "");
      bench.pool.copy(A, new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i), true);
    }
    for (int i : new int[] {0, 19, 20, 21, 40, 59}) {
      VolumeId snapshot = new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i);
      assertEquals("version " + i, bench.read(snapshot, "file"));
      assertEquals(i + 2, bench.names(snapshot, "/").size());
    }
    bench.pool.copy(new VolumeId(VolumeId.Kind.SNAPSHOT, "s59"), B, false);
    bench.write(B, "file", "its own");
    bench.reopen();
    assertEquals("its own", bench.read(B, "file"));
    assertEquals("version 59", bench.read(A, "file"));
  }

  @Test
  void a_tree_that_is_still_open_does_not_change_a_copy_behind_its_back() {
    try (Tree tree = bench.pool.tree(A, Tree.Resolution.BENEATH);
        Tree root = tree.subtree("/")) {
      tree.close();
      bench.pool.copy(A, C, true);
      root.remove("file");
    }
    assertEquals("content", bench.read(C, "file"));
    assertEquals(java.util.List.of(), bench.names(A, "/"));
  }

  @Test
  void a_directory_of_a_lower_layer_can_be_renamed_and_replaced() {
    try (Tree tree = bench.pool.tree(A, Tree.Resolution.BENEATH)) {
      tree.mkdir("one", 0755);
      tree.mkdir("one/inner", 0755);
    }
    bench.pool.copy(A, B, false);
    try (Tree tree = bench.pool.tree(B, Tree.Resolution.BENEATH)) {
      tree.rename("one", "two");
      tree.mkdir("one", 0700);
    }
    bench.pool.copy(B, C, true);
    assertEquals(java.util.List.of("inner"), bench.names(C, "two"));
    assertEquals(java.util.List.of(), bench.names(C, "one"));
    assertEquals(java.util.List.of("inner"), bench.names(A, "one"));
  }

  @Test
  void two_maps_at_once_are_refused_for_one_volume() {
    try (Attachment first = bench.pool.attach(A, Optional.of(ONE), false)) {
      StapesException refused =
          assertThrows(
              StapesException.class, () -> bench.pool.attach(A, Optional.of(OTHER), false));
      assertEquals(Kind.BUSY, refused.kind());
      bench.pool.attach(A, Optional.of(ONE), false).close();
      assertEquals(Optional.of(ONE), first.mapped());
    }
    bench.pool.attach(A, Optional.of(OTHER), false).close();
  }

  @Test
  void what_a_machine_of_another_process_uses_is_not_mounted_a_second_time() {
    Attachment held = bench.pool.attach(A, Optional.of(ONE), false);
    try (Host other = TestDisk.openHost();
        StoragePool pool = new OverlayProvider().open(other, bench.spec, bench.directory)) {
      StapesException refused =
          assertThrows(
              StapesException.class,
              () -> {
                try (Attachment adopted = pool.attach(A, Optional.of(ONE), false)) {
                  assertEquals(Optional.of(ONE), adopted.mapped());
                  pool.tree(A, Tree.Resolution.BENEATH);
                }
              });
      assertEquals(Kind.BUSY, refused.kind());
      try (Tree tree = open(held)) {
        pool.copy(A, C, true); // by its files: they may change at any time
        tree.remove("file");
      }
      held.close();
      assertEquals(java.util.List.of(), namesIn(pool, A));
    }
    assertEquals("content", bench.read(C, "file"));
  }

  private static java.util.List<String> namesIn(StoragePool pool, VolumeId id) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
      return tree.list("/");
    }
  }

  @Test
  void a_damaged_volume_is_shown_named_and_can_be_discarded() throws IOException {
    Path file = bench.directory.resolve("volumes/instances/a");
    for (String damage : new String[] {"", "stapes-volume 1\nlower ../../etc\n", "rubbish"}) {
      Files.writeString(file, damage);
      assertEquals(Set.of(A), bench.pool.list());
      StapesException refused = assertThrows(StapesException.class, () -> bench.read(A, "file"));
      assertTrue(String.valueOf(refused.getMessage()).contains("instances/a"));
    }
    bench.pool.discard(A);
    bench.pool.reclaim();
    assertEquals(Set.of(), bench.pool.list());
    assertEquals(0, layers());
  }

  @Test
  void a_scratch_volume_keeps_the_layers_of_a_source_that_is_gone() {
    bench.pool.scratch().orElseThrow().create(A, B, Optional.empty());
    bench.pool.discard(A);
    bench.pool.reclaim();
    assertEquals("content", bench.read(B, "file"));
    bench.pool.discard(B);
  }
}
