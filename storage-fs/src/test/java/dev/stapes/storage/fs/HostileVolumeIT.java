package dev.stapes.storage.fs;

import static dev.stapes.storage.fs.PoolBench.A;
import static dev.stapes.storage.fs.PoolBench.B;
import static dev.stapes.storage.fs.PoolBench.C;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.ffi.CString;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volumes whose content is made to lead a copy or a removal astray. */
@RequiresRoot
@Timeout(180)
class HostileVolumeIT {
  private final Path outside;

  HostileVolumeIT(@TempDir Path outside) {
    this.outside = outside;
  }

  @Test
  @RequiresKernel("btrfs")
  @RequiresKernel("loop")
  @RequiresTool("mkfs.btrfs")
  void btrfs_stays_in_the_volume() throws IOException {
    staysInside(new BtrfsProvider(), PoolSpec.of("test", "btrfs").size(Size.ofMebibytes(256)));
  }

  @Test
  void dir_stays_in_the_volume() throws IOException {
    staysInside(new DirProvider(), PoolSpec.of("test", "dir"));
  }

  @Test
  @RequiresKernel("overlay")
  void overlay_stays_in_the_volume() throws IOException {
    staysInside(new OverlayProvider(), PoolSpec.of("test", "overlay"));
  }

  private void staysInside(StorageDriverProvider provider, PoolSpec spec) throws IOException {
    Files.writeString(outside.resolve("kept"), "kept");
    try (PoolBench bench = new PoolBench(provider, spec)) {
      bench.pool.create(A);
      try (Tree tree = bench.pool.tree(A, Tree.Resolution.BENEATH)) {
        fill(tree);
      }
      List<String> names = bench.names(A, "/");
      bench.pool.copy(A, B, false);
      bench.pool.copy(B, C, true);
      bench.pool.scratch().orElseThrow().create(C, scratch(), Optional.empty());
      assertEquals(names, bench.names(C, "/"));
      assertEquals(names, bench.names(scratch(), "/"));
      assertEquals(1, bench.names(B, "deep").size());
      for (var id : List.of(scratch(), A, B, C)) {
        bench.pool.discard(id);
      }
      bench.pool.reclaim();
      assertEquals(Set.of(), bench.pool.list());
    }
    assertEquals("kept", Files.readString(outside.resolve("kept")));
  }

  private static VolumeId scratch() {
    return new VolumeId(VolumeId.Kind.INSTANCE, "scratch");
  }

  private void fill(Tree tree) {
    tree.symlink(outside.toString(), "outside");
    tree.symlink("../../../../../../../../.." + outside, "up");
    tree.symlink("/proc/self/root", "root");
    tree.symlink(".", "itself");
    tree.mkdir("a\nb\t\"'$(touch x)", 0700);
    tree.mkdir("-rf", 0000);
    String bytes = CString.decode(new byte[] {'x', (byte) 0xFF, (byte) 0xC3, '('}, 0, 4);
    tree.mkdir(bytes, 0755);
    tree.mkfifo(bytes + "/" + bytes, 0600);
    tree.mknod("zero", Tree.Type.CHARACTER_DEVICE, 0666, 1, 5);
    tree.mkdir("deep", 0755);
    try (Tree deep = tree.subtree("deep")) {
      nest(deep, 400);
    }
  }

  /** Directories within directories, whose path is longer than any call takes. */
  private static void nest(Tree top, int levels) {
    Tree at = top.subtree("/");
    String name = "d".repeat(100);
    for (int i = 0; i < levels; i++) {
      at.mkdir(name, 0755);
      Tree below = at.subtree(name);
      at.close();
      at = below;
    }
    at.symlink("/etc", "etc");
    at.mkfifo("fifo", 0600);
    at.hardlink("fifo", "again");
    at.close();
  }

  @Test
  void a_volume_swapped_for_a_link_is_neither_followed_nor_emptied() throws IOException {
    Files.writeString(outside.resolve("kept"), "kept");
    try (PoolBench bench = new PoolBench(new DirProvider(), PoolSpec.of("test", "dir"))) {
      Path instances = bench.directory.resolve("volumes/instances");
      Files.createSymbolicLink(instances.resolve("a"), outside);
      Files.createDirectory(instances.resolve("b"));
      bench.pool.discard(A);
      bench.pool.discard(B);
      bench.pool.reclaim();
      assertEquals(Set.of(), bench.pool.list());
    }
    assertEquals("kept", Files.readString(outside.resolve("kept")));
  }
}
