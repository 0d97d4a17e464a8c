package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.WarmPoolSpec;
import java.util.List;
import java.util.Optional;

/** All instances of a root directory. */
public final class Instances {
  private final Engine engine;

  Instances(Engine engine) {
    this.engine = engine;
  }

  /** Makes an instance and starts it; where the start fails it is deleted again. */
  public Instance launch(InstanceSpec spec) {
    return launch(spec, Progress.NONE);
  }

  /** The same, telling how far it is. */
  public Instance launch(InstanceSpec spec, Progress progress) {
    return new Instance(engine, engine.instances().launch(spec, progress));
  }

  /**
   * Makes an instance, stopped.
   *
   * @throws StapesException INVALID, quoting the value; CONFLICT where there is one of that name;
   *     NOT_FOUND for the image or pool; UNAVAILABLE where its driver is not usable
   */
  public Instance create(InstanceSpec spec) {
    return create(spec, Progress.NONE);
  }

  /** The same, telling how far it is. */
  public Instance create(InstanceSpec spec, Progress progress) {
    return new Instance(engine, engine.instances().create(spec, progress));
  }

  /**
   * The instance of a name.
   *
   * @throws StapesException NOT_FOUND
   */
  public Instance get(String name) {
    return find(name).orElseThrow(() -> StapesException.notFound("instance " + name));
  }

  /** The instance of an id. */
  public Instance get(InstanceId id) {
    engine.instances().info(id);
    return new Instance(engine, id);
  }

  /** The instance of a name, or empty. */
  public Optional<Instance> find(String name) {
    return engine.instances().find(name).map(id -> new Instance(engine, id));
  }

  /** What all of them are, by name. */
  public List<InstanceInfo> list() {
    return engine.instances().list();
  }

  /**
   * Opens a warm pool, and begins to start as many as are to wait.
   *
   * @throws StapesException CONFLICT where one of that name is open; NOT_FOUND for the image
   */
  public WarmPool warmPool(WarmPoolSpec spec) {
    return new WarmPool(engine, engine.warmPools().open(spec));
  }
}
