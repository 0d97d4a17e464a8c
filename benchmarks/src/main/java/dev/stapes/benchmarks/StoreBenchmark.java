package dev.stapes.benchmarks;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A root directory with many instances and snapshots, all of them true ones with volumes in a Btrfs
 * pool: how long it takes to open it, with all that is done before the first call, and to list it.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g"})
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 5, time = 5)
public class StoreBenchmark {
  /** The root directory. */
  @State(Scope.Benchmark)
  public static class Filled {
    /** How many instances. */
    @Param("1000")
    public int instances;

    /** Of each of them. */
    @Param("50")
    public int snapshots;

    private Path root = Path.of("target", "store-" + ProcessHandle.current().pid());

    /** Fills it, which takes minutes. */
    @Setup(Level.Trial)
    public void fill() throws IOException {
      root = Files.createDirectories(root.toAbsolutePath());
      try (Stapes stapes = open()) {
        for (int i = 0; i < instances; i++) {
          Instance instance =
              stapes.instances().create(InstanceSpec.emptyContainer("i" + i).build());
          for (int j = 0; j < snapshots; j++) {
            instance.snapshots().create("s" + j);
          }
        }
      }
    }

    Stapes open() {
      return Stapes.builder(root).defaultPool(PoolSpec.of("default", "btrfs")).open();
    }

    /** Removes it, as one would a directory. */
    @TearDown(Level.Trial)
    public void remove() throws IOException {
      try (Stream<Path> all = Files.walk(root)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  /** What a measured call has opened. */
  @State(Scope.Benchmark)
  public static class Opened {
    private @Nullable Stapes stapes;

    /** Closes it, which is not measured. */
    @TearDown(Level.Invocation)
    public void close() {
      if (stapes != null) {
        stapes.close();
      }
    }
  }

  /** What stays open. */
  @State(Scope.Benchmark)
  public static class Open {
    private Stapes stapes;

    /** Opens it. */
    @Setup(Level.Trial)
    public void open(Filled filled) {
      stapes = filled.open();
    }

    /** Closes it. */
    @TearDown(Level.Trial)
    public void close() {
      stapes.close();
    }
  }

  /** Opens it. */
  @Benchmark
  public Stapes open(Filled filled, Opened opened) {
    Stapes stapes = filled.open();
    opened.stapes = stapes;
    return stapes;
  }

  /** All instances. */
  @Benchmark
  public List<InstanceInfo> list(Open open) {
    return open.stapes.instances().list();
  }
}
