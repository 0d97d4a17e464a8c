package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.spi.Host;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pools and bare commands do the same. */
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("mkfs.btrfs")
@Timeout(60)
class VolumesIT {
  private static final Scale TINY =
      new Scale("tiny", 1, 3, 4096, 1 << 20, List.of(1), 2, Duration.ZERO, List.of(1), 1, 1, 1);
  private static final long BYTES = 512L << 20;

  private final Path directory =
      Path.of("target", "volumes-it-" + ProcessHandle.current().pid()).toAbsolutePath();

  @BeforeEach
  void make() throws IOException {
    Files.createDirectories(directory.resolve("pool"));
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    try {
      assertEquals(Set.of(), HostLeftovers.of(directory), "left on the machine");
    } finally {
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  private Volumes open(Host host, String subject) throws IOException, InterruptedException {
    Path pool = directory.resolve("pool");
    if (subject.endsWith(Baseline.SUFFIX)) {
      PoolChoice choice = PoolChoice.parse(List.of(subject.replace(Baseline.SUFFIX, ""))).get(0);
      return Baseline.of(choice).orElseThrow().make(subject, pool, BYTES);
    }
    return PoolVolumes.make(host, PoolChoice.parse(List.of(subject)).get(0), pool);
  }

  private static Set<Path> files(Volumes volumes, String volume)
      throws IOException, InterruptedException {
    try (Volumes.Opened opened = volumes.open(volume);
        Stream<Path> all = Files.walk(opened.path())) {
      return Set.copyOf(
          all.filter(Files::isRegularFile).map(each -> opened.path().relativize(each)).toList());
    }
  }

  private static void change(Volumes volumes, String volume, Inputs inputs)
      throws IOException, InterruptedException {
    try (Volumes.Opened opened = volumes.open(volume)) {
      inputs.change(opened.path());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"btrfs:size=512MiB", "btrfs-bare", "dir", "overlay"})
  void a_volume_is_what_the_verbs_say(String subject) throws Exception {
    Inputs inputs = Inputs.make(TINY, 5, Files.createDirectory(directory.resolve("inputs")));
    try (Host host = new LinuxHostProvider().open();
        Volumes volumes = open(host, subject)) {
      volumes.create("a");
      assertEquals(Set.of(), files(volumes, "a"));
      volumes.unpack(inputs.archive(), "a");
      Set<Path> unpacked = files(volumes, "a");
      assertEquals(TINY.files(), unpacked.size());

      volumes.snapshot("a", "s");
      volumes.cloneOf("a", "s", "b");
      change(volumes, "b", inputs);
      assertTrue(files(volumes, "b").size() > unpacked.size());
      assertEquals(unpacked, files(volumes, "a"));

      change(volumes, "a", inputs);
      volumes.restore("a", "s");
      assertEquals(unpacked, files(volumes, "a"));
      change(volumes, "a", inputs);
      volumes.restore("a", "s");
      assertEquals(unpacked, files(volumes, "a"));

      volumes.delete("b");
      volumes.cloneOf("a", "s", "b");
      assertEquals(unpacked, files(volumes, "b"));
      volumes.deleteSnapshot("a", "s");
      volumes.delete("a");
      volumes.delete("b");
      volumes.reclaim();
      volumes.create("a");
      assertEquals(Set.of(), files(volumes, "a"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"btrfs:size=512MiB", "btrfs-bare"})
  void streams_have_all_or_what_differs(String subject) throws Exception {
    Inputs inputs = Inputs.make(TINY, 5, Files.createDirectory(directory.resolve("inputs")));
    try (Host host = new LinuxHostProvider().open();
        Volumes volumes = open(host, subject)) {
      Volumes.Streams streams = volumes.streams().orElseThrow();
      volumes.create("a");
      try (Volumes.Opened opened = volumes.open("a")) {
        inputs.fillLarge(opened.path());
      }
      volumes.snapshot("a", "one");
      change(volumes, "a", inputs);
      volumes.snapshot("a", "two");
      ByteArrayOutputStream whole = new ByteArrayOutputStream();
      streams.send("a", "two", Optional.empty(), whole);
      ByteArrayOutputStream difference = new ByteArrayOutputStream();
      streams.send("a", "two", Optional.of("one"), difference);
      assertTrue(whole.size() > TINY.largeBytes());
      assertTrue(difference.size() < TINY.largeBytes() / 2, "size " + difference.size());
      for (String target : List.of("r1", "r2")) {
        streams.receive(target, new ByteArrayInputStream(whole.toByteArray()));
      }
      streams.deleteReceived("r1");
      streams.deleteReceived("r2");
      streams.receive("r1", new ByteArrayInputStream(whole.toByteArray()));
    }
  }

  @Test
  void content_is_the_same_again_with_the_same_seed() throws Exception {
    Path first = Files.createDirectory(directory.resolve("first"));
    Path second = Files.createDirectory(directory.resolve("second"));
    Path other = Files.createDirectory(directory.resolve("other"));
    Inputs inputs = Inputs.make(TINY, 5, first);
    assertEquals(-1, Files.mismatch(inputs.archive(), Inputs.make(TINY, 5, second).archive()));
    assertTrue(Files.mismatch(inputs.archive(), Inputs.make(TINY, 6, other).archive()) >= 0);
  }

  @Test
  void bare_commands_take_part_where_they_have_a_place_of_their_own() {
    assertTrue(Baseline.of(choice("btrfs")).isPresent());
    assertFalse(Baseline.of(choice("btrfs:source=/dev/nothing")).isPresent());
    assertFalse(Baseline.of(choice("dir")).isPresent());
  }

  private static PoolChoice choice(String word) {
    return PoolChoice.parse(List.of(word)).get(0);
  }
}
