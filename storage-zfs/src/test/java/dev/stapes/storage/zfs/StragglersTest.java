package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands that outlive the process that ran them. */
@Timeout(60)
class StragglersTest {
  private static final PoolSpec SPEC = PoolSpec.of("p", "zfs").source("tank/data");
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");

  @TempDir Path machine;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private Path directory;
  private Process process;

  /** A process that ends with its input. */
  @BeforeEach
  void start() throws IOException {
    directory = Files.createDirectory(machine.resolve("pool"));
    Files.createDirectories(machine.resolve("proc/self"));
    process = new ProcessBuilder("cat").start();
  }

  @AfterEach
  void stop() {
    process.destroyForcibly();
  }

  private void itRuns(String command) throws IOException {
    Path entry = machine.resolve("proc/" + process.pid());
    Files.createDirectories(entry);
    Files.writeString(entry.resolve("cmdline"), command.replace(' ', '\0') + "\0");
  }

  private void itEnds() throws Exception {
    process.getOutputStream().close();
    assertEquals(0, process.waitFor());
  }

  private Stragglers stragglers(long milliseconds) {
    PoolContext pool = new PoolContext(host, SPEC, directory, machine);
    return new Stragglers(pool, ROOT, Duration.ofMillis(milliseconds));
  }

  @Test
  void a_pool_is_opened_and_swept_when_what_was_asked_for_is_done() throws Exception {
    ZfsProvider provider = new ZfsProvider(machine);
    provider.create(host, SPEC, directory).close();
    itRuns("/sbin/zfs create -o a=b tank/data/stapes/instances:a");
    AtomicBoolean early = new AtomicBoolean();
    zfs.before("destroy", () -> early.set(process.isAlive()));
    Thread sweep =
        new Thread(() -> provider.sweep(host, SPEC, directory, Unfinished.REMOVAL), "sweep");
    sweep.start();
    while (sweep.isAlive() && sweep.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    itEnds();
    sweep.join();
    assertFalse(early.get());
    assertFalse(zfs.names().contains(ROOT.text()));
  }

  @Test
  void what_does_not_end_is_not_waited_for_without_end() throws Exception {
    for (String command :
        List.of(
            "zfs destroy -r tank/data/stapes",
            "zfs snapshot tank/data/stapes/instances:a@snapshots:b",
            "zpool create -m none tank /dev/sdx")) {
      itRuns(command);
      StapesException error = assertThrows(StapesException.class, stragglers(10)::await, command);
      assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    }
    Files.createDirectories(machine.resolve("proc/spl/kstat/zfs/tank"));
    Files.writeString(machine.resolve("proc/spl/kstat/zfs/tank/state"), "SUSPENDED\n");
    StapesException error = assertThrows(StapesException.class, stragglers(60_000)::await);
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
  }

  @Test
  void what_others_do_is_not_waited_for() throws Exception {
    for (String command :
        List.of(
            "zfs create tank/data/stapes2",
            "zfs create tank/other/stapes/x",
            "zpool iostat tank 1",
            "zfs list -r tank/data/stapes",
            "vi tank/data/stapes",
            "zfs",
            "")) {
      itRuns(command);
      stragglers(0).await();
    }
  }
}
