package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.EXHAUSTED;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool.Growable;
import dev.stapes.spi.StoragePool.Quotas;
import dev.stapes.spi.StoragePool.Scratch;
import dev.stapes.spi.StoragePool.SendReceive;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What only some pools can do; a pool that cannot skips these, and says so. */
abstract class StorageCapabilityTests extends StorageAttachmentTests {
  private static final Size MIB = Size.ofMebibytes(1);
  private static final VolumeId LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.later");
  private static final VolumeId RECEIVED = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.clean");
  private static final VolumeId RECEIVED_LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.later");

  @Test
  void a_volume_cannot_hold_more_than_its_limit() {
    Quotas quotas = quotas();
    pool().create(A);
    quotas.limit(A, Optional.of(Size.ofMebibytes(8)));
    exhausted(A, "big", 32);
    assertTrue(quotas.usage(A).compareTo(Size.ofMebibytes(9)) <= 0, quotas.usage(A).toString());
  }

  @Test
  @Tag("smoke")
  void a_volume_at_its_limit_can_be_emptied_and_written_again() {
    Quotas quotas = quotas();
    pool().create(A);
    quotas.limit(A, Optional.of(Size.ofMebibytes(8)));
    exhausted(A, "big", 32);
    bench().withTree(A, tree -> tree.remove("big"));
    bench().withTree(A, tree -> TreePicture.big(tree, "small", 2));
  }

  @Test
  void a_limit_that_is_removed_or_raised_holds_no_more() {
    Quotas quotas = quotas();
    pool().create(A);
    quotas.limit(A, Optional.of(Size.ofMebibytes(4)));
    exhausted(A, "big", 16);
    quotas.limit(A, Optional.of(Size.ofMebibytes(24)));
    bench().withTree(A, tree -> TreePicture.big(tree, "big", 16));
    exhausted(A, "more", 32);
    quotas.limit(A, Optional.empty());
    bench().withTree(A, tree -> TreePicture.big(tree, "more", 16));
  }

  @Test
  void a_limit_survives_a_reopen_and_limits_nobody_else() {
    Quotas quotas = quotas();
    pool().create(A);
    pool().create(B);
    quotas.limit(A, Optional.of(Size.ofMebibytes(4)));
    bench().withTree(B, tree -> TreePicture.big(tree, "big", 16));
    bench().reopen();
    exhausted(A, "big", 16);
  }

  @Test
  void usage_is_the_data_that_a_volume_refers_to_shared_or_not() {
    Quotas quotas = quotas();
    pool().create(A);
    assertTrue(quotas.usage(A).compareTo(MIB) < 0, "empty: " + quotas.usage(A));
    bench().withTree(A, tree -> TreePicture.big(tree, "big", 6));
    within(6, 8, quotas.usage(A));
    pool().copy(A, B, false);
    within(6, 8, quotas.usage(A));
    within(6, 8, quotas.usage(B));
    bench().withTree(B, tree -> TreePicture.big(tree, "more", 4));
    within(10, 13, quotas.usage(B));
    within(6, 8, quotas.usage(A));
  }

  @Test
  void a_volume_that_does_not_exist_has_no_limit_and_no_usage() {
    Quotas quotas = quotas();
    refused(NOT_FOUND, "b", () -> quotas.limit(B, Optional.of(MIB)));
    refused(NOT_FOUND, "b", () -> quotas.usage(B));
  }

  @Test
  void a_limited_volume_can_be_copied_and_discarded() {
    Quotas quotas = quotas();
    pool().create(A);
    bench().withTree(A, tree -> TreePicture.big(tree, "big", 2));
    quotas.limit(A, Optional.of(Size.ofMebibytes(16)));
    pool().copy(A, B, false);
    pool().discard(A);
    pool().reclaim();
    pool().create(A);
    bench().withTree(A, tree -> TreePicture.big(tree, "big", 20));
    within(2, 4, quotas.usage(B));
  }

  @Test
  void what_is_sent_and_received_is_the_same_and_read_only() {
    SendReceive streams = streams();
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    streams.receive(RECEIVED, new ByteArrayInputStream(sent(SNAPSHOT, Optional.empty())));
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
    bench().withTree(RECEIVED, tree -> refused(() -> tree.mkdir("new", 0755)));
    assertEquals(Set.of(A, SNAPSHOT, RECEIVED), pool().list());
  }

  @Test
  @Tag("smoke")
  void a_difference_is_received_by_one_who_has_its_base() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    bench()
        .withTree(
            A,
            tree -> {
              TreePicture.write(tree, "etc/hostname", "renamed");
              tree.removeAll("home");
              tree.rename("tool", "moved");
              tree.mkdir("added", 0750);
            });
    pool().copy(A, LATER, true);
    byte[] base = sent(SNAPSHOT, Optional.empty());
    byte[] difference = sent(LATER, Optional.of(SNAPSHOT));
    Map<String, String> picture = bench().picture(LATER);
    pool().discard(A);
    pool().discard(LATER);
    pool().discard(SNAPSHOT);
    streams().receive(RECEIVED, new ByteArrayInputStream(base));
    streams().receive(RECEIVED_LATER, new ByteArrayInputStream(difference));
    assertEquals(picture, bench().picture(RECEIVED_LATER));
  }

  @Test
  void a_difference_without_its_base_leaves_nothing() {
    pool().create(A);
    bench().writeText(A, "file", "old");
    pool().copy(A, SNAPSHOT, true);
    bench().writeText(A, "file", "new");
    pool().copy(A, LATER, true);
    byte[] difference = sent(LATER, Optional.of(SNAPSHOT));
    pool().discard(LATER);
    pool().discard(SNAPSHOT);
    pool().discard(A);
    refused(() -> streams().receive(RECEIVED, new ByteArrayInputStream(difference)));
    assertEquals(Set.of(), pool().list());
  }

  @Test
  void a_stream_that_ends_early_leaves_nothing() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    byte[] whole = sent(SNAPSHOT, Optional.empty());
    for (int length : new int[] {0, 3, whole.length / 3, whole.length / 2, whole.length - 1}) {
      byte[] cut = Arrays.copyOf(whole, length);
      refused(() -> streams().receive(RECEIVED, new ByteArrayInputStream(cut)));
      assertFalse(pool().exists(RECEIVED), "after " + length + " of " + whole.length + " bytes");
    }
    streams().receive(RECEIVED, new ByteArrayInputStream(whole));
    assertEquals(bench().picture(SNAPSHOT), bench().picture(RECEIVED));
  }

  @Test
  void a_stream_of_something_else_leaves_nothing() {
    SendReceive streams = streams();
    byte[] rubbish = "this is no stream of any driver".repeat(100).getBytes(StandardCharsets.UTF_8);
    refused(() -> streams.receive(RECEIVED, new ByteArrayInputStream(rubbish)));
    assertEquals(Set.of(), pool().list());
  }

  @Test
  void nothing_is_received_onto_a_volume_that_exists() {
    pool().create(A);
    bench().writeText(A, "file", "old");
    pool().copy(A, SNAPSHOT, true);
    byte[] stream = sent(SNAPSHOT, Optional.empty());
    Map<VolumeId, Map<String, String>> before = bench().state();
    refused(CONFLICT, "a", () -> streams().receive(A, new ByteArrayInputStream(stream)));
    assertEquals(before, bench().state());
  }

  @Test
  void what_is_not_there_or_not_read_only_is_not_sent() {
    SendReceive streams = streams();
    pool().create(A);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    refused(NOT_FOUND, "b", () -> streams.send(B, Optional.empty(), out));
    refused(INVALID, "a", () -> streams.send(A, Optional.empty(), out));
    pool().copy(A, SNAPSHOT, true);
    refused(NOT_FOUND, "b", () -> streams.send(SNAPSHOT, Optional.of(B), out));
    assertEquals(0, out.size());
  }

  @Test
  void a_pool_that_has_grown_has_more_space_and_the_same_volumes() {
    Growable growable = growable();
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    Map<VolumeId, Map<String, String>> before = bench().state();
    Size total = pool().info().total();
    Size larger = Size.ofBytes(total.bytes() + Size.ofMebibytes(128).bytes());
    growable.grow(larger);
    Size grown = pool().info().total();
    assertTrue(grown.compareTo(total) > 0, total + " grown to " + grown);
    assertEquals(before, bench().state());
    bench().reopen();
    assertEquals(grown, pool().info().total());
    assertEquals(before, bench().state());
  }

  @Test
  void a_pool_does_not_shrink() {
    Growable growable = growable();
    Size total = pool().info().total();
    refused(INVALID, "64MiB", () -> growable.grow(Size.ofMebibytes(64)));
    assertEquals(total, pool().info().total());
  }

  @Test
  void a_full_pool_says_so_and_has_space_again_when_something_was_reclaimed() {
    growable();
    pool().create(A);
    int tooMuch = Math.toIntExact(pool().info().total().bytes() >> 20) + 16;
    exhausted(A, "big", tooMuch);
    Size full = pool().info().used();
    pool().discard(A);
    Size free = full;
    for (int i = 0; i < 6 && free.bytes() >= full.bytes() / 2; i++) { // it may free behind
      pool().reclaim();
      free = pool().info().used();
    }
    assertTrue(free.bytes() < full.bytes() / 2, "used " + full + ", then " + free);
    pool().create(B);
    bench().withTree(B, tree -> TreePicture.big(tree, "big", 16));
  }

  @Test
  void a_scratch_volume_shows_its_source_and_keeps_its_changes_to_itself() {
    Scratch scratch = image();
    scratch.create(IMAGE, A, Optional.empty());
    Map<String, String> image = bench().picture(IMAGE);
    assertEquals(image, bench().picture(A));
    bench()
        .withTree(
            A,
            tree -> {
              TreePicture.write(tree, "etc/hostname", "mine");
              tree.removeAll("home");
              tree.chmod("tool", 0700);
              TreePicture.write(tree, "new", "new");
            });
    assertEquals(image, bench().picture(IMAGE));
    bench().withTree(A, tree -> assertEquals("mine", TreePicture.text(tree, "etc/hostname")));
    assertEquals(Set.of(IMAGE, A), pool().list());
    assertTrue(pool().exists(A));
  }

  @Test
  void two_scratch_volumes_of_one_source_do_not_see_each_other() {
    Scratch scratch = image();
    scratch.create(IMAGE, A, Optional.empty());
    scratch.create(IMAGE, B, Optional.empty());
    bench().writeText(A, "file", "a");
    bench().withTree(B, tree -> assertEquals(null, TreePicture.text(tree, "file")));
  }

  @Test
  void a_scratch_volume_takes_no_more_memory_than_its_limit() {
    Scratch scratch = image();
    scratch.create(IMAGE, A, Optional.of(Size.ofMebibytes(4)));
    exhausted(A, "much", 16);
    assertTrue(pool().exists(A));
  }

  @Test
  void a_scratch_volume_is_attached_copied_and_discarded_like_any_other() {
    Scratch scratch = image();
    scratch.create(IMAGE, A, Optional.empty());
    bench().writeText(A, "file", "a");
    pool().copy(A, B, false);
    pool().copy(A, SNAPSHOT, true);
    bench().writeText(A, "file", "later");
    bench().withTree(B, tree -> assertEquals("a", TreePicture.text(tree, "file")));
    bench().withTree(SNAPSHOT, tree -> refused(() -> tree.mkdir("new", 0755)));
    try (var attachment = pool().attach(A, Optional.empty(), false);
        var tree =
            bench()
                .host()
                .tree(
                    bench().host().mounts().local(attachment.path()),
                    dev.stapes.spi.Tree.Resolution.BENEATH)) {
      assertEquals("later", TreePicture.text(tree, "file"));
    }
    pool().discard(A);
    assertFalse(pool().exists(A));
    bench().withTree(B, tree -> assertEquals("a", TreePicture.text(tree, "file")));
    pool().discard(B);
    pool().discard(SNAPSHOT);
    pool().reclaim();
    assertEquals(Set.of(IMAGE), pool().list());
  }

  @Test
  void a_scratch_volume_is_gone_with_its_host() {
    Scratch scratch = image();
    scratch.create(IMAGE, A, Optional.empty());
    bench().writeText(A, "file", "gone");
    pool().copy(A, B, false);
    bench().reopen();
    assertEquals(Set.of(IMAGE), pool().list());
    pool().create(A);
    bench().withTree(A, tree -> assertEquals(null, TreePicture.text(tree, "file")));
  }

  @Test
  void a_scratch_volume_needs_a_source_and_an_id_of_its_own() {
    Scratch scratch = image();
    pool().create(A);
    Map<VolumeId, Map<String, String>> before = bench().state();
    refused(NOT_FOUND, "b", () -> scratch.create(B, C, Optional.empty()));
    refused(CONFLICT, "a", () -> scratch.create(IMAGE, A, Optional.empty()));
    assertEquals(before, bench().state());
  }

  private Scratch image() {
    Scratch scratch = can(pool().scratch(), "volumes in memory");
    pool().create(B);
    bench().withTree(B, TreePicture::fill);
    pool().copy(B, IMAGE, true);
    pool().discard(B);
    return scratch;
  }

  private Quotas quotas() {
    return can(pool().quotas(), "quotas");
  }

  private SendReceive streams() {
    return can(pool().sendReceive(), "streams of volumes");
  }

  private Growable growable() {
    return can(pool().growable(), "growing");
  }

  /** A capability that this test is about. */
  final <T> T can(Optional<T> capability, String what) {
    Assumptions.assumeTrue(capability.isPresent(), bench().spec().driver() + " has no " + what);
    return capability.orElseThrow();
  }

  private byte[] sent(VolumeId id, Optional<VolumeId> base) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    streams().send(id, base, out);
    return out.toByteArray();
  }

  /** A stream can only say it as an IOException. */
  private void exhausted(VolumeId id, String file, int mebibytes) {
    RuntimeException error =
        assertThrows(
            RuntimeException.class,
            () -> bench().withTree(id, tree -> TreePicture.big(tree, file, mebibytes)));
    if (error instanceof StapesException refused) {
      assertEquals(EXHAUSTED, refused.kind(), () -> "kind of: " + refused);
    } else {
      assertInstanceOf(UncheckedIOException.class, error);
      String message = String.valueOf(error.getMessage());
      assertTrue(message.contains("ENOSPC") || message.contains("EDQUOT"), message);
    }
  }

  private static void within(int least, int most, Size size) {
    assertTrue(
        size.compareTo(Size.ofMebibytes(least)) >= 0 && size.compareTo(Size.ofMebibytes(most)) <= 0,
        size.toDisplay() + " is not from " + least + " to " + most + " MiB");
  }
}
