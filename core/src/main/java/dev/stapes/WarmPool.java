package dev.stapes;

import dev.stapes.internal.engine.WarmStock;
import dev.stapes.model.StapesException;
import dev.stapes.model.WarmPoolInfo;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Instances that run already and wait to be taken: who takes one has it in a fraction of the time
 * that a start needs, and another one is started in its place behind. For many threads.
 *
 * <p>Those that wait are listed like all others, with names that begin with the pool's and a config
 * key {@code volatile.warm.pool}. One that ends or is deleted while it waits is replaced.
 */
public final class WarmPool implements AutoCloseable {
  private final dev.stapes.internal.engine.Engine engine;
  private final WarmStock stock;

  WarmPool(dev.stapes.internal.engine.Engine engine, WarmStock stock) {
    this.engine = engine;
    this.stock = stock;
  }

  /**
   * Takes one that waits, which is the caller's from then on, or starts one where none does. Its
   * host name inside is the one that it waited under.
   *
   * @param name what it is called from now on
   * @throws StapesException CONFLICT where there is an instance of that name; UNAVAILABLE where the
   *     pool was closed; what {@link Instances#launch} throws where none waited
   */
  public Instance take(String name) {
    return take(name, update -> {});
  }

  /**
   * The same with changes that take effect at once, as {@link Instance#update} makes them: limits,
   * above all.
   *
   * @throws StapesException also BUSY where something cannot change while an instance runs; the
   *     instance then goes on waiting
   */
  public Instance take(String name, Consumer<InstanceUpdate> changes) {
    InstanceUpdate update = new InstanceUpdate();
    changes.accept(update);
    return new Instance(engine, stock.take(name, update.toChange()));
  }

  /** What it has and did. */
  public WarmPoolInfo info() {
    return stock.info();
  }

  /**
   * Has more or fewer wait from now on; those that are too many are deleted behind.
   *
   * @throws StapesException INVALID for the size; UNAVAILABLE where the pool was closed
   */
  public void resize(int size) {
    stock.resize(size);
  }

  /**
   * Waits until as many wait as are to.
   *
   * @throws StapesException TIMED_OUT, with what the last start failed of; INTERRUPTED; UNAVAILABLE
   *     where the pool was closed
   */
  public void awaitFull(Duration limit) {
    stock.awaitFull(limit);
  }

  /**
   * Starts no more, and ends those that wait if they are throwaway. Durable and ephemeral ones wait
   * on, and are found when it is opened again. Idempotent.
   */
  @Override
  public void close() {
    stock.close();
  }

  /** Starts no more, and deletes all that wait. */
  public void delete() {
    stock.delete();
  }
}
