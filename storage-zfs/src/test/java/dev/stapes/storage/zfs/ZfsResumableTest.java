package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Kept;
import dev.stapes.spi.StoragePool.Received;
import dev.stapes.spi.StoragePool.Resumable;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EventStream;
import dev.stapes.testkit.FakeHost;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Streams that go on, over a ZFS that is not there. */
@Timeout(120)
class ZfsResumableTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final VolumeId NEW = new VolumeId(VolumeId.Kind.SNAPSHOT, "new");
  private static final VolumeId GOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "got");
  private static final VolumeId OTHER = new VolumeId(VolumeId.Kind.SNAPSHOT, "other");
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");
  private static final String PART = ROOT + "/part:snapshots:got";
  private static final PoolSpec SPEC = PoolSpec.of("p", "zfs").source("tank/data");

  /** More than is read before ZFS is asked. */
  private static final int LONG = 3 << 20;

  @TempDir Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private StoragePool pool;
  private byte[] whole = new byte[0];

  @BeforeEach
  void create() {
    pool = new ZfsProvider(Path.of("/")).create(host, SPEC, directory);
    pool.create(A);
    zfs.write(Place.of(ROOT.child("instances:a")), "first");
    pool.copy(A, OLD, true);
    zfs.write(Place.of(ROOT.child("instances:a")), "second");
    pool.copy(A, NEW, true);
    zfs.pad(LONG);
    whole = sent(OLD, Optional.empty());
  }

  private void reopen() {
    pool.close();
    pool = new ZfsProvider(Path.of("/")).open(host, SPEC, directory);
  }

  private Resumable streams() {
    return pool.resumable().orElseThrow();
  }

  private byte[] sent(VolumeId id, Optional<VolumeId> base) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.sendReceive().orElseThrow().send(id, base, out);
    return out.toByteArray();
  }

  private static InputStream first(byte[] stream, int length) {
    return new ByteArrayInputStream(Arrays.copyOf(stream, length));
  }

  private static InputStream stream(byte[] bytes) {
    return new ByteArrayInputStream(bytes);
  }

  private Kept part(InputStream in) {
    return assertInstanceOf(Received.Part.class, streams().receive(GOT, in)).kept();
  }

  private void finish(VolumeId source, Kept kept) {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    streams().send(source, kept.token(), rest);
    assertEquals(
        new Received.Whole(), streams().receive(GOT, new ByteArrayInputStream(rest.toByteArray())));
  }

  private String content(VolumeId id) {
    pool.copy(id, B, false);
    String content = zfs.content(Place.of(ROOT.child("instances:b")));
    pool.discard(B);
    return content;
  }

  private static void refused(Kind kind, Executable work) {
    StapesException error = assertThrows(StapesException.class, work);
    assertEquals(kind, error.kind(), error::toString);
  }

  @Test
  void a_part_is_kept_in_a_dataset_of_its_name_until_the_rest_has_come() {
    Kept kept = part(first(whole, LONG - 5));
    assertTrue(zfs.names().contains(PART), () -> "" + zfs.names());
    reopen();
    pool.reclaim();
    assertEquals(Set.of(A, OLD, NEW), pool.list());
    assertEquals(Optional.of(kept), streams().find(GOT));
    finish(OLD, kept);
    assertEquals(Set.of(A, OLD, NEW, GOT), pool.list());
    assertEquals("first", content(GOT));
    assertEquals(Set.of(), streams().list());
    pool.reclaim();
    reopen();
    assertEquals("first", content(GOT));
    pool.discard(GOT);
    pool.reclaim();
    assertTrue(zfs.names().stream().noneMatch(name -> name.contains("part:")), "" + zfs.names());
  }

  @Test
  void what_is_received_in_parts_again_does_not_meet_what_is_left_of_before() {
    for (int round = 0; round < 2; round++) {
      finish(OLD, part(first(whole, LONG)));
      pool.copy(GOT, new VolumeId(VolumeId.Kind.INSTANCE, "c" + round), false);
      pool.discard(GOT); // its clone keeps it
    }
    pool.reclaim();
    for (int round = 0; round < 2; round++) {
      assertEquals("first", zfs.content(Place.of(ROOT.child("instances:c" + round))));
    }
    assertTrue(zfs.names().stream().noneMatch(name -> name.contains("part:")), "" + zfs.names());
  }

  @Test
  void a_part_of_a_difference_keeps_what_it_builds_on() {
    byte[] difference = sent(NEW, Optional.of(OLD));
    Kept kept = part(first(difference, LONG));
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    streams().send(NEW, kept.token(), rest);
    for (VolumeId id : List.of(OLD, NEW, A)) {
      pool.discard(id);
    }
    pool.reclaim();
    pool.reclaim();
    assertEquals(Set.of(), pool.list());
    assertEquals(Optional.of(kept), streams().find(GOT));
    assertEquals(
        new Received.Whole(), streams().receive(GOT, new ByteArrayInputStream(rest.toByteArray())));
    pool.reclaim();
    assertEquals("second", content(GOT));
    pool.discard(GOT);
    pool.reclaim();
    assertEquals(List.of("tank", "tank/data", ROOT.text()), zfs.names());
  }

  @Test
  void what_is_forgotten_is_freed_with_the_next_reclaim() {
    Kept kept = part(first(whole, LONG));
    streams().forget(GOT);
    assertEquals(Optional.empty(), streams().find(GOT));
    refused(Kind.NOT_FOUND, () -> finish(OLD, kept));
    assertInstanceOf(Received.Part.class, streams().receive(OTHER, first(whole, LONG)));
    pool.reclaim();
    assertTrue(zfs.names().stream().noneMatch(name -> name.contains("gone:")), "" + zfs.names());
    assertEquals(Set.of(OTHER), streams().list());
    streams().forget(GOT);
    part(first(whole, LONG));
  }

  @Test
  void a_removed_pool_takes_its_parts_along() {
    part(first(whole, LONG));
    pool.destroy();
    assertEquals(List.of("tank", "tank/data"), zfs.names());
  }

  /** Nobody else makes the volume, frees what came or receives it a second time. */
  @Test
  void what_is_being_received_is_nobody_else_s() {
    List<Kind> kinds = new ArrayList<>();
    InputStream trying =
        new EventStream(
            () -> {
              for (Executable work :
                  List.<Executable>of(
                      () -> pool.create(GOT),
                      () -> pool.copy(OLD, GOT, true),
                      () -> streams().receive(GOT, first(whole, LONG)),
                      () -> streams().find(GOT),
                      () -> streams().forget(GOT))) {
                kinds.add(assertThrows(StapesException.class, work).kind());
              }
              assertEquals(Set.of(GOT), streams().list());
              pool.reclaim();
            });
    InputStream rest = new ByteArrayInputStream(whole, LONG, whole.length - LONG);
    InputStream begin = new SequenceInputStream(first(whole, LONG), trying);
    assertEquals(
        new Received.Whole(), streams().receive(GOT, new SequenceInputStream(begin, rest)));
    assertEquals(List.of(Kind.CONFLICT, Kind.CONFLICT, Kind.BUSY, Kind.BUSY, Kind.BUSY), kinds);
    assertEquals("first", content(GOT));
  }

  /** What the token says beside the numbers would have ZFS send the other one. */
  @Test
  void a_token_sends_the_volume_it_is_asked_for_although_another_has_the_same_guid() {
    pool.create(B);
    zfs.write(Place.of(ROOT.child("instances:b")), "secret");
    pool.copy(B, OTHER, true);
    Place secret = new Place(ROOT.child("instances:b"), "snapshots:other");
    zfs.sameGuid(secret, new Place(ROOT.child("instances:a"), "snapshots:old"));
    Kept kept = part(first(whole, LONG));
    ResumeToken told = ResumeToken.parse(kept.token()).orElseThrow();
    String forged = told.of(secret);
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    streams().send(OLD, forged, rest);
    streams().receive(GOT, new ByteArrayInputStream(rest.toByteArray()));
    pool.discard(B);
    assertEquals("first", content(GOT));
  }

  @Test
  void what_is_no_token_starts_no_process_and_is_said_shortly() {
    String token = part(first(whole, LONG)).token();
    int before = host.commands().size();
    for (String wrong :
        List.of("", "1-\n-", token.substring(0, token.length() - 2), "a".repeat(100_000))) {
      StapesException error =
          assertThrows(
              StapesException.class,
              () -> streams().send(OLD, wrong, OutputStream.nullOutputStream()));
      assertEquals(Kind.INVALID, error.kind());
      assertTrue(error.toString().matches("[ -~]{1,300}"), error::toString);
    }
    assertEquals(before, host.commands().size());
  }

  @Test
  void a_rest_that_brings_nothing_new_leaves_the_token_as_it_was() {
    Kept kept = part(first(whole, LONG));
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    streams().send(OLD, kept.token(), rest);
    assertEquals(kept, part(first(rest.toByteArray(), FakePairs.size(rest.toByteArray()))));
    finish(OLD, kept);
    assertEquals("first", content(GOT));
  }

  @Test
  void who_asks_while_something_is_forgotten_is_answered_and_who_receives_waits() throws Exception {
    part(first(whole, LONG));
    FutureTask<Received> again = new FutureTask<>(() -> streams().receive(GOT, stream(whole)));
    AtomicBoolean asked = new AtomicBoolean();
    assertEquals(Set.of(A, OLD, NEW), pool.list()); // so nothing is listed again
    zfs.after(
        "list",
        () -> {
          assertTrue(streams().find(GOT).isPresent());
          assertEquals(Set.of(GOT), streams().list());
          new Thread(again).start();
          asked.set(true);
        });
    streams().forget(GOT);
    assertTrue(asked.get());
    assertEquals(new Received.Whole(), again.get());
    assertEquals("first", content(GOT));
  }

  @Test
  void who_receives_waits_for_a_reclaim_of_what_is_left_under_the_name() throws Exception {
    finish(OLD, part(first(whole, LONG)));
    pool.discard(GOT);
    FutureTask<Received> again = new FutureTask<>(() -> streams().receive(GOT, stream(whole)));
    zfs.after(
        "destroy",
        () ->
            zfs.before(
                "destroy",
                () -> {
                  new Thread(again).start();
                  assertEquals(Optional.empty(), streams().find(GOT));
                }));
    pool.reclaim();
    assertEquals(new Received.Whole(), again.get());
    assertEquals("first", content(GOT));
  }

  @Test
  void who_is_interrupted_keeps_what_came_and_stays_interrupted() {
    InputStream interrupting =
        new EventStream(
            () -> {
              zfs.awaitCame(PART, LONG);
              Thread.currentThread().interrupt();
            });
    InputStream rest = new ByteArrayInputStream(whole, LONG, whole.length - LONG);
    InputStream begin = new SequenceInputStream(first(whole, LONG), interrupting);
    Received answer = streams().receive(GOT, new SequenceInputStream(begin, rest));
    assertTrue(Thread.interrupted());
    Received.Part part = assertInstanceOf(Received.Part.class, answer);
    assertEquals(Kind.INTERRUPTED, part.why().kind(), part::toString);
    finish(OLD, streams().find(GOT).orElseThrow());
    assertEquals("first", content(GOT));
  }

  @Test
  void where_nothing_was_kept_it_is_thrown_why() {
    refused(Kind.INVALID, () -> streams().receive(GOT, first(whole, 311)));
    byte[] difference = sent(NEW, Optional.of(OLD));
    pool.discard(OLD);
    refused(Kind.INVALID, () -> streams().receive(GOT, first(difference, LONG)));
    assertEquals(Set.of(), streams().list());
    pool.create(GOT);
  }

  @Test
  void a_volume_that_was_discarded_is_sent_no_further_and_one_with_another_name_is() {
    Kept kept = part(first(whole, LONG));
    pool.discard(A); // the dataset of the snapshots is called otherwise now
    finish(OLD, kept);
    pool.discard(GOT);
    Kept again = part(first(whole, LONG));
    pool.discard(OLD);
    refused(Kind.NOT_FOUND, () -> finish(OLD, again));
  }
}
