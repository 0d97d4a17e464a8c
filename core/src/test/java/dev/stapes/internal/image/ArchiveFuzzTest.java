package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Unpacks what {@code corpus/} has, as it is and changed in ways that hostile archives are. */
class ArchiveFuzzTest {
  private static final ArchiveLimits LIMITS =
      new ArchiveLimits(1_000, 64, 4_095, Size.ofMebibytes(64), 1 << 20, 1 << 16, 1 << 10, 1_000);
  private static final Set<Kind> REFUSALS = Set.of(Kind.INVALID, Kind.UNSUPPORTED);

  private static final Map<String, byte[]> SEEDS = new HashMap<>();
  private static Path file = Path.of("");

  @BeforeContainer
  static void read() throws IOException, URISyntaxException {
    file = Files.createTempFile("archive-fuzz", "");
    Path corpus =
        Path.of(Objects.requireNonNull(ArchiveFuzzTest.class.getResource("corpus")).toURI());
    try (Stream<Path> all = Files.list(corpus)) {
      for (Path each : all.filter(path -> !path.toString().endsWith(".md")).toList()) {
        SEEDS.put(each.getFileName().toString(), Files.readAllBytes(each));
      }
    }
  }

  @AfterContainer
  static void remove() throws IOException {
    Files.deleteIfExists(file);
  }

  private static byte[] bytes(String seed) {
    return Objects.requireNonNull(SEEDS.get(seed)).clone();
  }

  private static MemoryTree unpack(String seed, byte[] bytes) throws IOException {
    Files.write(file, bytes);
    MemoryTree tree = new MemoryTree();
    if (seed.startsWith("layer")) {
      new LayerUnpacker(tree, LIMITS, Decoders.JAVA).unpack(file, Progress.NONE);
    } else {
      Optional<Path> rootfs = seed.endsWith(".squashfs") ? Optional.of(file) : Optional.empty();
      new RootfsUnpacker(tree, false, LIMITS, Decoders.JAVA)
          .unpack(new ImageParts(file, rootfs), Progress.NONE);
    }
    return tree;
  }

  private static void requireRefusalOrNone(String seed, byte[] bytes) throws IOException {
    try {
      unpack(seed, bytes);
    } catch (StapesException e) {
      assertTrue(REFUSALS.contains(e.kind()), () -> seed + ": " + e);
    }
  }

  @Example
  void every_seed_is_what_it_was_made_of() throws IOException {
    assertTrue(SEEDS.size() >= 20, SEEDS.keySet()::toString);
    for (Map.Entry<String, byte[]> seed : SEEDS.entrySet()) {
      MemoryTree tree = unpack(seed.getKey(), seed.getValue());
      if (seed.getKey().startsWith("layer")) {
        assertEquals(Set.of("bin", "etc"), Set.copyOf(tree.list("/")), seed.getKey());
        assertEquals(List.of("new"), tree.list("bin"), seed.getKey());
        continue;
      }
      Tree.Stat first = tree.stat("etc/file").orElseThrow();
      assertEquals(first.inode(), tree.stat("etc/second").orElseThrow().inode(), seed.getKey());
      assertEquals("../etc/file", tree.readlink("bin/link"), seed.getKey());
      assertEquals(04755, tree.stat("etc/\u00fcn\u00efcode").orElseThrow().mode(), seed.getKey());
      assertEquals(1_700_000_000L, first.modifiedAt().getEpochSecond(), seed.getKey());
      tree.stat("etc/sparse")
          .ifPresent(sparse -> assertEquals(300 << 10, sparse.size(), seed.getKey()));
    }
  }

  @Property(tries = 1_500, shrinking = ShrinkingMode.OFF)
  void flipped_bytes_are_refused_or_harmless(@ForAll("seeds") String seed, @ForAll long number)
      throws IOException {
    Random random = new Random(number);
    byte[] bytes = bytes(seed);
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    requireRefusalOrNone(seed, bytes);
  }

  @Property(tries = 700, shrinking = ShrinkingMode.OFF)
  void what_is_cut_or_put_together_is_refused_or_harmless(
      @ForAll("seeds") String one, @ForAll("seeds") String other, @ForAll long number)
      throws IOException {
    Random random = new Random(number);
    byte[] start = bytes(one);
    byte[] end = bytes(other);
    // Blocks of tar where that is what they are made of: headers stay whole.
    int unit = random.nextBoolean() ? TarFormat.BLOCK : 1;
    int kept = random.nextInt(start.length / unit + 1) * unit;
    int from = random.nextInt(end.length / unit + 1) * unit;
    byte[] bytes = Arrays.copyOf(start, kept + end.length - from);
    System.arraycopy(end, from, bytes, kept, end.length - from);
    requireRefusalOrNone(one, random.nextInt(4) == 0 ? Arrays.copyOf(start, kept) : bytes);
  }

  /** What the checksum of a header would have caught is not caught by it. */
  @Property(tries = 2_000, shrinking = ShrinkingMode.OFF)
  void headers_that_say_something_else_are_refused_or_harmless(
      @ForAll("tars") String seed, @ForAll long number) throws IOException {
    Random random = new Random(number);
    byte[] bytes = bytes(seed);
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      int header = random.nextInt(bytes.length / TarFormat.BLOCK) * TarFormat.BLOCK;
      int at = header + random.nextInt(TarFormat.BLOCK);
      int length = Math.min(1 + random.nextInt(12), bytes.length - at);
      for (int j = 0; j < length; j++) {
        bytes[at + j] = (byte) interesting(random);
      }
      mendChecksum(bytes, header);
    }
    requireRefusalOrNone(seed, bytes);
  }

  private static int interesting(Random random) {
    String often = "\0\0/..07 5123LKxgS\u00ff\u0080";
    return random.nextInt(3) == 0
        ? random.nextInt(256)
        : often.charAt(random.nextInt(often.length()));
  }

  /** See tar(5): six octal digits, a NUL and a space; counted as if they were spaces. */
  private static void mendChecksum(byte[] bytes, int header) {
    int at = header + 148;
    Arrays.fill(bytes, at, at + 8, (byte) ' ');
    int sum = 0;
    for (int i = header; i < header + TarFormat.BLOCK; i++) {
      sum += bytes[i] & 0xff;
    }
    for (int digit = 5; digit >= 0; digit--) {
      bytes[at + digit] = (byte) ('0' + (sum & 7));
      sum >>= 3;
    }
    bytes[at + 6] = 0;
  }

  @Provide
  Arbitrary<String> seeds() {
    return Arbitraries.of(SEEDS.keySet().stream().sorted().toList());
  }

  @Provide
  Arbitrary<String> tars() {
    return Arbitraries.of(
        SEEDS.keySet().stream().filter(name -> name.endsWith(".tar")).sorted().toList());
  }
}
