package dev.stapes.benchmarks;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Lifetime;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One operation per invocation, with what it needs made and unmade outside of the time that is
 * measured; quote the median (p0.50) of the samples.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g"})
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
public class LifecycleBenchmark {

  /** A stopped instance that lives as long as the trial. */
  @State(Scope.Benchmark)
  public static class Stopped {
    private Instance instance;

    /** Makes it, with a snapshot. */
    @Setup(Level.Trial)
    public void make(OpenStapes machine) {
      instance = machine.create(Lifetime.DURABLE);
      instance.snapshots().create("clean");
    }

    /** Deletes it. */
    @TearDown(Level.Trial)
    public void delete() {
      instance.delete();
    }
  }

  /** A running instance that lives as long as the trial. */
  @State(Scope.Benchmark)
  public static class Running {
    private Instance instance;

    /** Makes and starts it, with a snapshot. */
    @Setup(Level.Trial)
    public void make(OpenStapes machine) {
      instance = machine.create(Lifetime.DURABLE);
      instance.snapshots().create("clean");
      instance.start();
    }

    /** Deletes it. */
    @TearDown(Level.Trial)
    public void delete() {
      instance.delete(Delete.FORCE);
    }
  }

  /** An instance for each invocation. */
  @State(Scope.Benchmark)
  public static class Fresh {
    private Instance stopped;
    private Instance running;

    /** Makes one that is stopped and one that runs. */
    @Setup(Level.Invocation)
    public void make(OpenStapes machine) {
      stopped = machine.create(Lifetime.DURABLE);
      running = machine.create(Lifetime.DURABLE).start();
    }

    /** Deletes what is left. */
    @TearDown(Level.Invocation)
    public void delete() {
      deleteIfThere(stopped);
      deleteIfThere(running);
    }

    private static void deleteIfThere(Instance instance) {
      try {
        instance.delete(Delete.FORCE);
      } catch (dev.stapes.model.StapesException e) {
        if (e.kind() != dev.stapes.model.StapesException.Kind.NOT_FOUND) {
          throw e;
        }
      }
    }
  }

  /** The main job as a test uses it: clone, start, exec, kill, delete; nothing durable. */
  @Benchmark
  public void cycleThrowaway(OpenStapes machine) {
    Instance instance = machine.create(Lifetime.THROWAWAY).start();
    instance.exec("true").orThrow();
    instance.delete(Delete.FORCE);
  }

  /** The same with an instance that would survive the JVM. */
  @Benchmark
  public void cycleDurable(OpenStapes machine) {
    Instance instance = machine.create(Lifetime.DURABLE).start();
    instance.exec("true").orThrow();
    instance.delete(Delete.FORCE);
  }

  /** A program in a running instance. */
  @Benchmark
  public int exec(Running running) {
    return running.instance.exec("true").exitCode();
  }

  /** A clone of a stopped instance, deleted again. */
  @Benchmark
  public void cloneAndDelete(Stopped stopped, OpenStapes machine) {
    stopped.instance.copyTo(machine.nextName()).delete();
  }

  /** A snapshot of a stopped instance, deleted again. */
  @Benchmark
  public void snapshotAndDelete(Stopped stopped, OpenStapes machine) {
    String name = machine.nextName();
    stopped.instance.snapshots().create(name);
    stopped.instance.snapshots().delete(name);
  }

  /** A stopped instance put back to a snapshot. */
  @Benchmark
  public void restoreStopped(Stopped stopped) {
    stopped.instance.snapshots().restore("clean");
  }

  /** A running instance put back to a snapshot: ended, swapped, started. */
  @Benchmark
  public void restoreRunning(Running running) {
    running.instance.snapshots().restore("clean");
  }

  /** From stopped to able to execute. */
  @Benchmark
  public void start(Fresh fresh) {
    fresh.stopped.start();
  }

  /** From running to stopped, by force. */
  @Benchmark
  public void stopForce(Fresh fresh) {
    fresh.running.stop(Stop.FORCE);
  }

  /** From running to gone. */
  @Benchmark
  public void deleteRunning(Fresh fresh) {
    fresh.running.delete(Delete.FORCE);
  }
}
