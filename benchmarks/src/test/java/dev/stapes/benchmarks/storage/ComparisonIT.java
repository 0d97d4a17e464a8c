package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.benchmarks.RunOptions;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
@RequiresTool("lxc-start")
@Tag("once")
@Timeout(120)
class ComparisonIT {
  private static final Scale TINY =
      new Scale(
          "tiny",
          1,
          4,
          64 << 10,
          1 << 20,
          List.of(1, 3),
          2,
          Duration.ofSeconds(30),
          List.of(1, 2),
          2,
          1 << 20,
          16);

  private final Path directory =
      Path.of("target", "storage-it-" + ProcessHandle.current().pid()).toAbsolutePath();

  private Path work() {
    return directory.resolve("work");
  }

  private Options options(Scale scale, List<StoragePath> paths, String... pools) {
    Path peers = Path.of("target", "peers");
    Path output = directory.resolve("output");
    RunOptions run = new RunOptions("storage", Optional.empty(), 2, work(), peers, output);
    Optional<Path> html = Optional.of(directory.resolve("page.html"));
    List<PoolChoice> choices = PoolChoice.parse(List.of(pools));
    return new Options(run, html, choices, paths, scale, 11, false);
  }

  private static PrintStream nowhere() {
    return new PrintStream(PrintStream.nullOutputStream(), true, StandardCharsets.UTF_8);
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    try {
      assertEquals(Set.of(), HostLeftovers.of(work()), "left on the machine");
    } finally {
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  @Test
  void each_path_has_a_result_of_each_pool_or_a_reason() throws Exception {
    List<StoragePath> paths = List.of(StoragePath.values());
    Results results = Comparison.run(options(TINY, paths, "btrfs:size=512MiB", "dir"), nowhere());
    assertEquals(List.of("btrfs", "btrfs-bare", "dir"), results.subjects());
    assertTrue(results.failures().isEmpty(), () -> results.failures().toString());
    for (StoragePath path : paths) {
      for (Point point : Point.of(path, TINY)) {
        assertHas(results, point, "btrfs");
        assertHas(results, point, "dir");
        if (!path.inContainer()) {
          assertMeasured(results, point, "btrfs-bare");
        }
      }
    }
    assertEquals(
        results,
        new ObjectMapper()
            .readValue(directory.resolve("output/storage.json").toFile(), Results.class));
    String page = Files.readString(directory.resolve("page.html"));
    assertEquals(page, Files.readString(directory.resolve("output/storage.html")));
    assertTrue(page.contains("Clone a snapshot"), page);
  }

  private static void assertHas(Results results, Point point, String pool) {
    boolean noStreams = point.path().streams() && pool.equals("dir");
    boolean needsFio =
        point.path().unit() == Unit.OPERATIONS_PER_SECOND
            && results.notAvailable().containsKey("fio");
    if (noStreams || needsFio) {
      assertEquals(Optional.empty(), results.find(point, pool), point.label());
      assertEquals("n/a", results.absence(point, pool), point.label());
    } else {
      assertMeasured(results, point, pool);
    }
  }

  private static void assertMeasured(Results results, Point point, String subject) {
    Measurement measured =
        results
            .find(point, subject)
            .orElseThrow(
                () -> new AssertionError("nothing of " + subject + " on " + point.label()));
    assertEquals(2, measured.samples().size());
    assertTrue(measured.median() > 0, measured::toString);
    assertTrue(measured.low() <= measured.median() && measured.median() <= measured.high());
  }

  /** Interrupts whoever prints a line that begins so. */
  private static PrintStream interrupting(String start) {
    return new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8) {
      @Override
      public void println(String line) {
        if (line.startsWith(start)) {
          Thread.currentThread().interrupt();
        }
      }
    };
  }

  @Test
  void an_interrupted_run_reports_what_it_has_and_undoes_the_rest() throws Exception {
    Options options =
        options(
            TINY,
            List.of(StoragePath.CREATE, StoragePath.CLONE, StoragePath.SNAPSHOT),
            "btrfs:size=512MiB",
            "dir");
    assertThrows(
        InterruptedException.class, () -> Comparison.run(options, interrupting("2/4 clone")));
    Results results =
        new ObjectMapper()
            .readValue(directory.resolve("output/storage.json").toFile(), Results.class);
    assertTrue(results.interrupted());
    assertTrue(results.find(new Point(StoragePath.CREATE, 0), "dir").isPresent());
    assertFalse(results.find(new Point(StoragePath.SNAPSHOT, 1), "dir").isPresent());
    assertTrue(Files.readString(directory.resolve("page.html")).contains(Results.CUT_SHORT));
  }

  @Test
  void a_pool_that_cannot_be_made_does_not_keep_the_others() throws Exception {
    String missing = directory.resolve("nothing").toString();
    Results results =
        Comparison.run(
            options(TINY, List.of(StoragePath.CREATE), "dir", "btrfs:source=" + missing),
            nowhere());
    assertEquals(List.of("dir"), results.subjects());
    String reason = String.valueOf(results.notAvailable().get("btrfs"));
    assertTrue(reason.contains(missing), reason);
  }

  @Test
  void without_any_pool_there_is_nothing_to_measure() {
    String missing = directory.resolve("nothing").toString();
    Options options = options(TINY, List.of(StoragePath.CREATE), "btrfs:source=" + missing);
    var e = assertThrows(IOException.class, () -> Comparison.run(options, nowhere()));
    assertTrue(String.valueOf(e.getMessage()).startsWith("no pool could be made"), e.getMessage());
  }

  @Test
  void a_pool_that_takes_too_long_for_many_snapshots_is_not_measured_there() throws Exception {
    Scale hasty =
        new Scale(
            "hasty",
            1,
            1,
            1024,
            1 << 20,
            List.of(1000),
            2,
            Duration.ofNanos(1),
            List.of(1),
            1,
            1,
            1);
    Results results =
        Comparison.run(options(hasty, List.of(StoragePath.SNAPSHOT), "dir"), nowhere());
    assertEquals(List.of(), results.measurements());
    assertEquals(
        "0 snapshots took longer than 0 s", results.notAvailable().get("dir on snapshot-1000"));
  }
}
