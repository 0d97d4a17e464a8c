package dev.stapes.internal.engine;

import dev.stapes.model.Config;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.WarmPoolInfo;
import dev.stapes.model.WarmPoolSpec;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Started instances that wait to be taken, and who starts others in their place. */
public final class WarmStock implements AutoCloseable {
  /** On an instance that waits: the pool it belongs to, and what that was made of. */
  static final String POOL = "volatile.warm.pool";

  static final String TEMPLATE = "volatile.warm.template";

  private static final Logger LOG = LoggerFactory.getLogger(WarmStock.class);
  private static final ExecSpec PROBE =
      ExecSpec.builder("true").timeout(Duration.ofSeconds(10)).build();
  private static final byte[] NO_INPUT = {};
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  private final InstanceService instances;
  private final InstanceChanges changes;
  private final LifecycleService lifecycle;
  private final Machines machines;
  private final ExecService exec;
  private final Runnable closing;
  private final String template;
  private final Background starters;
  private final ArrayDeque<InstanceId> ready = new ArrayDeque<>();
  private WarmPoolSpec spec;
  private int starting;
  private int failuresInARow;
  private long taken;
  private long missed;
  private Optional<String> failure = Optional.empty();
  private boolean closed;

  /**
   * Takes over those that wait since an earlier open and begins to start the others.
   *
   * @param template tells this template from another one, with the image that it names now
   * @param closing told once, when it is closed
   */
  WarmStock(
      WarmPoolSpec spec,
      String template,
      InstanceService instances,
      InstanceChanges changes,
      LifecycleService lifecycle,
      Machines machines,
      ExecService exec,
      Runnable closing) {
    this.spec = spec;
    this.template = template;
    this.instances = instances;
    this.changes = changes;
    this.lifecycle = lifecycle;
    this.machines = machines;
    this.exec = exec;
    this.closing = closing;
    // One more, for what is to be deleted.
    this.starters = new Background("warm-" + spec.name(), spec.starters() + 1);
  }

  /** Begins. */
  void open() {
    for (InstanceInfo info : instances.list()) {
      Map<String, String> config = info.config().values();
      if (spec.name().equals(config.get(POOL))) {
        if (template.equals(config.get(TEMPLATE)) && isAlive(info.id())) {
          add(info.id());
        } else {
          starters.execute(() -> discard(info.id()));
        }
      }
    }
    refill();
  }

  /** What it has and did. */
  public synchronized WarmPoolInfo info() {
    return new WarmPoolInfo(spec, ready.size(), starting, taken, missed, failure);
  }

  /** One that waits, renamed and changed, or a new one. */
  public InstanceId take(String name, InstanceChange change) {
    Names.instance(name);
    try {
      for (Optional<InstanceId> next = next(); next.isPresent(); next = next()) {
        if (checkOut(next.get(), name, change)) {
          return next.get();
        }
      }
      return instances.launch(changed(name, change), Progress.NONE);
    } finally {
      refill();
    }
  }

  private synchronized Optional<InstanceId> next() {
    requireOpen();
    Optional<InstanceId> next = Optional.ofNullable(ready.poll());
    if (next.isEmpty()) {
      missed++;
    }
    return next;
  }

  /** False: it is no good. Where the request is no good it goes on waiting. */
  private boolean checkOut(InstanceId id, String name, InstanceChange change) {
    if (!isAlive(id)) {
      starters.execute(() -> discard(id));
      return false;
    }
    try {
      changes.checkOut(id, name, change);
    } catch (StapesException e) {
      if (isAlive(id)) {
        putBack(id);
        throw e;
      }
      starters.execute(() -> discard(id));
      return false;
    }
    synchronized (this) {
      taken++;
    }
    return true;
  }

  private void putBack(InstanceId id) {
    synchronized (this) {
      if (!closed) {
        ready.addFirst(id);
        return;
      }
    }
    endIfThrowaway(List.of(id));
  }

  private boolean isAlive(InstanceId id) {
    return machines.find(id).map(running -> !running.hasEnded()).orElse(false);
  }

  /** What is launched for a caller who found none. */
  private InstanceSpec changed(String name, InstanceChange change) {
    InstanceSpec from = spec().template();
    return new InstanceSpec(
        name,
        from.type(),
        from.image(),
        change.description().orElse(from.description()),
        from.lifetime(),
        from.config().with(change.config()),
        change.appliedTo(from.devices()),
        from.imageMounted());
  }

  /** Has others started in the place of those that are missing. */
  private synchronized void refill() {
    while (!closed && starting < spec.starters() && ready.size() + starting < spec.size()) {
      starting++;
      starters.execute(this::startOne);
    }
  }

  private void startOne() {
    try {
      if (!isClosed()) {
        InstanceId started = instances.launch(waiting(), Progress.NONE);
        probe(started);
        succeeded();
        add(started);
      }
    } catch (StapesException e) {
      LOG.warn("{}: cannot start another one: {}", subject(), e.getMessage());
      starters.pause(failed(e));
    } finally {
      synchronized (this) {
        starting--;
      }
      refill();
    }
  }

  /**
   * Has it execute a program: whoever takes it wants to do that at once, and the second time takes
   * less. An image need not have that program.
   */
  private void probe(InstanceId id) {
    try {
      exec.run(id, PROBE, NO_INPUT);
    } catch (StapesException e) {
      discard(id);
      throw e;
    }
  }

  private InstanceSpec waiting() {
    InstanceSpec from = spec().template();
    return new InstanceSpec(
        from.name() + "-" + Ids.ofOneThatWaits(),
        from.type(),
        from.image(),
        from.description(),
        from.lifetime(),
        from.config().with(Map.of(POOL, from.name(), TEMPLATE, template)),
        from.devices(),
        from.imageMounted());
  }

  private synchronized void succeeded() {
    failure = Optional.empty();
    failuresInARow = 0;
  }

  private synchronized Duration failed(StapesException e) {
    failure = Optional.of(String.valueOf(e.getMessage()));
    int doublings = Math.min(failuresInARow++, 16);
    Duration pause = FIRST_PAUSE.multipliedBy(1L << doublings);
    return pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
  }

  private void add(InstanceId id) {
    boolean waits;
    synchronized (this) {
      waits = !closed;
      if (waits) {
        ready.add(id);
        notifyAll();
      }
    }
    // From here on one that waits may be anybody's.
    if (!waits) {
      endIfThrowaway(List.of(id));
      return;
    }
    machines
        .find(id)
        .ifPresentOrElse(
            running -> running.machine().exit().thenRun(() -> tellEnded(id)), () -> tellEnded(id));
  }

  private void tellEnded(InstanceId id) {
    if (!isClosed()) {
      starters.execute(() -> ended(id));
    }
  }

  /** One has ended; it is ours if it waited. */
  private void ended(InstanceId id) {
    boolean waited;
    synchronized (this) {
      waited = ready.remove(id);
    }
    if (waited) {
      discard(id);
      refill();
    }
  }

  private void discard(InstanceId id) {
    try {
      lifecycle.takeBack(id);
    } catch (StapesException e) {
      LOG.warn("{}: cannot delete one that waited: {}", subject(), e.getMessage());
    }
  }

  /** Has more or fewer wait. */
  public void resize(int size) {
    List<InstanceId> tooMany = new ArrayList<>();
    synchronized (this) {
      requireOpen();
      spec = spec.withSize(size);
      while (ready.size() > size) {
        tooMany.add(ready.removeLast());
      }
    }
    tooMany.forEach(id -> starters.execute(() -> discard(id)));
    refill();
  }

  /** Waits until as many wait as are to. */
  public synchronized void awaitFull(Duration limit) {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(limit);
    requireOpen();
    while (ready.size() < spec.size()) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0) {
        throw new StapesException(
            Kind.TIMED_OUT,
            subject(),
            ready.size()
                + " of "
                + spec.size()
                + " wait after "
                + limit
                + failure.map(why -> ": " + why).orElse(""));
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject(), "interrupted while it fills", e);
      }
      requireOpen();
    }
  }

  private synchronized void requireOpen() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject(), "is closed");
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized WarmPoolSpec spec() {
    return spec;
  }

  /** Starts no more; waits for what is being started. Those that wait are left to the caller. */
  private List<InstanceId> stop() {
    List<InstanceId> left;
    synchronized (this) {
      closed = true;
      left = List.copyOf(ready);
      ready.clear();
      notifyAll();
    }
    starters.close();
    closing.run();
    return left;
  }

  private void endIfThrowaway(List<InstanceId> left) {
    if (spec().template().lifetime() == Lifetime.THROWAWAY) {
      left.forEach(this::discard);
    }
  }

  /** Starts no more, and ends those that wait and are throwaway. */
  @Override
  public void close() {
    endIfThrowaway(stop());
  }

  /** Starts no more, and deletes all that wait. */
  public void delete() {
    List<InstanceId> left = new ArrayList<>(stop());
    for (InstanceInfo info : instances.list()) {
      if (spec().name().equals(info.config().values().get(POOL)) && !left.contains(info.id())) {
        left.add(info.id());
      }
    }
    left.forEach(this::discard);
  }

  private String subject() {
    return "warm pool " + spec().name();
  }

  /** A config without what only those that wait have. */
  static Config taken(Config config) {
    TreeMap<String, String> rest = new TreeMap<>(config.values());
    rest.remove(POOL);
    rest.remove(TEMPLATE);
    return Config.of(rest);
  }
}
