package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.StoragePool.BlockVolumes;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Volumes that are block devices, on a real device-mapper. */
class LvmBlocksIT extends RealLvmTests {
  private static final int KIB = 1024;
  private static final Size SIZE = Size.ofMebibytes(32);

  LvmBlocksIT(@TempDir Path directory) throws IOException {
    super(directory);
  }

  private static byte[] bytes(int seed, int count) {
    byte[] some = new byte[count];
    new Random(seed).nextBytes(some);
    return some;
  }

  private static void put(StoragePool pool, VolumeId id, long offset, byte[] data) {
    try (Attachment attachment = blocks(pool).attach(id, false);
        FileChannel device = FileChannel.open(attachment.path(), StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.wrap(data);
      while (buffer.hasRemaining()) {
        device.write(buffer, offset + buffer.position());
      }
      device.force(true);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] get(StoragePool pool, VolumeId id, long offset, int count) {
    try (Attachment attachment = blocks(pool).attach(id, true)) {
      return get(attachment, offset, count);
    }
  }

  private static byte[] get(Attachment attachment, long offset, int count) {
    try (FileChannel device = FileChannel.open(attachment.path(), StandardOpenOption.READ)) {
      ByteBuffer buffer = ByteBuffer.allocate(count);
      while (buffer.hasRemaining() && device.read(buffer, offset + buffer.position()) >= 0) {
        // reads on
      }
      return Arrays.copyOf(buffer.array(), buffer.position());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static BlockVolumes blocks(StoragePool pool) {
    return pool.blockVolumes().orElseThrow();
  }

  @Test
  void a_block_volume_reads_as_zeros_is_written_copied_restored_and_kept() {
    StoragePool pool = provider.create(host, spec(200), own);
    try {
      blocks(pool).create(A, Size.ofBytes(SIZE.bytes() - 5));
      assertEquals(Optional.of(SIZE), blocks(pool).size(A));
      assertArrayEquals(new byte[64 * KIB], get(pool, A, 0, 64 * KIB));
      put(pool, A, 4096, bytes(1, 100 * KIB));
      pool.copy(A, SNAPSHOT, true);
      put(pool, A, 4096, bytes(2, 100 * KIB));
      assertArrayEquals(bytes(1, 100 * KIB), get(pool, SNAPSHOT, 4096, 100 * KIB));
      assertArrayEquals(bytes(2, 100 * KIB), get(pool, A, 4096, 100 * KIB));
      pool.discard(A);
      pool.copy(SNAPSHOT, A, false);
      assertArrayEquals(bytes(1, 100 * KIB), get(pool, A, 4096, 100 * KIB));
      long used = pool.quotas().orElseThrow().usage(A).bytes();
      assertTrue(used >= 100 * KIB && used < 4 << 20, used + " bytes used");
      pool.close();
      pool = provider.open(host, spec(200), own);
      assertEquals(Set.of(A, SNAPSHOT), pool.list());
      assertEquals(Optional.of(SIZE), blocks(pool).size(SNAPSHOT));
      assertArrayEquals(bytes(1, 100 * KIB), get(pool, A, 4096, 100 * KIB));
      pool.discard(A);
      pool.discard(SNAPSHOT);
      pool.reclaim();
      assertTrue(pool.info().used().bytes() < 1 << 20, pool.info().toString());
    } finally {
      pool.destroy();
    }
  }

  @Test
  void what_is_attached_read_only_cannot_be_written_and_grows_with_the_volume() {
    StoragePool pool = provider.create(host, spec(200), own);
    try {
      blocks(pool).create(A, SIZE);
      put(pool, A, 0, bytes(1, 4096));
      try (Attachment view = blocks(pool).attach(A, true);
          Attachment device = blocks(pool).attach(A, false)) {
        assertThrows(
            IOException.class,
            () -> {
              try (FileChannel out = FileChannel.open(view.path(), StandardOpenOption.WRITE)) {
                out.write(ByteBuffer.allocate(4096), 0);
                out.force(true);
              }
            });
        assertArrayEquals(bytes(1, 4096), get(view, 0, 4096));
        refused(Kind.INVALID, () -> blocks(pool).grow(A, Size.ofMebibytes(16)));
        blocks(pool).grow(A, SIZE);
        blocks(pool).grow(A, Size.ofMebibytes(64));
        assertEquals(Optional.of(Size.ofMebibytes(64)), blocks(pool).size(A));
        assertEquals(4096, get(device, (64L << 20) - 4096, 8192).length);
        assertEquals(4096, get(view, (64L << 20) - 4096, 8192).length);
      }
      pool.copy(A, SNAPSHOT, true);
      refused(Kind.DENIED, () -> blocks(pool).attach(SNAPSHOT, false));
      refused(Kind.DENIED, () -> blocks(pool).grow(SNAPSHOT, Size.ofMebibytes(128)));
    } finally {
      pool.destroy();
    }
  }

  @Test
  void files_and_blocks_are_not_taken_for_each_other() {
    StoragePool pool = provider.create(host, spec(200).with("volume.size", "64MiB"), own);
    try {
      blocks(pool).create(A, SIZE);
      pool.create(B);
      refused(Kind.INVALID, () -> pool.tree(A, Tree.Resolution.BENEATH));
      refused(Kind.INVALID, () -> pool.attach(A, Optional.empty(), false));
      refused(Kind.INVALID, () -> pool.quotas().orElseThrow().limit(A, Optional.of(SIZE)));
      assertEquals(Optional.empty(), blocks(pool).size(B));
      refused(Kind.INVALID, () -> blocks(pool).attach(B, false));
      refused(Kind.INVALID, () -> blocks(pool).grow(B, Size.ofMebibytes(128)));
      refused(Kind.NOT_FOUND, () -> blocks(pool).size(C));
      refused(Kind.NOT_FOUND, () -> blocks(pool).attach(C, true));
      refused(Kind.CONFLICT, () -> blocks(pool).create(B, SIZE));
      refused(Kind.EXHAUSTED, () -> blocks(pool).create(C, Size.ofBytes(Long.MAX_VALUE)));
    } finally {
      pool.destroy();
    }
  }

  @Test
  void blocks_are_sent_whole_and_as_differences() {
    VolumeId copy = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.clean");
    VolumeId later = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.later");
    StoragePool pool = provider.create(host, spec(300), own);
    try {
      blocks(pool).create(A, SIZE);
      put(pool, A, 1 << 20, bytes(1, 300 * KIB));
      pool.copy(A, SNAPSHOT, true);
      put(pool, A, (1 << 20) + 8192, new byte[128 * KIB]);
      put(pool, A, 20 << 20, bytes(3, 100));
      pool.copy(A, LATER, true);
      byte[] whole = sent(pool, SNAPSHOT, Optional.empty());
      byte[] difference = sent(pool, LATER, Optional.of(SNAPSHOT));
      assertTrue(whole.length < 500 * KIB, whole.length + " bytes");
      assertTrue(difference.length < 500 * KIB, difference.length + " bytes");
      byte[] expected = get(pool, LATER, 0, 32 << 20);
      pool.discard(SNAPSHOT);
      pool.discard(LATER);
      pool.sendReceive().orElseThrow().receive(copy, new ByteArrayInputStream(whole));
      pool.sendReceive().orElseThrow().receive(later, new ByteArrayInputStream(difference));
      assertEquals(Optional.of(SIZE), blocks(pool).size(later));
      assertArrayEquals(expected, get(pool, later, 0, 32 << 20));
      assertArrayEquals(bytes(1, 300 * KIB), get(pool, copy, 1 << 20, 300 * KIB));
    } finally {
      pool.destroy();
    }
  }

  /** As after a copy of a volume and its snapshots to one pool, twice. */
  @Test
  void a_difference_goes_onto_any_volume_that_came_as_the_same_stream() {
    VolumeId first = new VolumeId(VolumeId.Kind.SNAPSHOT, "first");
    VolumeId second = new VolumeId(VolumeId.Kind.SNAPSHOT, "second");
    VolumeId later = new VolumeId(VolumeId.Kind.SNAPSHOT, "second.later");
    StoragePool pool = provider.create(host, spec(300), own);
    try {
      blocks(pool).create(A, SIZE);
      put(pool, A, 0, bytes(1, 300 * KIB));
      pool.copy(A, SNAPSHOT, true);
      put(pool, A, 4096, bytes(2, 8 * KIB));
      pool.copy(A, LATER, true);
      byte[] whole = sent(pool, SNAPSHOT, Optional.empty());
      byte[] difference = sent(pool, LATER, Optional.of(SNAPSHOT));
      byte[] expected = get(pool, LATER, 0, 400 * KIB);
      pool.discard(SNAPSHOT);
      pool.discard(LATER);
      StoragePool.SendReceive streams = pool.sendReceive().orElseThrow();
      streams.receive(first, new ByteArrayInputStream(whole));
      streams.receive(second, new ByteArrayInputStream(whole));
      pool.discard(first);
      pool.reclaim();
      pool.close();
      pool = provider.open(host, spec(300), own);
      pool.sendReceive().orElseThrow().receive(later, new ByteArrayInputStream(difference));
      assertArrayEquals(expected, get(pool, later, 0, 400 * KIB));
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_send_that_is_interrupted_leaves_no_device() {
    StoragePool pool = provider.create(host, spec(200), own);
    try {
      blocks(pool).create(A, SIZE);
      put(pool, A, 0, bytes(1, 4096));
      pool.copy(A, SNAPSHOT, true);
      OutputStream interrupted =
          new OutputStream() {
            @Override
            public void write(int one) throws IOException {
              Thread.currentThread().interrupt();
              throw new InterruptedIOException("interrupted");
            }
          };
      StoragePool.SendReceive streams = pool.sendReceive().orElseThrow();
      refused(Kind.INTERRUPTED, () -> streams.send(SNAPSHOT, Optional.empty(), interrupted));
      assertTrue(Thread.interrupted());
      String twin =
          lvm("lvs", "--noheadings", "-o", "lv_tags,lv_active")
              .lines()
              .filter(line -> line.contains("stapes.twin="))
              .findFirst()
              .orElseThrow();
      assertFalse(twin.strip().endsWith(" active"), twin);
    } finally {
      pool.destroy();
    }
  }

  private static byte[] sent(StoragePool pool, VolumeId id, Optional<VolumeId> base) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.sendReceive().orElseThrow().send(id, base, out);
    return out.toByteArray();
  }
}
