package dev.stapes.internal.engine;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.image.ImageStore;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.WarmPoolSpec;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/** Warm pools, by name. */
public final class WarmPoolService implements AutoCloseable {
  private final ImageStore images;
  private final InstanceService instances;
  private final InstanceChanges changes;
  private final LifecycleService lifecycle;
  private final Machines machines;
  private final ExecService exec;
  private final ConcurrentHashMap<String, WarmStock> open = new ConcurrentHashMap<>();

  WarmPoolService(
      ImageStore images,
      InstanceService instances,
      InstanceChanges changes,
      LifecycleService lifecycle,
      Machines machines,
      ExecService exec) {
    this.images = images;
    this.instances = instances;
    this.changes = changes;
    this.lifecycle = lifecycle;
    this.machines = machines;
    this.exec = exec;
  }

  /** Opens a pool and begins to fill it. */
  public WarmStock open(WarmPoolSpec spec) {
    String name = spec.name();
    WarmStock stock =
        new WarmStock(
            spec,
            fingerprint(spec.template()),
            instances,
            changes,
            lifecycle,
            machines,
            exec,
            () -> open.remove(name));
    if (open.putIfAbsent(name, stock) != null) {
      throw new StapesException(Kind.CONFLICT, "warm pool " + name, "is open already");
    }
    stock.open();
    return stock;
  }

  /** Differs where instances of two templates would, as far as this machine knows. */
  private String fingerprint(InstanceSpec template) {
    String image = template.image().map(name -> images.find(name).fingerprint()).orElse("");
    String text =
        String.join(
            "\n",
            List.of(
                template.type().toString(),
                template.lifetime().toString(),
                image,
                template.config().values().toString(),
                InstanceRecord.textsOf(template.devices()).toString()));
    return Sha256.hex(text).substring(0, 2 * 16);
  }

  /** Closes all. */
  @Override
  public void close() {
    List.copyOf(open.values()).forEach(WarmStock::close);
  }
}
