package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static dev.stapes.testkit.contract.Refusal.refused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Kept;
import dev.stapes.spi.StoragePool.Received;
import dev.stapes.spi.StoragePool.Resumable;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EventStream;
import dev.stapes.testkit.Faults;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Streams that go on where they broke; a pool that has none skips these, and says so. */
abstract class StorageResumableTests extends StorageStreamTests {
  private static final VolumeId LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.later");
  private static final VolumeId RECEIVED = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.parts");
  private static final VolumeId OTHER = new VolumeId(VolumeId.Kind.SNAPSHOT, "c.parts");
  private static final int MEBIBYTES = 4;

  @Test
  @Tag("smoke")
  void a_stream_that_broke_goes_on_where_it_was() {
    byte[] whole = somethingSent(pool());
    Kept kept = part(RECEIVED, first(whole, 0.7));
    assertFalse(pool().exists(RECEIVED));
    assertEquals(Set.of(A, SNAPSHOT), pool().list());
    pool().reclaim();
    pool().discard(RECEIVED);
    bench().reopen();
    assertEquals(Optional.of(kept), resumable().find(RECEIVED));
    assertEquals(Set.of(RECEIVED), resumable().list());
    byte[] rest = rest(SNAPSHOT, kept);
    assertTrue(rest.length < whole.length / 2, rest.length + " of " + whole.length);
    received(RECEIVED, rest);
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
    assertEquals(Set.of(A, SNAPSHOT, RECEIVED), pool().list());
    assertEquals(Set.of(), resumable().list());
    assertEquals(Optional.empty(), resumable().find(RECEIVED));
    bench().reopen();
    pool().reclaim();
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
    bench().withTree(RECEIVED, tree -> refused(() -> tree.mkdir("new", 0755)));
  }

  @Test
  void a_difference_goes_on_as_often_as_it_breaks() {
    somethingSent(pool());
    byte[] whole = difference();
    Map<String, String> picture = bench().picture(LATER);
    Kept first = part(RECEIVED, first(whole, 0.4));
    byte[] rest = rest(LATER, first);
    Kept second = part(RECEIVED, first(rest, 0.5));
    assertNotEquals(first.token(), second.token());
    assertTrue(first.size().compareTo(second.size()) < 0, first + ", then " + second);
    byte[] last = rest(LATER, second);
    assertTrue(last.length < rest.length, last.length + " of " + rest.length);
    received(RECEIVED, last);
    for (VolumeId id : Set.of(A, SNAPSHOT, LATER)) {
      pool().discard(id);
    }
    pool().reclaim();
    assertEquals(picture, bench().picture(RECEIVED));
    assertEquals(Set.of(RECEIVED), pool().list());
  }

  /** What it was to be a difference to does not go before it, whatever becomes of that. */
  @Test
  void what_is_kept_of_a_difference_outlives_what_it_builds_on() {
    somethingSent(pool());
    byte[] whole = difference();
    Map<String, String> picture = bench().picture(LATER);
    Kept kept = part(RECEIVED, first(whole, 0.5));
    byte[] rest = rest(LATER, kept);
    for (VolumeId id : Set.of(A, LATER, SNAPSHOT)) {
      pool().discard(id);
    }
    pool().reclaim();
    assertEquals(Set.of(), pool().list());
    received(RECEIVED, rest);
    pool().reclaim();
    assertEquals(picture, bench().picture(RECEIVED));
  }

  @Test
  void what_is_forgotten_is_gone_and_can_be_sent_anew() {
    byte[] whole = somethingSent(pool());
    resumable().forget(RECEIVED);
    part(RECEIVED, first(whole, 0.5));
    part(OTHER, first(whole, 0.6));
    assertEquals(Set.of(RECEIVED, OTHER), resumable().list());
    resumable().forget(RECEIVED);
    assertEquals(Optional.empty(), resumable().find(RECEIVED));
    assertEquals(Set.of(OTHER), resumable().list());
    resumable().forget(RECEIVED);
    pool().reclaim();
    received(RECEIVED, whole);
    resumable().forget(RECEIVED);
    assertTrue(pool().exists(RECEIVED));
    assertEquals(Set.of(OTHER), resumable().list());
  }

  /** Its name is free again, whatever it was received into. */
  @Test
  void a_volume_that_was_received_in_parts_is_discarded_and_received_again() {
    byte[] whole = somethingSent(pool());
    for (int round = 0; round < 3; round++) {
      Kept kept = part(RECEIVED, first(whole, 0.6));
      received(RECEIVED, rest(SNAPSHOT, kept));
      pool().copy(RECEIVED, instance(round), false);
      pool().discard(RECEIVED);
      if (round > 0) {
        pool().reclaim();
      }
    }
    received(RECEIVED, whole);
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
    assertEquals(bench().picture(SNAPSHOT), bench().picture(instance(1)));
  }

  private static VolumeId instance(int number) {
    return new VolumeId(VolumeId.Kind.INSTANCE, "copy-" + number);
  }

  @Test
  void what_does_not_go_on_with_what_is_kept_is_refused_and_changes_nothing() {
    byte[] whole = somethingSent(pool());
    Kept first = part(RECEIVED, first(whole, 0.3));
    byte[] early = rest(SNAPSHOT, first);
    Kept kept = part(RECEIVED, first(early, 0.5));
    part(OTHER, first(difference(), 0.5));
    byte[] others = rest(LATER, resumable().find(OTHER).orElseThrow());
    resumable().forget(OTHER);

    refused(CONFLICT, "b.parts", () -> resumable().receive(RECEIVED, stream(whole)));
    refused(CONFLICT, "b.parts", () -> resumable().receive(RECEIVED, stream(early)));
    refused(INVALID, "b.parts", () -> resumable().receive(RECEIVED, stream(others)));
    refused(NOT_FOUND, "c.parts", () -> resumable().receive(OTHER, stream(others)));
    refused(() -> resumable().receive(RECEIVED, stream("nothing".repeat(200).getBytes(UTF_8))));
    refused(() -> resumable().receive(RECEIVED, stream(new byte[0])));
    refused(() -> pool().sendReceive().orElseThrow().receive(OTHER, stream(others)));
    pool().create(RECEIVED);
    refused(CONFLICT, "b.parts", () -> resumable().receive(RECEIVED, stream(whole)));
    byte[] rest = rest(SNAPSHOT, kept);
    refused(CONFLICT, "b.parts", () -> resumable().receive(RECEIVED, stream(rest)));
    assertEquals(Optional.of(kept), resumable().find(RECEIVED));
    pool().discard(RECEIVED);
    received(RECEIVED, rest);
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
  }

  /** Where the rest begins is of the driver's own size, and has nothing of the volume yet. */
  @Test
  void a_rest_that_brings_nothing_new_leaves_the_token_as_it_was() {
    byte[] whole = somethingSent(pool());
    Kept kept = part(RECEIVED, first(whole, 0.5));
    byte[] rest = rest(SNAPSHOT, kept);
    Optional<Kept> after = Optional.empty();
    for (int length = 0; after.isEmpty() && length < rest.length / 2; length += 4) {
      after = partOrRefused(Arrays.copyOf(rest, length));
    }
    assertEquals(Optional.of(kept), after);
    assertEquals(Optional.of(kept), resumable().find(RECEIVED));
    received(RECEIVED, rest);
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
  }

  private Optional<Kept> partOrRefused(byte[] cut) {
    try {
      return Optional.of(part(RECEIVED, cut));
    } catch (StapesException e) {
      assertEquals(INVALID, e.kind(), e::toString);
      return Optional.empty();
    }
  }

  @Test
  void a_token_of_something_else_sends_nothing() {
    byte[] whole = somethingSent(pool());
    byte[] difference = difference();
    String token = part(RECEIVED, first(whole, 0.5)).token();
    String other = part(OTHER, first(difference, 0.5)).token();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String wrong : new String[] {"", "-x", "1-2-3-4", "@", token + "0", "a".repeat(100_000)}) {
      refused(INVALID, "a.clean", () -> resumable().send(SNAPSHOT, wrong, out));
    }
    refused(INVALID, "a.later", () -> resumable().send(LATER, token, out));
    refused(INVALID, "a.clean", () -> resumable().send(SNAPSHOT, other, out));
    refused(INVALID, "a", () -> resumable().send(A, token, out));
    refused(NOT_FOUND, "b", () -> resumable().send(B, token, out));
    pool().discard(SNAPSHOT);
    refused(NOT_FOUND, "a.clean", () -> resumable().send(SNAPSHOT, token, out));
    refused(NOT_FOUND, "a.later", () -> resumable().send(LATER, other, out));
    assertEquals(0, out.size());
  }

  @Test
  void what_a_close_cut_short_goes_on_after_it() {
    byte[] whole = somethingSent(pool());
    StoragePool pool = pool();
    InputStream closing = new EventStream(pool::close);
    InputStream in = new SequenceInputStream(stream(first(whole, 0.7)), closing);
    refused(UNAVAILABLE, "", () -> pool.resumable().orElseThrow().receive(RECEIVED, in));
    bench().reopen();
    Kept kept = resumable().find(RECEIVED).orElseThrow();
    received(RECEIVED, rest(SNAPSHOT, kept));
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
  }

  @Test
  void a_source_that_fails_is_no_worse_than_one_that_ends() {
    byte[] whole = somethingSent(pool());
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("the cable is gone");
          }

          @Override
          public int read(byte[] bytes, int offset, int length) throws IOException {
            return read();
          }
        };
    InputStream in = new SequenceInputStream(stream(first(whole, 0.7)), failing);
    Received.Part part = assertInstanceOf(Received.Part.class, resumable().receive(RECEIVED, in));
    assertEquals(UNAVAILABLE, part.why().kind(), part::toString);
    assertTrue(String.valueOf(part.why().getMessage()).contains("cable"), part::toString);
    received(RECEIVED, rest(SNAPSHOT, part.kept()));
    refused(UNAVAILABLE, "c.parts", () -> resumable().receive(OTHER, failing));
    assertEquals(Set.of(), resumable().list());
  }

  @Test
  void after_a_crash_anywhere_a_part_is_whole_or_kept_and_nothing_is_left_of_it_when_it_goes() {
    can(pool().resumable(), "streams that go on");
    int effects = crash(new Faults(), 0);
    for (int n = 1; n <= effects; n++) {
      crash(new Faults(), n);
    }
  }

  /** Dies at an effect of receiving the rest; 0: at none. The answer is how many there are. */
  private int crash(Faults faults, int n) {
    try (StorageBench other = StorageBench.open(this, faults)) {
      byte[] whole = somethingSent(other.pool());
      Kept kept = part(other.pool(), RECEIVED, first(whole, 0.6));
      byte[] rest = rest(other.pool(), SNAPSHOT, kept);
      if (n == 0) {
        faults.count();
      } else {
        faults.dieAtNth(n);
      }
      try {
        Received unusedAnswer =
            other.pool().resumable().orElseThrow().receive(RECEIVED, stream(rest));
      } catch (StapesException e) {
        assertTrue(n > 0, e::toString);
      }
      int effects = faults.effects();
      other.crash();
      Resumable streams = other.pool().resumable().orElseThrow();
      if (!other.pool().exists(RECEIVED)) {
        Kept left = streams.find(RECEIVED).orElseThrow();
        byte[] last = rest(other.pool(), SNAPSHOT, left);
        assertEquals(new Received.Whole(), streams.receive(RECEIVED, stream(last)));
      }
      assertEquals(other.picture(SNAPSHOT), other.picture(RECEIVED));
      assertEquals(Set.of(), streams.list());
      other.pool().discard(RECEIVED);
      other.pool().reclaim();
      assertEquals(Set.of(A, SNAPSHOT), other.pool().list());
      return effects;
    }
  }

  /** A stream of a snapshot with some MiB. */
  private byte[] somethingSent(StoragePool pool) {
    can(pool.resumable(), "streams that go on");
    pool.create(A);
    try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH)) {
      TreePicture.fill(tree);
      TreePicture.big(tree, "data", MEBIBYTES);
    }
    pool.copy(A, SNAPSHOT, true);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.sendReceive().orElseThrow().send(SNAPSHOT, Optional.empty(), out);
    return out.toByteArray();
  }

  /** A stream of a later snapshot, as the difference to the first. */
  private byte[] difference() {
    bench().withTree(A, tree -> TreePicture.big(tree, "more", MEBIBYTES - 1));
    pool().copy(A, LATER, true);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool().sendReceive().orElseThrow().send(LATER, Optional.of(SNAPSHOT), out);
    return out.toByteArray();
  }

  final Resumable resumable() {
    return can(pool().resumable(), "streams that go on");
  }

  static InputStream stream(byte[] bytes) {
    return new ByteArrayInputStream(bytes);
  }

  static byte[] first(byte[] whole, double part) {
    return Arrays.copyOf(whole, (int) (whole.length * part));
  }

  final Kept part(VolumeId id, byte[] cut) {
    return part(pool(), id, cut);
  }

  private static Kept part(StoragePool pool, VolumeId id, byte[] cut) {
    Received answer = pool.resumable().orElseThrow().receive(id, stream(cut));
    Received.Part part = assertInstanceOf(Received.Part.class, answer);
    assertEquals(id, part.kept().id());
    assertTrue(part.kept().token().matches("[!-~]+"), part::toString);
    return part.kept();
  }

  final void received(VolumeId id, byte[] rest) {
    assertEquals(new Received.Whole(), resumable().receive(id, stream(rest)));
  }

  final byte[] rest(VolumeId source, Kept kept) {
    return rest(pool(), source, kept);
  }

  private static byte[] rest(StoragePool pool, VolumeId source, Kept kept) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.resumable().orElseThrow().send(source, kept.token(), out);
    return out.toByteArray();
  }
}
