package dev.stapes.benchmarks.storage;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.benchmarks.SelfTimed;
import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import dev.stapes.model.InstanceSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A running container on each pool, all of one Stapes, and what they read and write. */
final class Boxes implements AutoCloseable {
  private static final String IMAGE = "busybox";

  private final Stapes stapes;
  private final IoTool tool;
  private final Map<String, Instance> boxes = new HashMap<>();

  private Boxes(Stapes stapes, IoTool tool) {
    this.stapes = stapes;
    this.tool = tool;
  }

  /**
   * Opens it, without a pool.
   *
   * @param root does not exist
   */
  static Boxes open(Path root, IoTool tool) {
    Stapes stapes = Stapes.open(root);
    try {
      stapes.images().importFrom(ImageSources.busybox(), IMAGE);
      return new Boxes(stapes, tool);
    } catch (RuntimeException e) {
      stapes.close();
      throw e;
    }
  }

  /** Makes a pool, and a container on it that runs. */
  void add(PoolChoice choice) {
    stapes.pools().create(choice.spec());
    InstanceSpec.Builder spec =
        InstanceSpec.container("box-" + choice.name(), IMAGE)
            .device("root", Device.root(disk -> disk.pool(choice.name())));
    tool.device().ifPresent(device -> spec.device("tool", device));
    boxes.put(choice.name(), stapes.instances().launch(spec.build()));
  }

  /** What the container of a pool does on a path. */
  SelfTimed lane(String pool, StoragePath path) throws IOException {
    Instance box = boxes.get(pool);
    if (box == null) {
      throw new IOException("no container on " + pool);
    }
    exec(box, tool.prepare(path, 0));
    return new Lane(box, path);
  }

  private static ExecResult exec(Instance box, List<String> command) {
    return box.exec(command.toArray(String[]::new)).orThrow();
  }

  private final class Lane implements SelfTimed {
    private final Instance box;
    private final StoragePath path;
    private int turn;
    private long nanos;

    Lane(Instance box, StoragePath path) {
      this.box = box;
      this.path = path;
    }

    @Override
    public void run() throws IOException {
      turn++;
      nanos = tool.nanos(path, exec(box, tool.command(path, turn)));
    }

    @Override
    public long nanos() {
      return nanos;
    }
  }

  /** Deletes the containers and pools; one that cannot be deleted keeps no other. */
  @Override
  public void close() {
    try (stapes) {
      List<Runnable> steps = new ArrayList<>();
      for (var info : stapes.instances().list()) {
        steps.add(() -> stapes.instances().get(info.id()).delete(Delete.FORCE));
      }
      for (var info : stapes.pools().list()) {
        steps.add(() -> stapes.pools().get(info.name()).delete());
      }
      Steps.all(steps);
    }
  }
}
