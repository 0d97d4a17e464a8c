package dev.stapes.internal.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a commit has acknowledged survives {@code kill -9} of the process at any moment. */
@Timeout(180)
class SqliteKillIT {
  private static final int ROUNDS = 8;

  /** The child: commits as fast as it can, and says each revision when the commit has returned. */
  static final class Committer {
    private Committer() {}

    public static void main(String[] arguments) {
      PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
      StateStore store = new SqliteStateStoreProvider().open(Path.of(arguments[0]));
      Random random = new Random(Long.parseLong(arguments[1]));
      while (true) {
        long next = store.revision() + 1;
        // Big ones at times, so that the kill also meets checkpoints.
        String value = next + " " + "x".repeat(random.nextInt(10) == 0 ? 200_000 : 500);
        store.commit(
            Transaction.begin()
                .put("last", value)
                .put("also last", value)
                .put("key/" + next % 50, "" + next)
                .build());
        out.println(next);
      }
    }
  }

  @Test
  void every_commit_that_was_acknowledged_is_there(@TempDir Path root, @TempDir Path temporary)
      throws Exception {
    Random random = new Random(7);
    for (int round = 0; round < ROUNDS; round++) {
      long acknowledged = runAndKill(root, temporary, round, 1 + random.nextInt(1500));
      try (StateStore store = new SqliteStateStoreProvider().open(root)) {
        long revision = store.revision();
        assertTrue(
            revision == acknowledged || revision == acknowledged + 1,
            "revision " + revision + " after " + acknowledged + " was acknowledged");
        checkWhole(store, revision);
      }
      assertArrayEquals(new String[0], temporary.toFile().list(), "left by the killed JVM");
    }
  }

  /** Each of the last commits is there with all of its keys. */
  private static void checkWhole(StateStore store, long revision) {
    String last = store.get("last").map(Entry::value).orElseThrow();
    assertEquals(revision + " ", last.substring(0, last.indexOf(' ') + 1));
    assertEquals(Optional.of(last), store.get("also last").map(Entry::value));
    for (long i = Math.max(1, revision - 49); i <= revision; i++) {
      assertEquals(Optional.of("" + i), store.get("key/" + i % 50).map(Entry::value));
    }
    assertEquals(Math.min(revision, 50), store.prefix("key/").size());
  }

  /** The last revision that the child said before it was killed. */
  private static long runAndKill(Path root, Path temporary, int seed, int commits)
      throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                Committer.class.getName(),
                root.toString(),
                "" + seed)
            .redirectError(Redirect.INHERIT)
            .start();
    long last = 0;
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(child.getInputStream(), UTF_8))) {
      for (int i = 0; i < commits; i++) {
        last = Long.parseLong(lines.readLine());
      }
      // Not Process.destroyForcibly(), which closes the pipe.
      child.toHandle().destroyForcibly();
      // What is in the pipe was acknowledged too, but for a line that was cut.
      String rest = lines.lines().collect(Collectors.joining("\n"));
      for (String line : rest.split("\n")) {
        if (line.matches("\\d+") && Long.parseLong(line) == last + 1) {
          last++;
        }
      }
    } finally {
      child.destroyForcibly();
    }
    assertEquals(128 + 9, child.waitFor());
    return last;
  }
}
