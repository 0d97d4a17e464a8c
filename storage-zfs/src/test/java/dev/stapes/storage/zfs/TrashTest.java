package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Received;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a name between the plan and the step; the trash is not that of the pool. */
@Timeout(120)
class TrashTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final VolumeId GOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "got");
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");
  private static final DatasetName PART = ROOT.child("part:snapshots:got");
  private static final PoolSpec SPEC = PoolSpec.of("p", "zfs").source("tank/data");
  private static final int LONG = 3 << 20;

  @TempDir Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private final Claims claims = new Claims("p");
  private StoragePool pool;
  private byte[] whole = new byte[0];
  private Runnable meanwhile = () -> {};

  @BeforeEach
  void leaveSomethingOfAStream() {
    pool = new ZfsProvider(Path.of("/")).create(host, SPEC, directory);
    pool.create(A);
    zfs.write(Place.of(ROOT.child("instances:a")), "first");
    pool.copy(A, OLD, true);
    zfs.pad(LONG);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.sendReceive().orElseThrow().send(OLD, Optional.empty(), out);
    whole = out.toByteArray();
    assertEquals(new Received.Whole(), receive(whole));
    pool.discard(GOT);
  }

  private Received receive(byte[] stream) {
    return pool.resumable().orElseThrow().receive(GOT, new ByteArrayInputStream(stream));
  }

  /** Something happens when it is known what is to be done, and that nothing waits for a rest. */
  private Trash trash() {
    Set<String> none = Set.of();
    return new Trash(
        new PoolContext(host, SPEC, directory, directory),
        ROOT,
        FakeZfs.programs(host),
        new Gate("p"),
        claims,
        () -> {
          if (zfs.names().stream().noneMatch(name -> name.startsWith(PART + "@gone:"))) {
            zfs.after("list", meanwhile);
            meanwhile = () -> {};
          }
          return none;
        });
  }

  @Test
  void a_name_that_is_received_into_again_is_not_destroyed_with_what_had_it_before() {
    meanwhile = () -> assertInstanceOf(Received.Part.class, receive(Arrays.copyOf(whole, LONG)));
    trash().empty();
    assertTrue(pool.resumable().orElseThrow().find(GOT).isPresent(), () -> "" + zfs.names());
  }

  @Test
  void what_is_being_received_is_left_for_the_next_time() {
    meanwhile = () -> claims.receive(GOT);
    trash().empty();
    assertTrue(zfs.names().contains(PART.text()), () -> "" + zfs.names());
    claims.release(GOT);
    trash().empty();
    assertTrue(!zfs.names().contains(PART.text()), () -> "" + zfs.names());
  }

  /** As a whole one was received and discarded meanwhile, of which something else is to be done. */
  @Test
  void another_dataset_of_the_name_is_not_the_one_of_the_plan() {
    meanwhile =
        () -> {
          receive(whole);
          pool.copy(GOT, new VolumeId(VolumeId.Kind.INSTANCE, "c"), false);
          pool.discard(GOT);
          int before = host.commands().size();
          zfs.before(
              "destroy",
              () ->
                  assertTrue(
                      host.commands().stream()
                          .skip(before)
                          .map(command -> String.join(" ", command.arguments()))
                          .noneMatch(line -> line.endsWith("destroy " + PART)),
                      "by the plan"));
        };
    trash().empty();
    VolumeId copy = new VolumeId(VolumeId.Kind.INSTANCE, "c");
    assertEquals("first", zfs.content(Place.of(ROOT.child("instances:c"))));
    assertTrue(pool.exists(copy));
  }
}
