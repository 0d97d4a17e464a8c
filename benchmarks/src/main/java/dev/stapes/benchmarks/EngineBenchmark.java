package dev.stapes.benchmarks;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.FakeStorage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
 * What the engine itself costs: locks, operations, events and records, with the state store that
 * everybody has, on a machine, volumes and instances that are fakes and cost next to nothing.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g"})
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@State(Scope.Benchmark)
public class EngineBenchmark {
  /** Where the records are: in the file, or in memory. */
  @Param({"DURABLE", "THROWAWAY"})
  public Lifetime lifetime = Lifetime.DURABLE;

  private Path root = Path.of("target", "engine-" + ProcessHandle.current().pid());
  private Stapes stapes;
  private Instance box;
  private int count;

  /** Opens it, with one stopped instance. */
  @Setup(Level.Trial)
  public void open() throws IOException {
    root = Files.createDirectories(root.toAbsolutePath());
    stapes =
        Stapes.builder(root)
            .with(new FakeMachine())
            .with(FakeStorage.create())
            .with(FakeInstances.in(FakeMachineRoom.create()))
            .defaultPool(PoolSpec.of("default", "fake"))
            .open();
    box = create();
  }

  /** Closes and removes it. */
  @TearDown(Level.Trial)
  public void close() throws IOException {
    box.delete();
    stapes.close();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private Instance create() {
    return stapes
        .instances()
        .create(InstanceSpec.emptyContainer("b" + count++).lifetime(lifetime).build());
  }

  /** One operation, with one write of records. */
  @Benchmark
  public void rename() {
    box.rename("r" + count++);
  }

  /** Two operations. */
  @Benchmark
  public void createAndDelete() {
    create().delete();
  }

  /** Four operations, as the cycle of a throwaway. */
  @Benchmark
  public void cycle() {
    Instance instance = create().start();
    instance.stop(Stop.FORCE);
    if (lifetime == Lifetime.DURABLE) {
      instance.delete(Delete.FORCE);
    }
  }

  /** Two operations. */
  @Benchmark
  public void snapshotAndDelete() {
    String name = "s" + count++;
    box.snapshots().create(name);
    box.snapshots().delete(name);
  }

  /** The same with an instance that has many: they are to cost the next one nothing. */
  @Benchmark
  public void snapshotOfManyAndDelete(Aged aged) {
    String name = "s" + count++;
    aged.box.snapshots().create(name);
    aged.box.snapshots().delete(name);
  }

  /** An instance with snapshots. */
  @State(Scope.Benchmark)
  public static class Aged {
    /** How many. */
    @Param({"1", "100", "10000"})
    public int existing;

    private Instance box;

    /** Makes it. */
    @Setup(Level.Trial)
    public void make(EngineBenchmark engine) {
      box = engine.create();
      for (int made = 0; made < existing; made++) {
        box.snapshots().create("old" + made);
      }
    }

    /** Deletes it. */
    @TearDown(Level.Trial)
    public void delete() {
      box.delete();
    }
  }

  private static final class FakeMachine implements HostProvider {
    @Override
    public String name() {
      return "fake";
    }

    @Override
    public Availability probe() {
      return Availability.available();
    }

    @Override
    public Host open() {
      return FakeHost.create();
    }
  }
}
