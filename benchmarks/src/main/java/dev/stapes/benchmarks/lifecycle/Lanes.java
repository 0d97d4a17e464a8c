package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Lane;
import java.io.IOException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes the lane of a subject on a path. */
final class Lanes {
  private static final String SNAPSHOT = "clean";

  private final Subject subject;
  private final Supplier<String> names;

  Lanes(Subject subject, Supplier<String> names) {
    this.subject = subject;
    this.names = names;
  }

  /** The lane, with what its runs share made. */
  Lane open(LifecyclePath path) throws IOException, InterruptedException {
    return switch (path) {
      case CYCLE -> () -> subject.cycle(names.get());
      case CYCLE_WARM_POOL -> warmPool();
      case START -> new Fresh(false, Container::start);
      case EXEC -> running().each(Container::execTrue);
      case SNAPSHOT -> snapshot();
      case CLONE -> copy();
      case RESTORE_RUNNING -> restore(running());
      case RESTORE_STOPPED -> restore(stopped());
      case DELETE_RUNNING -> new DeleteRunning();
      case STOP_FORCE -> new Fresh(true, Container::stop);
    };
  }

  /** Something done with a container. */
  @FunctionalInterface
  private interface Verb {
    void on(Container container) throws IOException, InterruptedException;
  }

  /** A lane whose runs each have a container of their own. */
  private final class Fresh implements Lane {
    private final boolean started;
    private final Verb verb;
    private @Nullable Container container;

    Fresh(boolean started, Verb verb) {
      this.started = started;
      this.verb = verb;
    }

    @Override
    public void before() throws IOException, InterruptedException {
      Container made = subject.create(names.get());
      container = made;
      if (started) {
        made.start();
      }
    }

    @Override
    public void run() throws IOException, InterruptedException {
      verb.on(there());
    }

    @Override
    public void after() throws IOException, InterruptedException {
      there().delete();
      container = null;
    }

    @Override
    public void close() throws IOException, InterruptedException {
      if (container != null) {
        after(); // a run failed
      }
    }

    private Container there() {
      if (container == null) {
        throw new IllegalStateException("no container");
      }
      return container;
    }
  }

  /** A lane whose runs each delete a running container. */
  private final class DeleteRunning implements Lane {
    private @Nullable Container container;

    @Override
    public void before() throws IOException, InterruptedException {
      container = running().container();
    }

    @Override
    public void run() throws IOException, InterruptedException {
      if (container == null) {
        throw new IllegalStateException("no container");
      }
      container.delete();
      container = null;
    }

    @Override
    public void close() throws IOException, InterruptedException {
      if (container != null) {
        container.delete(); // a run failed, or was never reached
      }
    }
  }

  /** A container that all runs of a lane share. */
  private record Shared(Container container) {
    Lane each(Verb verb) {
      return new SharedLane(this, verb, unused -> {});
    }

    Container.CopyOnWrite copyOnWrite() {
      return container
          .copyOnWrite()
          .orElseThrow(() -> new IllegalStateException(container + " has no copy-on-write root"));
    }
  }

  private record SharedLane(Shared shared, Verb verb, Verb undo) implements Lane {
    @Override
    public void run() throws IOException, InterruptedException {
      verb.on(shared.container());
    }

    @Override
    public void after() throws IOException, InterruptedException {
      undo.on(shared.container());
    }

    @Override
    public void close() throws IOException, InterruptedException {
      shared.container().delete();
    }
  }

  private Shared stopped() throws IOException, InterruptedException {
    return new Shared(subject.create(names.get()));
  }

  private Shared running() throws IOException, InterruptedException {
    Shared shared = stopped();
    try {
      shared.container().start();
      return shared;
    } catch (IOException | InterruptedException | RuntimeException e) {
      shared.container().delete();
      throw e;
    }
  }

  private Lane restore(Shared shared) throws IOException, InterruptedException {
    shared.copyOnWrite().snapshot(SNAPSHOT);
    return shared.each(unused -> shared.copyOnWrite().restore(SNAPSHOT));
  }

  private Lane snapshot() throws IOException, InterruptedException {
    Shared shared = running();
    return new SharedLane(
        shared,
        unused -> shared.copyOnWrite().snapshot(SNAPSHOT),
        unused -> shared.copyOnWrite().deleteSnapshot(SNAPSHOT));
  }

  private Lane copy() throws IOException, InterruptedException {
    Shared shared = stopped();
    return new Copies(shared);
  }

  /** Copies of one container, each deleted after it was made. */
  private final class Copies implements Lane {
    private final Shared shared;
    private @Nullable Container copy;

    Copies(Shared shared) {
      this.shared = shared;
    }

    @Override
    public void run() throws IOException, InterruptedException {
      copy = shared.copyOnWrite().copyTo(names.get());
    }

    @Override
    public void after() throws IOException, InterruptedException {
      if (copy != null) {
        copy.delete();
        copy = null;
      }
    }

    @Override
    public void close() throws IOException, InterruptedException {
      after();
      shared.container().delete();
    }
  }

  private Lane warmPool() throws IOException, InterruptedException {
    return new Warm(subject.openWarmPool());
  }

  /** Containers that wait in a pool, each deleted after it was used; the pool is full each time. */
  private final class Warm implements Lane {
    private final Subject.WarmPool pool;
    private @Nullable Container out;

    Warm(Subject.WarmPool pool) {
      this.pool = pool;
    }

    @Override
    public void before() throws IOException, InterruptedException {
      pool.awaitFull();
    }

    @Override
    public void run() throws IOException, InterruptedException {
      Container container = pool.checkout(names.get());
      out = container;
      container.execTrue();
    }

    @Override
    public void after() throws IOException, InterruptedException {
      if (out != null) {
        out.delete();
        out = null;
      }
    }

    @Override
    public void close() throws IOException, InterruptedException {
      try (pool) {
        after();
      }
    }
  }
}
