package dev.stapes.benchmarks;

import dev.stapes.internal.image.ArchiveLimits;
import dev.stapes.internal.image.ImageParts;
import dev.stapes.internal.image.RootfsUnpacker;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.model.Progress;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What an entry of an archive costs: small files out of a plain tar to the file system that the
 * build directory is on. An operation is an entry: the figures are entries per second. Needs root.
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

  private final Host host = new LinuxHostProvider().open();
  private Path directory = Path.of("target", "entries-" + ProcessHandle.current().pid());
  private Path archive = directory;
  private Path target = directory;

  /** Makes the archive. */
  @Setup(Level.Trial)
  public void make() throws IOException, InterruptedException {
    directory = Files.createDirectories(directory.toAbsolutePath());
    Path files = Files.createDirectory(directory.resolve("files"));
    SampleTree.make(files, FILES, FILES * BYTES_EACH);
    archive = directory.resolve("archive.tar");
    target = directory.resolve("target");
    new Tool("tar").run("-C", files.toString(), "--numeric-owner", "-cf", archive.toString(), ".");
  }

  /** Removes all. */
  @TearDown(Level.Trial)
  public void remove() throws IOException, InterruptedException {
    host.close();
    delete(directory);
  }

  /** Makes what is unpacked into. */
  @Setup(Level.Invocation)
  public void create() throws IOException {
    Files.createDirectory(target);
  }

  /** Removes what was unpacked. */
  @TearDown(Level.Invocation)
  public void clear() throws IOException, InterruptedException {
    delete(target);
  }

  private static void delete(Path directory) throws IOException, InterruptedException {
    new Tool("rm").run("-r", directory.toString());
  }

  /** Unpacks all of it. */
  @Benchmark
  @OperationsPerInvocation(ENTRIES)
  public RootfsUnpacker.Unpacked unpack() {
    try (Tree tree = host.tree(target, Tree.Resolution.BENEATH)) {
      return new RootfsUnpacker(tree, false, ArchiveLimits.USUAL)
          .unpack(new ImageParts(archive, Optional.of(archive)), Progress.NONE);
    }
  }
}
