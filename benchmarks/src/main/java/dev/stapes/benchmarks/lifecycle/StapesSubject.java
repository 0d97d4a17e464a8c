package dev.stapes.benchmarks.lifecycle;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.benchmarks.Limit;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.WarmPoolSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Stapes in this JVM, over a pool of one driver. */
final class StapesSubject implements Subject {
  private static final String IMAGE = "image";

  private static final EnumSet<LifecyclePath> CYCLES =
      EnumSet.of(LifecyclePath.CYCLE, LifecyclePath.CYCLE_WARM_POOL);

  /** How many containers of a warm pool are ready. */
  private static final int WAITING = 4;

  private final String name;
  private final Stapes stapes;
  private final boolean owner;
  private final Lifetime inCycle;
  private final Lifetime elsewhere;
  private final Set<LifecyclePath> sameAsMain;

  private StapesSubject(
      String name,
      Stapes stapes,
      boolean owner,
      Lifetime inCycle,
      Lifetime elsewhere,
      Set<LifecyclePath> sameAsMain) {
    this.name = name;
    this.stapes = stapes;
    this.owner = owner;
    this.inCycle = inCycle;
    this.elsewhere = elsewhere;
    this.sameAsMain = sameAsMain;
  }

  /** Opens Stapes with a default pool of a driver, and imports the image. */
  static Stapes open(Path root, String driver) {
    Stapes stapes = Stapes.builder(root).defaultPool(PoolSpec.of("default", driver)).open();
    try {
      stapes.images().importFrom(ImageSources.busybox(), IMAGE);
      return stapes;
    } catch (RuntimeException e) {
      stapes.close();
      throw e;
    }
  }

  /** Writes the image as an archive that others can import. */
  static void export(Stapes stapes, Path archive) {
    stapes.images().export(IMAGE, archive);
  }

  /**
   * The subject {@code stapes}: a throwaway in the cycle, for that is what such a cycle is for, and
   * a durable instance on all other paths. It closes the Stapes.
   */
  static StapesSubject main(Stapes stapes) {
    return new StapesSubject(
        "stapes", stapes, true, Lifetime.THROWAWAY, Lifetime.DURABLE, Set.of());
  }

  /**
   * A throwaway instance on all paths but the cycles, where {@code stapes} has one too, of the
   * Stapes of that.
   */
  static StapesSubject throwaway(String name, Stapes stapes) {
    return new StapesSubject(name, stapes, false, Lifetime.THROWAWAY, Lifetime.THROWAWAY, CYCLES);
  }

  /** A throwaway instance on all paths. It closes the Stapes. */
  static StapesSubject owningThrowaway(String name, Stapes stapes) {
    return new StapesSubject(name, stapes, true, Lifetime.THROWAWAY, Lifetime.THROWAWAY, Set.of());
  }

  /** The cycles with an instance that would outlive the JVM, of a Stapes that another closes. */
  static StapesSubject durable(Stapes stapes) {
    return new StapesSubject(
        "stapes-durable",
        stapes,
        false,
        Lifetime.DURABLE,
        Lifetime.DURABLE,
        EnumSet.complementOf(CYCLES));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    Map<LifecyclePath, String> left = new EnumMap<>(LifecyclePath.class);
    sameAsMain.forEach(path -> left.put(path, "is the same as stapes there"));
    return left;
  }

  @Override
  public boolean inProcess() {
    return true;
  }

  @Override
  public boolean keepsCgroupsWarm() {
    return true;
  }

  @Override
  public Container create(String container) {
    return create(container, elsewhere);
  }

  private Running create(String container, Lifetime lifetime) {
    return new Running(stapes.instances().create(spec(container, lifetime)), lifetime);
  }

  private static InstanceSpec spec(String container, Lifetime lifetime) {
    return InstanceSpec.container(container, IMAGE)
        .lifetime(lifetime)
        .limits(limits -> limits.memory(Size.ofBytes(Limit.MEMORY)).processes(Limit.PROCESSES))
        .build();
  }

  @Override
  public WarmPool openWarmPool() {
    return new Waiting(
        stapes.instances().warmPool(WarmPoolSpec.of(spec("warm-" + name, inCycle), WAITING)),
        inCycle);
  }

  private record Waiting(dev.stapes.WarmPool pool, Lifetime lifetime) implements WarmPool {
    @Override
    public void awaitFull() {
      pool.awaitFull(Duration.ofMinutes(1));
    }

    @Override
    public Container checkout(String name) {
      return new Running(pool.take(name), lifetime);
    }

    @Override
    public void close() {
      pool.delete();
    }
  }

  @Override
  public void cycle(String container) {
    Running made = create(container, inCycle);
    try {
      made.start();
      made.execTrue();
    } finally {
      made.delete();
    }
  }

  /** Deletes what is left, and lets go of the machine. */
  @Override
  public void close() throws IOException {
    if (!owner) {
      return;
    }
    try (stapes) {
      for (var info : stapes.instances().list()) {
        stapes.instances().get(info.id()).delete(Delete.FORCE);
      }
      stapes.pools().byDefault().delete();
    }
  }

  private static final class Running implements Container, Container.CopyOnWrite {
    private final Instance instance;
    private final Lifetime lifetime;
    private boolean gone;

    Running(Instance instance, Lifetime lifetime) {
      this.instance = instance;
      this.lifetime = lifetime;
    }

    @Override
    public void start() {
      instance.start();
    }

    @Override
    public void execTrue() {
      instance.exec("true").orThrow();
    }

    @Override
    public void stop() {
      instance.stop(Stop.FORCE);
      gone = lifetime == Lifetime.THROWAWAY;
    }

    @Override
    public void delete() {
      if (!gone) {
        instance.delete(Delete.FORCE);
        gone = true;
      }
    }

    @Override
    public Optional<CopyOnWrite> copyOnWrite() {
      return Optional.of(this);
    }

    @Override
    public void snapshot(String snapshot) {
      instance.snapshots().create(snapshot);
    }

    @Override
    public void deleteSnapshot(String snapshot) {
      instance.snapshots().delete(snapshot);
    }

    @Override
    public void restore(String snapshot) {
      instance.snapshots().restore(snapshot);
    }

    @Override
    public Container copyTo(String copy) {
      return new Running(instance.copyTo(copy), lifetime);
    }
  }
}
