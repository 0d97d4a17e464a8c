package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.EXHAUSTED;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.StoragePool.BlockVolumes;
import dev.stapes.spi.StoragePool.Kept;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Volumes that are block devices; a pool that has none skips these, and says so. */
abstract class StorageBlockTests extends StorageResumableTests {
  private static final Size SIZE = Size.ofMebibytes(16);
  private static final Size LARGER = Size.ofMebibytes(24);
  private static final int BLOCK = 64 << 10;
  private static final int FILLED = 5 << 20;
  private static final VolumeId LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.later");
  private static final VolumeId RECEIVED = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.clean");
  private static final VolumeId RECEIVED_LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.later");

  @Test
  @Tag("smoke")
  void a_block_volume_is_a_device_of_its_size_that_reads_as_zeros_and_keeps_what_is_written() {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    assertEquals(Optional.of(SIZE), blocks.size(A));
    assertArrayEquals(new byte[BLOCK], read(A, 0));
    write(A, 0, "first");
    write(A, SIZE.bytes() - BLOCK, "last");
    bench().reopen();
    assertEquals("first", text(A, 0));
    assertEquals("last", text(A, SIZE.bytes() - BLOCK));
    assertEquals(Optional.of(SIZE), blocks().size(A));
    assertEquals(Set.of(A), pool().list());
    assertTrue(pool().exists(A));
  }

  @Test
  void its_device_has_its_size_and_more_where_the_pool_cannot_be_exact() throws IOException {
    BlockVolumes blocks = blocks();
    blocks.create(A, Size.ofBytes(SIZE.bytes() + 1));
    Size size = blocks.size(A).orElseThrow();
    assertTrue(size.bytes() > SIZE.bytes() && size.compareTo(LARGER) < 0, size.toString());
    try (Attachment attachment = blocks.attach(A, true);
        FileChannel device = open(attachment, false)) {
      assertEquals(size.bytes(), device.size());
    }
  }

  @Test
  void it_takes_space_only_for_what_is_written_or_all_at_once() {
    BlockVolumes blocks = blocks();
    Size total = pool().info().total();
    Size used = pool().info().used();
    if (!takesSpaceAsWritten()) {
      refused(EXHAUSTED, "", () -> blocks.create(A, Size.ofBytes(total.bytes() * 4)));
      assertEquals(Set.of(), pool().list());
      assertEquals(used, pool().info().used());
      return;
    }
    blocks.create(A, Size.ofBytes(total.bytes() * 4));
    Size more = pool().info().used();
    assertTrue(more.bytes() - used.bytes() < 8 << 20, used + ", then " + more);
    write(A, total.bytes() * 3, "far");
    assertEquals("far", text(A, total.bytes() * 3));
  }

  @Test
  void copies_of_it_are_block_volumes_and_do_not_see_each_other() {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    write(A, 0, "old");
    pool().copy(A, SNAPSHOT, true);
    write(A, 0, "new");
    pool().copy(A, B, false);
    pool().copy(SNAPSHOT, C, false);
    write(B, 0, "other");
    assertEquals("old", text(SNAPSHOT, 0));
    assertEquals("old", text(C, 0));
    assertEquals("new", text(A, 0));
    assertEquals("other", text(B, 0));
    for (VolumeId id : Set.of(A, B, C, SNAPSHOT)) {
      assertEquals(Optional.of(SIZE), blocks.size(id), id::toString);
    }
  }

  @Test
  void any_snapshot_of_it_is_restored_and_newer_ones_stay() {
    blocks().create(A, SIZE);
    write(A, 0, "first");
    pool().copy(A, SNAPSHOT, true);
    write(A, 0, "second");
    pool().copy(A, LATER, true);
    write(A, 0, "third");
    pool().copy(SNAPSHOT, B, false); // as the engine does it: another volume takes its place
    pool().discard(A);
    pool().reclaim();
    assertEquals("first", text(B, 0));
    pool().copy(LATER, C, false);
    assertEquals("second", text(C, 0));
    assertEquals(Set.of(B, C, SNAPSHOT, LATER), pool().list());
  }

  @Test
  void what_is_read_only_cannot_be_written() {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    write(A, 0, "kept");
    assumeRealDevices();
    pool().copy(A, SNAPSHOT, true);
    assertThrows(IOException.class, () -> writeReadOnly(A));
    assertThrows(IOException.class, () -> writeReadOnly(SNAPSHOT));
    assertEquals("kept", text(A, 0));
    assertEquals("kept", text(SNAPSHOT, 0));
    refused(() -> blocks.grow(SNAPSHOT, LARGER));
    write(A, 0, "again");
    assertEquals("again", text(A, 0));
  }

  @Test
  @Tag("smoke")
  void it_grows_also_while_it_is_attached_and_does_not_shrink() throws IOException {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    write(A, 0, "kept");
    pool().copy(A, SNAPSHOT, true);
    try (Attachment attachment = blocks.attach(A, false)) {
      blocks.grow(A, LARGER);
      blocks.grow(A, LARGER);
      try (FileChannel device = open(attachment, true)) {
        assertEquals(LARGER.bytes(), device.size());
      }
    }
    write(A, LARGER.bytes() - BLOCK, "end");
    refused(INVALID, "a", () -> blocks.grow(A, SIZE));
    assertEquals(Optional.of(LARGER), blocks.size(A));
    assertEquals("kept", text(A, 0));
    bench().reopen();
    assertEquals("end", text(A, LARGER.bytes() - BLOCK));
    assertEquals(Optional.of(SIZE), blocks().size(SNAPSHOT));
  }

  @Test
  void it_grows_also_for_who_only_reads_it() throws IOException {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    try (Attachment view = blocks.attach(A, true);
        FileChannel before = open(view, false)) {
      assertEquals(SIZE.bytes(), before.size());
      blocks.grow(A, LARGER);
      try (FileChannel device = open(view, false)) {
        assertEquals(LARGER.bytes(), device.size());
      }
    }
    assertEquals(Optional.of(LARGER), blocks.size(A));
  }

  @Test
  void it_has_no_files_and_a_volume_of_files_is_no_device() {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    pool().create(B);
    refused(INVALID, "a", () -> pool().tree(A, Tree.Resolution.BENEATH).close());
    refused(INVALID, "a", () -> pool().attach(A, Optional.empty(), false).close());
    assertEquals(Optional.empty(), blocks.size(B));
    refused(INVALID, "b", () -> blocks.attach(B, false).close());
    refused(INVALID, "b", () -> blocks.grow(B, SIZE));
  }

  @Test
  void one_that_is_there_is_not_made_again_and_one_that_is_not_is_not_found() {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    write(A, 0, "kept");
    refused(CONFLICT, "a", () -> blocks.create(A, SIZE));
    refused(CONFLICT, "a", () -> pool().create(A));
    refused(NOT_FOUND, "b", () -> blocks.size(B));
    refused(NOT_FOUND, "b", () -> blocks.grow(B, SIZE));
    refused(NOT_FOUND, "b", () -> blocks.attach(B, false).close());
    assertEquals("kept", text(A, 0));
  }

  @Test
  void one_that_was_discarded_is_gone_and_its_name_is_free() {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    write(A, 0, "gone");
    pool().copy(A, SNAPSHOT, true);
    pool().discard(A);
    blocks.create(A, LARGER);
    assertArrayEquals(new byte[BLOCK], read(A, 0));
    pool().reclaim();
    assertEquals("gone", text(SNAPSHOT, 0));
    pool().discard(A);
    pool().discard(SNAPSHOT);
    pool().reclaim();
    assertEquals(Set.of(), pool().list());
    pool().create(A);
    assertEquals(Optional.empty(), blocks.size(A));
  }

  @Test
  void one_that_is_attached_is_not_lost_when_it_is_discarded() throws IOException {
    BlockVolumes blocks = blocks();
    blocks.create(A, SIZE);
    try (Attachment attachment = blocks.attach(A, false);
        FileChannel device = open(attachment, true)) {
      device.write(block("held"), 0);
      pool().discard(A);
      pool().reclaim();
      ByteBuffer back = ByteBuffer.allocate(BLOCK);
      device.read(back, 0);
      assertEquals("held", text(back.array()));
    }
    pool().reclaim();
    assertEquals(Set.of(), pool().list());
  }

  @Test
  void what_is_sent_is_received_as_a_block_volume_and_so_is_a_difference() {
    BlockVolumes blocks = blocks();
    can(pool().sendReceive(), "streams of volumes");
    blocks.create(A, SIZE);
    write(A, 0, "first");
    pool().copy(A, SNAPSHOT, true);
    write(A, BLOCK, "second");
    pool().copy(A, LATER, true);
    byte[] whole = sent(SNAPSHOT, Optional.empty());
    byte[] difference = sent(LATER, Optional.of(SNAPSHOT));
    for (VolumeId id : Set.of(A, SNAPSHOT, LATER)) {
      pool().discard(id);
    }
    receive(RECEIVED, whole);
    receive(RECEIVED_LATER, difference);
    assertEquals("first", text(RECEIVED, 0));
    assertEquals("first", text(RECEIVED_LATER, 0));
    assertEquals("second", text(RECEIVED_LATER, BLOCK));
    assertEquals(Optional.of(SIZE), blocks.size(RECEIVED_LATER));
    bench().reopen();
    assertEquals(Optional.of(SIZE), blocks().size(RECEIVED));
  }

  @Test
  void a_stream_of_it_that_ends_early_leaves_nothing() {
    blocks().create(A, SIZE);
    write(A, 0, "first");
    can(pool().sendReceive(), "streams of volumes");
    pool().copy(A, SNAPSHOT, true);
    byte[] whole = sent(SNAPSHOT, Optional.empty());
    refused(() -> receive(RECEIVED, Arrays.copyOf(whole, whole.length - 1)));
    assertEquals(Set.of(A, SNAPSHOT), pool().list());
  }

  @Test
  void a_stream_of_it_that_broke_goes_on_and_so_does_a_difference() {
    BlockVolumes blocks = blocks();
    can(pool().resumable(), "streams that go on");
    blocks.create(A, SIZE);
    fill(A, 0);
    pool().copy(A, SNAPSHOT, true);
    fill(A, SIZE.bytes() / 2);
    pool().copy(A, LATER, true);
    goesOn(SNAPSHOT, RECEIVED, sent(SNAPSHOT, Optional.empty()));
    goesOn(LATER, RECEIVED_LATER, sent(LATER, Optional.of(SNAPSHOT)));
    for (VolumeId id : Set.of(A, SNAPSHOT, LATER, RECEIVED)) {
      pool().discard(id);
    }
    bench().reopen();
    pool().reclaim();
    assertEquals(Set.of(RECEIVED_LATER), pool().list());
    pool().copy(RECEIVED_LATER, B, false);
    write(B, 0, "its own");
    assertEquals("its own", text(B, 0));
    refused(INVALID, "b", () -> pool().tree(B, Tree.Resolution.BENEATH).close());
  }

  /** In three parts, of which it is a volume only after the last. */
  private void goesOn(VolumeId source, VolumeId target, byte[] whole) {
    Kept first = part(target, first(whole, 0.6));
    pool().reclaim();
    bench().reopen();
    assertFalse(pool().exists(target));
    assertEquals(Optional.of(first), resumable().find(target));
    byte[] rest = rest(source, first);
    assertTrue(rest.length < whole.length, rest.length + " of " + whole.length);
    Kept second = part(target, first(rest, 0.5));
    assertTrue(first.size().compareTo(second.size()) < 0, first + ", then " + second);
    refused(CONFLICT, target.name(), () -> resumable().receive(target, stream(rest)));
    received(target, rest(source, second));
    assertEquals(Optional.of(SIZE), blocks().size(target));
    assertArrayEquals(digest(source), digest(target));
    assertEquals(Set.of(), resumable().list());
  }

  /** Writes what cannot be compressed. */
  private void fill(VolumeId id, long at) {
    byte[] bytes = new byte[FILLED];
    new Random(at).nextBytes(bytes);
    try (Attachment attachment = blocks().attach(id, false);
        FileChannel device = open(attachment, true)) {
      for (int done = 0; done < FILLED; done += BLOCK) {
        device.write(ByteBuffer.wrap(bytes, done, BLOCK), at + done);
      }
      device.force(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private BlockVolumes blocks() {
    return can(pool().blockVolumes(), "block volumes");
  }

  /** Fakes have files for devices, which root can write to whatever they are opened for. */
  private void assumeRealDevices() {
    try (Attachment attachment = blocks().attach(A, true)) {
      Path path = bench().host().mounts().local(attachment.path());
      Assumptions.assumeFalse(Files.isRegularFile(path), path + " is no device but a file");
    }
  }

  private byte[] sent(VolumeId id, Optional<VolumeId> base) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool().sendReceive().orElseThrow().send(id, base, out);
    return out.toByteArray();
  }

  private void receive(VolumeId id, byte[] stream) {
    pool().sendReceive().orElseThrow().receive(id, stream(stream));
  }

  private FileChannel open(Attachment attachment, boolean write) throws IOException {
    Path path = bench().host().mounts().local(attachment.path());
    assertTrue(Files.exists(path), path.toString());
    return write
        ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
        : FileChannel.open(path, StandardOpenOption.READ);
  }

  private void write(VolumeId id, long at, String text) {
    try (Attachment attachment = blocks().attach(id, false);
        FileChannel device = open(attachment, true)) {
      device.write(block(text), at);
      device.force(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A device may say it when it is opened, or when it is written to, or that it is synced. */
  private void writeReadOnly(VolumeId id) throws IOException {
    try (Attachment attachment = blocks().attach(id, true);
        FileChannel device = open(attachment, true)) {
      device.write(block("not this"), 0);
      device.force(true);
    }
  }

  private byte[] read(VolumeId id, long at) {
    try (Attachment attachment = blocks().attach(id, true);
        FileChannel device = open(attachment, false)) {
      ByteBuffer bytes = ByteBuffer.allocate(BLOCK);
      while (bytes.hasRemaining() && device.read(bytes, at + bytes.position()) > 0) {
        // reads on
      }
      return bytes.array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of all its bytes. */
  private byte[] digest(VolumeId id) {
    try (Attachment attachment = blocks().attach(id, true);
        FileChannel device = open(attachment, false)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      ByteBuffer bytes = ByteBuffer.allocate(FILLED);
      long size = 0;
      while (device.read(bytes.clear()) > 0) {
        size += bytes.flip().remaining();
        digest.update(bytes);
      }
      assertEquals(SIZE.bytes(), size);
      return digest.digest();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every Java has it
    }
  }

  private String text(VolumeId id, long at) {
    return text(read(id, at));
  }

  private static String text(byte[] block) {
    return new String(block, StandardCharsets.UTF_8).replace("\0", "");
  }

  private static ByteBuffer block(String text) {
    return ByteBuffer.wrap(Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), BLOCK));
  }
}
