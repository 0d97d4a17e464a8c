package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.DoomedJvm;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is there after a JVM was killed at any moment of its work with a pool, or of making or
 * removing one. The number of rounds is {@code -Dstapes.zfs.kills=}.
 */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
@Timeout(value = 1100, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZfsCrashIT {
  private static final int ROUNDS = Integer.getInteger("stapes.zfs.kills", 4);

  /** The most that is done before a kill. */
  private static final int LINES = 60;

  /** What one command takes, or two. */
  private static final int DELAY_MILLIS = 600;

  private static final long SEED = Long.getLong("stapes.zfs.seed", System.nanoTime());

  static final PoolSpec SPEC =
      PoolSpec.of("crash", "zfs").size(Size.ofMebibytes(256)).with("zfs.pool_name", "zcrash");

  static final VolumeId SENT = new VolumeId(VolumeId.Kind.SNAPSHOT, "sent");
  static final VolumeId GOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "got");
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final int MEBIBYTES = 8;

  @TempDir Path directory;

  private final Random random = new Random(SEED);
  private final ZfsProvider provider = new ZfsProvider();
  private Host host;
  private Path own;

  @BeforeEach
  void open() throws IOException {
    host = TestZpool.openHost();
    own = Files.createDirectory(directory.toRealPath().resolve("own"));
  }

  @AfterEach
  void nothing_is_left() {
    Set<String> left = HostLeftovers.filesBelow(own);
    provider.sweep(host, SPEC, own, Unfinished.REMOVAL); // where the test has failed
    host.close();
    assertEquals(Set.of(), HostLeftovers.of(directory));
    assertEquals(Set.of(), left);
  }

  private String run(String... command) {
    return host.programs().run(Command.of(command)).stdout();
  }

  /**
   * Runs it until it has said some lines, and kills it a moment later.
   *
   * @return what it said, to the end
   */
  private List<String> killed(String what, int lines, int delayMillis) throws Exception {
    String seed = Long.toString(random.nextLong());
    try (DoomedJvm doomed = DoomedJvm.start(ZfsDoomed.class, what, own.toString(), seed)) {
      List<String> said = new ArrayList<>();
      while (said.size() < lines) {
        said.add(doomed.line());
      }
      assertFalse(doomed.endsWithin(delayMillis), "it ended by itself");
      said.addAll(doomed.kill());
      return said;
    }
  }

  @Test
  void all_that_was_acknowledged_is_there_after_a_kill_and_nothing_is_half_made() throws Exception {
    provider.create(host, SPEC, own).close();
    for (int round = 0; round < ROUNDS; round++) {
      int lines = 1 + random.nextInt(LINES);
      int delay = random.nextInt(DELAY_MILLIS);
      List<String> said = killed("work", lines, delay);
      look(said, "seed " + SEED + ", round " + round + ": " + said);
    }
    provider.open(host, SPEC, own).destroy();
  }

  private void look(List<String> said, String when) {
    ZfsAcknowledged state = ZfsAcknowledged.of(said);
    StoragePool pool = provider.open(host, SPEC, own);
    try {
      Set<VolumeId> there = pool.list();
      state.volumes().forEach((id, text) -> assertEquals(text, ZfsDoomed.read(pool, id), when));
      for (VolumeId id : there) {
        assertTrue(state.volumes().containsKey(id) || state.mayBe(id, pool), id + " " + when);
      }
      assertTrue(state.isAllOrNone(there), when);
      for (VolumeId id : there.stream().limit(2).toList()) {
        pool.copy(id, new VolumeId(VolumeId.Kind.CUSTOM, id.name()), false);
      }
      pool.list().forEach(pool::discard);
      pool.reclaim();
      assertEquals(Set.of(), pool.list(), when);
      assertEquals(
          "zcrash\nzcrash/stapes\n",
          run("zfs", "list", "-H", "-t", "all", "-o", "name", "-r", "zcrash"),
          when);
    } finally {
      pool.close();
    }
  }

  @Test
  void what_came_of_a_stream_before_a_kill_is_kept_and_goes_on() throws Exception {
    StoragePool pool = provider.create(host, SPEC, own);
    byte[] bytes = new byte[MEBIBYTES << 20];
    random.nextBytes(bytes);
    pool.create(A);
    try (Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
        OutputStream out = tree.write("file", 0644)) {
      out.write(bytes);
    }
    pool.copy(A, SENT, true);
    pool.close();
    List<String> said = killed("receives", 1, 0);
    assertEquals(List.of("waits"), said);
    pool = provider.open(host, SPEC, own);
    assertEquals(Set.of(A, SENT), pool.list());
    pool.reclaim();
    StoragePool.Resumable streams = pool.resumable().orElseThrow();
    assertEquals(Set.of(GOT), streams.list());
    StoragePool.Kept kept = streams.find(GOT).orElseThrow();
    assertTrue(kept.size().compareTo(Size.ofMebibytes(2)) > 0, kept::toString);
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    streams.send(SENT, kept.token(), rest);
    assertTrue(rest.size() < bytes.length - (2 << 20), rest.size() + " bytes more");
    assertEquals(
        new StoragePool.Received.Whole(),
        streams.receive(GOT, new ByteArrayInputStream(rest.toByteArray())));
    try (Tree tree = pool.tree(GOT, Tree.Resolution.BENEATH);
        InputStream in = tree.read("file")) {
      assertArrayEquals(bytes, in.readAllBytes());
    }
    pool.destroy();
  }

  /** It makes pools and removes them, one after the other. */
  @Test
  void what_a_kill_leaves_of_the_making_or_removal_of_a_pool_is_swept() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      int lines = 1 + random.nextInt(8);
      List<String> said = killed("pools", lines, random.nextInt(2 * DELAY_MILLIS));
      String when = "seed " + SEED + ", round " + round + ": " + said;
      boolean removes = said.get(said.size() - 1).equals("removes");
      provider.sweep(host, SPEC, own, removes ? Unfinished.REMOVAL : Unfinished.CREATION);
      assertFalse(run("zpool", "list", "-H", "-o", "name").contains("zcrash"), when);
      for (String name : List.of("mnt", ".zpool.new")) { // what the engine removes
        Files.deleteIfExists(own.resolve(name));
      }
      assertEquals(Set.of(), HostLeftovers.filesBelow(own), when);
    }
  }
}
