package dev.stapes.internal.image.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Whatever a file holds, it is a disk that can be one, or refused. */
class DiskPropertiesTest {
  private static final Set<Kind> REFUSALS = Set.of(Kind.INVALID, Kind.UNSUPPORTED);
  private static final List<byte[]> SEEDS =
      List.of(
          Headers.qcow2(),
          Headers.vmdk(),
          Headers.vdi(),
          Headers.vhd(),
          Headers.vhdx(),
          new byte[1024]);

  private static Path file = Path.of("");

  @BeforeContainer
  static void make() throws IOException {
    file = Files.createTempFile("disk-fuzz", "");
  }

  @AfterContainer
  static void remove() throws IOException {
    Files.deleteIfExists(file);
  }

  /** Bytes, and where they go: near the begin, where headers are, or anywhere. */
  @Provide
  Arbitrary<Tuple2<Integer, byte[]>> change() {
    Arbitrary<Integer> place =
        Arbitraries.oneOf(
            Arbitraries.integers().between(0, 600), Arbitraries.integers().between(0, 512 << 10));
    Arbitrary<byte[]> bytes = Arbitraries.bytes().array(byte[].class).ofMinSize(1).ofMaxSize(12);
    return place.flatMap(at -> bytes.map(some -> Tuple.of(at, some)));
  }

  @Property
  void a_changed_header_is_read_or_refused(
      @ForAll @IntRange(max = 5) int seed,
      @ForAll("change") Tuple2<Integer, byte[]> one,
      @ForAll("change") Tuple2<Integer, byte[]> other,
      @ForAll @IntRange(max = 20) int cut)
      throws IOException {
    byte[] content = SEEDS.get(seed).clone();
    apply(one, content);
    apply(other, content);
    check(cut == 0 ? content : Arrays.copyOf(content, content.length * (20 - cut / 2) / 20));
  }

  @Property
  void any_bytes_are_read_or_refused(@ForAll byte[] content) throws IOException {
    check(content);
  }

  private static void apply(Tuple2<Integer, byte[]> change, byte[] content) {
    byte[] bytes = change.get2();
    int at = Math.min(change.get1(), content.length - bytes.length);
    System.arraycopy(bytes, 0, content, at, bytes.length);
  }

  private static void check(byte[] content) throws IOException {
    Files.write(file, content);
    try {
      Disk disk = Disk.read(file, "disk");
      assertTrue(disk.size() > 0 && disk.size() <= Disk.MOST && disk.size() % 512 == 0);
      if (disk.format() == DiskFormat.RAW) {
        assertEquals(content.length, disk.size());
      }
    } catch (StapesException e) {
      assertTrue(REFUSALS.contains(e.kind()), e.toString());
    }
  }
}
