package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the contract does not ask: other file systems, groups that exist, devices. */
class LvmPoolsIT extends RealLvmTests {
  LvmPoolsIT(@TempDir Path directory) throws IOException {
    super(directory);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext4", "xfs", "btrfs"})
  void copies_are_used_beside_their_source_with_any_file_system(String format) {
    PoolSpec spec =
        PoolSpec.of("test", "lvm")
            .size(Size.ofGibibytes(1))
            .with("volume.size", "400MiB")
            .with("volume.block.filesystem", format);
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      write(pool, A, "file", "first");
      pool.copy(A, SNAPSHOT, true);
      write(pool, A, "file", "second");
      pool.copy(A, B, false);
      write(pool, B, "file", "of b");
      try (Attachment a = pool.attach(A, Optional.empty(), false);
          Attachment b = pool.attach(B, Optional.empty(), false);
          Attachment snapshot = pool.attach(SNAPSHOT, Optional.empty(), true)) {
        assertNotEquals(a.path(), b.path());
        assertTrue(snapshot.path().isAbsolute());
        assertEquals("second", read(pool, A, "file"));
        assertEquals("of b", read(pool, B, "file"));
        assertEquals("first", read(pool, SNAPSHOT, "file"));
      }
      pool.quotas().orElseThrow().limit(B, Optional.of(Size.ofMebibytes(500)));
      assertEquals("of b", read(pool, B, "file"));
      pool.discard(A);
      pool.copy(SNAPSHOT, A, false);
      assertEquals("first", read(pool, A, "file"));
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_limit_below_what_a_volume_holds_is_refused_and_changes_nothing() {
    PoolSpec spec =
        PoolSpec.of("test", "lvm").size(Size.ofMebibytes(256)).with("volume.size", "128MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
          OutputStream out = tree.write("big", 0644)) {
        out.write(new byte[20 << 20]);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      StoragePool.Quotas quotas = pool.quotas().orElseThrow();
      Size before = quotas.usage(A);
      for (long bytes : new long[] {0, 1, 4096, 1 << 20, 19 << 20}) {
        StapesException error =
            assertThrows(
                StapesException.class, () -> quotas.limit(A, Optional.of(Size.ofBytes(bytes))));
        assertEquals(Kind.EXHAUSTED, error.kind(), error.toString());
      }
      assertEquals(before, quotas.usage(A));
      quotas.limit(A, Optional.of(Size.ofMebibytes(24)));
      write(pool, A, "file", "still writable");
      pool.create(B);
      quotas.limit(B, Optional.of(Size.ofMebibytes(1)));
      write(pool, B, "file", "small");
    } finally {
      pool.destroy();
    }
  }

  /** Making it smaller copies it: what is written to the old one then would be lost. */
  @Test
  void a_volume_whose_files_somebody_has_open_is_not_made_smaller() throws IOException {
    PoolSpec spec =
        PoolSpec.of("test", "lvm").size(Size.ofMebibytes(256)).with("volume.size", "128MiB");
    StoragePool pool = provider.create(host, spec, own);
    try {
      pool.create(A);
      StoragePool.Quotas quotas = pool.quotas().orElseThrow();
      try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH)) {
        refused(Kind.BUSY, () -> quotas.limit(A, Optional.of(Size.ofMebibytes(24))));
        try (OutputStream out = tree.write("file", 0644)) {
          out.write("later".getBytes(StandardCharsets.UTF_8));
        }
      }
      assertEquals("later", read(pool, A, "file"));
      quotas.limit(A, Optional.of(Size.ofMebibytes(24)));
      assertEquals("later", read(pool, A, "file"));
      mountedElsewhere(pool, quotas);
    } finally {
      pool.destroy();
    }
  }

  private void mountedElsewhere(StoragePool pool, StoragePool.Quotas quotas) throws IOException {
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    quotas.limit(A, Optional.of(Size.ofMebibytes(48)));
    try (Attachment attachment = pool.attach(A, Optional.empty(), false)) {
      run("mount", "--bind", attachment.path().toString(), elsewhere.toString());
    }
    try {
      refused(Kind.BUSY, () -> quotas.limit(A, Optional.of(Size.ofMebibytes(24))));
      run("bash", "-c", "echo -n there > '" + elsewhere + "/other'");
    } finally {
      run("umount", elsewhere.toString());
      Files.delete(elsewhere);
    }
    assertEquals("there", read(pool, A, "other"));
  }

  @Test
  void a_pool_in_a_group_that_exists_leaves_the_rest_of_it_alone() throws IOException {
    try (LoopDevice disk = disk(512)) {
      String device = disk.path().toString();
      lvm("vgcreate", "stapestest", device);
      try {
        lvm("lvcreate", "--yes", "--size", "32m", "--name", "others", "stapestest");
        PoolSpec spec = PoolSpec.of("test", "lvm").source("stapestest").size(Size.ofMebibytes(256));
        StoragePool pool = provider.create(host, spec, own);
        pool.create(A);
        write(pool, A, "file", "kept");
        pool.close();
        pool = provider.open(host, spec, own);
        assertEquals("kept", read(pool, A, "file"));
        pool.destroy();
        assertEquals("others", lvm("lvs", "--noheadings", "-o", "lv_name", "stapestest").strip());
      } finally {
        lvm("vgremove", "--yes", "--force", "stapestest");
        lvm("pvremove", "--yes", device);
      }
    }
  }

  @Test
  void a_device_must_be_blank_and_is_blank_afterwards() throws IOException {
    try (LoopDevice disk = disk(256)) {
      PoolSpec spec = PoolSpec.of("test", "lvm").source(disk.path().toString());
      Files.write(disk.path(), "somebody's".getBytes(StandardCharsets.UTF_8));
      StapesException error =
          assertThrows(StapesException.class, () -> provider.create(host, spec, own));
      assertEquals(Kind.CONFLICT, error.kind(), error.toString());
      Files.write(disk.path(), new byte[4096]);
      StoragePool pool = provider.create(host, spec, own);
      pool.create(A);
      pool.destroy();
      try (InputStream in = Files.newInputStream(disk.path())) {
        assertEquals(-1, firstByte(in.readNBytes(1 << 20)));
      }
    }
  }

  private static int firstByte(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != 0) {
        return i;
      }
    }
    return -1;
  }
}
