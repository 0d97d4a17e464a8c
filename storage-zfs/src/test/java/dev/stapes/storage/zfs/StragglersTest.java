package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.testkit.DoomedJvm;
import dev.stapes.testkit.FakeHost;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands that outlive the process that ran them. */
@Tag("once")
@Timeout(60)
class StragglersTest {
  private static final PoolSpec SPEC = PoolSpec.of("p", "zfs").source("tank/data");
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");
  private static final String NUMBER = "7";

  @TempDir Path machine;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private Path directory;

  @BeforeEach
  void create() throws IOException {
    directory = Files.createDirectory(machine.resolve("pool"));
    Files.createDirectories(machine.resolve("proc/self"));
  }

  /** A process, as a file system in its place would show it. */
  private void itRuns(String name, char state, String command) throws IOException {
    Path entry = Files.createDirectories(machine.resolve("proc/" + NUMBER));
    String rest = " 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0\n";
    Files.writeString(entry.resolve("stat"), NUMBER + " (" + name + ") " + state + rest);
    Files.writeString(entry.resolve("cmdline"), command.replace(' ', '\0') + "\0");
  }

  private Stragglers stragglers(Duration patience) {
    PoolContext pool = new PoolContext(host, SPEC, directory, machine);
    return new Stragglers(pool, ROOT, patience);
  }

  private Kind refused(Duration patience) {
    return assertThrows(StapesException.class, stragglers(patience)::await).kind();
  }

  /** Does something until it waits, then something else, and returns when it has ended. */
  private static void whileItWaits(Runnable work, Runnable end) throws Exception {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    Thread waiting =
        new Thread(
            () -> {
              try {
                work.run();
                done.complete(true);
              } catch (Throwable e) {
                done.completeExceptionally(e);
              }
            },
            "waits");
    waiting.start();
    while (waiting.isAlive() && waiting.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    end.run();
    assertTrue(done.get());
    waiting.join();
  }

  /**
   * A command of somebody who was killed: nobody may be left who notices its end, and then it is a
   * zombie.
   */
  private final class Orphan implements AutoCloseable {
    private final ProcessHandle process;

    Orphan(String... command) throws Exception {
      Path program = machine.resolve("zfs");
      Files.copy(Path.of("/bin/sh").toRealPath(), program);
      run("mkfifo", machine.resolve("go").toString());
      Files.writeString(machine.resolve(command[0]), "read line < go\n");
      String[] arguments = new String[command.length + 2];
      arguments[0] = machine.toString();
      arguments[1] = program.toString();
      System.arraycopy(command, 0, arguments, 2, command.length);
      try (DoomedJvm doomed = DoomedJvm.start(Doomed.class, arguments)) {
        process = ProcessHandle.of(Long.parseLong(doomed.line())).orElseThrow();
        doomed.kill();
      }
      Path entry = Path.of("/proc", Long.toString(process.pid()));
      Files.createSymbolicLink(machine.resolve("proc").resolve(entry.getFileName()), entry);
    }

    private void run(String... command) throws Exception {
      assertEquals(0, new ProcessBuilder(command).start().waitFor());
    }

    void end() {
      try {
        Files.writeString(machine.resolve("go"), "now\n");
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  /** What is killed. */
  static final class Doomed {
    private Doomed() {}

    /** A directory to work in, and a command. */
    public static void main(String[] arguments) throws Exception {
      Process process =
          new ProcessBuilder(List.of(arguments).subList(1, arguments.length))
              .directory(new File(arguments[0]))
              .start();
      PrintStream out =
          new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
      out.println(process.pid());
      process.waitFor();
    }
  }

  @Test
  void a_pool_is_opened_when_what_a_killed_process_asked_for_is_done() throws Exception {
    ZfsProvider provider = new ZfsProvider(machine);
    provider.create(host, SPEC, directory).close();
    try (Orphan orphan = new Orphan("create", "-o", "a=b", "tank/data/stapes/instances:a")) {
      AtomicBoolean ends = new AtomicBoolean();
      AtomicBoolean inTime = new AtomicBoolean();
      zfs.before("list", () -> inTime.set(ends.get()));
      whileItWaits(
          () -> provider.open(host, SPEC, directory).close(),
          () -> {
            ends.set(true);
            orphan.end();
          });
      assertTrue(inTime.get());
    }
  }

  @Test
  void a_pool_is_swept_when_what_was_asked_for_is_done() throws Exception {
    ZfsProvider provider = new ZfsProvider(machine);
    provider.create(host, SPEC, directory).close();
    try (Orphan orphan = new Orphan("create", "-o", "a=b", "tank/data/stapes/instances:a")) {
      AtomicBoolean ends = new AtomicBoolean();
      AtomicBoolean inTime = new AtomicBoolean();
      zfs.before("destroy", () -> inTime.set(ends.get()));
      whileItWaits(
          () -> provider.sweep(host, SPEC, directory, Unfinished.REMOVAL),
          () -> {
            ends.set(true);
            orphan.end();
          });
      assertTrue(inTime.get());
    }
    assertFalse(zfs.names().contains(ROOT.text()));
  }

  @Test
  void one_that_nobody_has_noticed_the_end_of_has_ended() throws Exception {
    itRuns("zfs", 'D', "zfs destroy -r tank/data/stapes");
    whileItWaits(
        stragglers(Duration.ofSeconds(20))::await,
        () -> {
          try {
            itRuns("zfs", 'Z', "");
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void what_does_not_end_is_not_waited_for_without_end() throws Exception {
    for (String command :
        List.of(
            "zfs destroy -r tank/data/stapes",
            "zfs snapshot tank/data/stapes/instances:a@snapshots:b",
            "zpool create -m none tank /dev/sdx")) {
      itRuns(command.substring(0, command.indexOf(' ')), 'D', command);
      assertEquals(Kind.UNAVAILABLE, refused(Duration.ofMillis(10)), command);
    }
  }

  @Test
  void nobody_waits_for_one_whose_zpool_stops_meanwhile() throws Exception {
    Path state = machine.resolve("proc/spl/kstat/zfs/tank/state");
    Files.createDirectories(state.getParent());
    Files.writeString(state, "ONLINE\n");
    itRuns("zfs", 'D', "zfs destroy -r tank/data/stapes");
    whileItWaits(
        () -> assertEquals(Kind.UNAVAILABLE, refused(Duration.ofSeconds(20))),
        () -> {
          try {
            Files.writeString(state, "SUSPENDED\n");
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void who_is_interrupted_waits_no_more() throws Exception {
    itRuns("zfs", 'D', "zfs destroy -r tank/data/stapes");
    Thread.currentThread().interrupt();
    assertEquals(Kind.INTERRUPTED, refused(Duration.ofDays(1)));
    assertTrue(Thread.interrupted());
  }

  @Test
  void what_others_do_is_not_waited_for() throws Exception {
    for (String command :
        List.of(
            "zfs create tank/data/stapes2",
            "zfs create tank/other/stapes/x",
            "zpool iostat tank 1",
            "zfs list -r tank/data/stapes",
            "zfs",
            "")) {
      itRuns(command.startsWith("zpool") ? "zpool" : "zfs", 'S', command);
      stragglers(Duration.ZERO).await();
    }
  }

  @Test
  void of_what_is_another_program_nobody_reads_the_command_line() throws Exception {
    itRuns("vi", 'S', "zfs destroy -r tank/data/stapes");
    stragglers(Duration.ZERO).await();
    itRuns("zfs", 'Z', "zfs destroy -r tank/data/stapes");
    stragglers(Duration.ZERO).await();
  }
}
