package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A zpool that stops, and goes on when somebody has seen to its disk. */
@Tag("once")
@Timeout(120)
class ZfsStoppedTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final PoolSpec SPEC = PoolSpec.of("stopped", "zfs").source("tank/data");

  @TempDir Path machine;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private final DirectoryMounts mounts = new DirectoryMounts(() -> {});
  private final CountDownLatch goOn = new CountDownLatch(1);
  private StoragePool pool;

  @BeforeEach
  void create() throws IOException {
    Files.createDirectories(machine.resolve("proc/spl/kstat/zfs/tank"));
    Path directory = Files.createDirectory(machine.resolve("pool"));
    pool = new ZfsProvider(machine).create(mounts.on(host), SPEC, directory);
    pool.create(A);
  }

  /** Also where a test has failed: nothing waits any more, and nothing is open. */
  @AfterEach
  void close() {
    state("ONLINE");
    goOn.countDown();
    pool.close();
  }

  private void state(String state) {
    try {
      Files.writeString(machine.resolve("proc/spl/kstat/zfs/tank/state"), state + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits with a command, as the kernel does. */
  private void stop() {
    state("SUSPENDED");
    boolean waiting = true;
    while (waiting) {
      try {
        goOn.await();
        waiting = false;
      } catch (InterruptedException e) {
        // nobody can end it
      }
    }
  }

  /** Lets all go on, and returns when that is done. */
  private void resume() throws InterruptedException {
    List<Thread> commands =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().equals("stapes-zfs-command"))
            .toList();
    assertFalse(commands.isEmpty());
    state("ONLINE");
    goOn.countDown();
    for (Thread command : commands) {
      command.join();
    }
  }

  private boolean isTrashThere() {
    return zfs.names().stream().anyMatch(name -> name.contains("gone:"));
  }

  private static void unavailable(Runnable work) {
    StapesException error = assertThrows(StapesException.class, work::run);
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
  }

  /** Stops at a rename, which is refused when it goes on. */
  private final class RefusedLate implements ZfsCalls {
    @Override
    public int clone(String snapshot, String dataset) {
      return Errno.EIO;
    }

    @Override
    public int rename(String from, String to) {
      stop();
      return Errno.EIO;
    }

    @Override
    public int snapshot(List<String> names) {
      return Errno.EIO;
    }

    @Override
    public int destroy(String dataset) {
      return Errno.EIO;
    }

    @Override
    public int destroySnapshots(List<String> names, boolean deferred) {
      return Errno.EIO;
    }
  }

  @Test
  void a_call_that_is_refused_late_was_not_done() throws Exception {
    PoolContext context =
        new PoolContext(host, SPEC, machine, machine, Optional.of(new RefusedLate()));
    Zfs calls = new Zfs(context);
    Place a = Place.parse("tank/data/stapes/instances:a").orElseThrow();
    Place b = Place.parse("tank/data/stapes/instances:b").orElseThrow();
    GivenUp given = assertThrows(GivenUp.class, () -> calls.rename(a, b));
    List<Boolean> told = new CopyOnWriteArrayList<>();
    given.afterwards(told::add);
    resume();
    assertEquals(List.of(false), told);
    assertEquals(Set.of(A), pool.list());
  }

  @Test
  void a_discard_that_ends_late_is_told_to_who_uses_the_volume_and_its_space_comes_back()
      throws Exception {
    try (Attachment held = pool.attach(A, Optional.empty(), false)) {
      zfs.before("rename", this::stop);
      unavailable(() -> pool.discard(A));
      unavailable(() -> pool.create(A));
      resume();
      assertEquals(Set.of(), pool.list());
      pool.reclaim();
      assertTrue(isTrashThere(), "somebody uses it");
      pool.create(A);
      try (Attachment other = pool.attach(A, Optional.empty(), false)) {
        assertNotEquals(held.path(), other.path(), "it is another volume");
      }
    }
    pool.reclaim();
    assertFalse(isTrashThere(), () -> "" + zfs.names());
    assertEquals(Set.of(A), pool.list());
  }

  @Test
  void what_is_not_begun_leaves_no_name_in_use() {
    state("SUSPENDED");
    unavailable(() -> pool.discard(A));
    state("ONLINE");
    assertEquals(Set.of(A), pool.list());
    pool.discard(A);
    pool.reclaim();
    assertFalse(isTrashThere(), () -> "" + zfs.names());
  }
}
