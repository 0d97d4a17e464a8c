package dev.stapes.benchmarks;

import dev.stapes.internal.image.ArchiveLimits;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageParts;
import dev.stapes.internal.image.RootfsUnpacker;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Progress;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.fs.BtrfsProvider;
import dev.stapes.storage.fs.DirProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What an entry of an archive costs: small files out of a plain tar into an empty volume of a pool.
 * An operation is an entry: the figures are entries per second. Needs root.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g"})
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@State(Scope.Benchmark)
public class EntryBenchmark {
  private static final int FILES = 5_000;
  private static final int BYTES_EACH = 2_000;

  /** With the directories and the root of them. */
  private static final int ENTRIES = FILES + FILES / SampleTree.FILES_PER_DIRECTORY + 1;

  private static final VolumeId VOLUME = new VolumeId(VolumeId.Kind.IMAGE, "unpacked");

  /**
   * The storage driver, {@code btrfs} or {@code dir}. The latter is on the file system of the build
   * directory: ext4 slows down for those who create what others have just deleted.
   */
  @Param("btrfs")
  public String driver = "btrfs";

  private final Host host = new LinuxHostProvider().open();
  private Path directory = Path.of("target", "entries-" + ProcessHandle.current().pid());
  private Path archive = directory;
  private StoragePool pool;

  /** Makes the archive and the pool. */
  @Setup(Level.Trial)
  public void make() throws IOException, InterruptedException {
    directory = Files.createDirectories(directory.toAbsolutePath());
    Path files = Files.createDirectory(directory.resolve("files"));
    SampleTree.make(files, FILES, FILES * BYTES_EACH);
    archive = directory.resolve("archive.tar");
    new Tool("tar").run("-C", files.toString(), "--numeric-owner", "-cf", archive.toString(), ".");
    StorageDriverProvider provider =
        driver.equals("btrfs") ? new BtrfsProvider() : new DirProvider();
    pool =
        provider.create(
            host, PoolSpec.of("pool", driver), Files.createDirectory(directory.resolve("pool")));
  }

  /** Removes all. */
  @TearDown(Level.Trial)
  public void remove() throws IOException, InterruptedException {
    pool.destroy();
    host.close();
    new Tool("rm").run("-r", directory.toString());
  }

  /** Makes what is unpacked into. */
  @Setup(Level.Invocation)
  public void create() {
    pool.create(VOLUME);
  }

  /** Removes what was unpacked. */
  @TearDown(Level.Invocation)
  public void discard() {
    pool.discard(VOLUME);
    pool.reclaim();
  }

  /** Unpacks all of it. */
  @Benchmark
  @OperationsPerInvocation(ENTRIES)
  public RootfsUnpacker.Unpacked unpack() {
    try (Tree tree = pool.tree(VOLUME, Tree.Resolution.BENEATH)) {
      return new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
          .unpack(new ImageParts(archive, Optional.of(archive)), Progress.NONE);
    }
  }
}
