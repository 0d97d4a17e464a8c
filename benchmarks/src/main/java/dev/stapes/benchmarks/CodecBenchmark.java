package dev.stapes.benchmarks;

import dev.stapes.internal.image.ArchiveLimits;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageParts;
import dev.stapes.internal.image.RootfsUnpacker;
import dev.stapes.linux.host.LzmaDecoderProvider;
import dev.stapes.model.Progress;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
 * How fast the file of an image is read and decoded, with nothing written anywhere. An operation is
 * a megabyte of decoded files: the figures are MB/s.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g"})
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@State(Scope.Benchmark)
public class CodecBenchmark {
  private static final Decoders DECODERS = new Decoders(List.of(new LzmaDecoderProvider()));

  private static final int MEGABYTES = 16;
  private static final int FILES = 400;

  /** How the file is compressed: {@code none}, a program that does it, or {@code squashfs}. */
  @Param({"none", "zstd", "gzip", "xz", "bzip2", "lz4", "squashfs"})
  public String codec = "none";

  private Path directory = Path.of("target", "codec-" + ProcessHandle.current().pid());
  private Path archive = directory;

  /** Makes the file. */
  @Setup(Level.Trial)
  public void make() throws IOException, InterruptedException {
    directory = Files.createDirectories(directory.toAbsolutePath());
    Path files = Files.createDirectory(directory.resolve("files"));
    SampleTree.make(files, FILES, MEGABYTES * 1_000_000);
    archive = directory.resolve("archive");
    if (codec.equals("squashfs")) {
      new Tool("mksquashfs")
          .run(files.toString(), archive.toString(), "-comp", "zstd", "-no-progress", "-quiet");
      return;
    }
    String compressor =
        switch (codec) {
          case "none" -> "cat";
          case "xz" -> "xz -c -T0 --block-size=4MiB";
          default -> codec + " -c";
        };
    new Tool("sh", "-c", "tar -C \"$0\" -cf - . | " + compressor + " >\"$1\"")
        .run(files.toString(), archive.toString());
  }

  /** Removes it. */
  @TearDown(Level.Trial)
  public void remove() throws IOException, InterruptedException {
    new Tool("rm").run("-r", directory.toString());
  }

  /** Reads and decodes all of it. */
  @Benchmark
  @OperationsPerInvocation(MEGABYTES)
  public RootfsUnpacker.Unpacked decode() {
    try (Tree tree = NowhereTree.open()) {
      return new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, DECODERS)
          .unpack(new ImageParts(archive, Optional.of(archive)), Progress.NONE);
    }
  }
}
