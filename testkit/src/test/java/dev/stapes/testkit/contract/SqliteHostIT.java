package dev.stapes.testkit.contract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A SQLite store on hosts that withhold something: each in a JVM of its own. */
@Timeout(180)
@RequiresRoot
class SqliteHostIT {
  private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

  /** Fills the disk of a store, makes room again, and says what happened. */
  static final class FullDisk {
    private FullDisk() {}

    public static void main(String[] arguments) throws IOException {
      PrintStream out = out();
      Path disk = Path.of(arguments[0]);
      Path ballast = Files.write(disk.resolve("ballast"), new byte[400_000]);
      int commits = 0;
      try (StateStore store = Stores.named("sqlite").open(disk.resolve("root"))) {
        String value = "x".repeat(10_000);
        try {
          while (commits < 10_000) {
            store.commit(Transaction.begin().put("key/" + commits, value).build());
            commits++;
          }
        } catch (StapesException e) {
          out.println(e.kind() + " " + e.getMessage());
        }
        out.println(commits == store.revision());
        out.println(commits == store.prefix("key/").size());
        out.println(store.get("key/" + commits));
        Files.delete(ballast);
        out.println(commits + 1 == store.commit(Transaction.begin().put("last", "1").build()));
        store.sync();
      }
      try (StateStore store = Stores.named("sqlite").open(disk.resolve("root"))) {
        out.println(commits + 1 == store.revision());
        out.println(commits == store.prefix("key/").size());
        out.println(store.get("last").map(Entry::value));
      }
    }
  }

  /** Opens a store and says how that went. */
  static final class Opening {
    private Opening() {}

    public static void main(String[] arguments) {
      PrintStream out = out();
      try (StateStore store = Stores.named("sqlite").open(Path.of(arguments[0]))) {
        out.println("revision " + store.revision());
      } catch (StapesException e) {
        out.println(e.kind() + " " + e.getMessage());
      }
    }
  }

  private static PrintStream out() {
    return new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
  }

  private static List<String> run(List<String> prefix, Class<?> main, Path argument)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            JAVA.toString(),
            "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
            "-cp",
            System.getProperty("java.class.path"),
            main.getName(),
            argument.toString()));
    Process child =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String said = new String(child.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, child.waitFor(), said);
    return said.lines().toList();
  }

  @Test
  @RequiresTool("unshare")
  void a_full_disk_is_exhausted_and_the_store_works_on_when_there_is_room(@TempDir Path disk)
      throws Exception {
    // The file system of two megabytes ends with its mount namespace.
    List<String> inSmallDisk =
        List.of(
            "unshare",
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=2m stapes-test \"$0\" && exec \"$@\"",
            disk.toString());
    List<String> said = run(inSmallDisk, FullDisk.class, disk);
    assertEquals(
        List.of(
            "EXHAUSTED state store "
                + disk.resolve("root/state.db")
                + ": not committed: the disk is full",
            "true",
            "true",
            Optional.empty().toString(),
            "true",
            "true",
            "true",
            Optional.of("1").toString()),
        said);
    try (var left = Files.list(disk)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  @RequiresTool("setpriv")
  void a_file_that_can_only_be_read_is_refused_and_left_as_it_is(@TempDir Path root)
      throws Exception {
    try (StateStore store = Stores.named("sqlite").open(root)) {
      store.commit(Transaction.begin().put("a", "1").build());
    }
    Path file = root.resolve("state.db");
    byte[] before = Files.readAllBytes(file);
    // Root may write everything, unless it has no capability to.
    List<String> powerless = List.of("setpriv", "--bounding-set=-all", "--inh-caps=-all");
    assertEquals(List.of("revision 1"), run(powerless, Opening.class, root));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
    assertEquals(
        List.of("UNAVAILABLE state store " + file + ": cannot be read and written by this process"),
        run(powerless, Opening.class, root));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    assertEquals(List.of("revision 1"), run(powerless, Opening.class, root));
    assertEquals(before.length, Files.size(file));
  }
}
