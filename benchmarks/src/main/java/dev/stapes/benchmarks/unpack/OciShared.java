package dev.stapes.benchmarks.unpack;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.Lane;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Tool;
import dev.stapes.model.InstanceSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Those who get an image from a registry, of which they have all layers but one, and unpack it. The
 * registry has {@link OciImages}.
 */
final class OciShared implements AutoCloseable {
  private static final String REPOSITORY = "system:";

  private final Registry registry;
  private final LoopBtrfs btrfs;

  private OciShared(Registry registry, LoopBtrfs btrfs) {
    this.registry = registry;
    this.btrfs = btrfs;
  }

  /**
   * Starts the registry.
   *
   * @param directory for what it keeps; does not exist
   * @param layout with the images
   */
  static OciShared start(Path directory, Path layout, LoopBtrfs btrfs)
      throws IOException, InterruptedException {
    Registry registry = Registry.start(directory);
    try {
      for (String tag : List.of(OciImages.FIRST, OciImages.SECOND)) {
        registry.push(layout, tag, REPOSITORY + tag);
      }
      return new OciShared(registry, btrfs);
    } catch (IOException | InterruptedException | RuntimeException e) {
      registry.close();
      throw e;
    }
  }

  List<Isolated.Entrant> entrants() {
    return List.of(
        new Isolated.Entrant("stapes", Unpackers.WARM_UP_RUNS, false, Own::new),
        new Isolated.Entrant("skopeo+umoci", 0, false, Packaged::new));
  }

  private String reference(String tag) {
    return registry.reference(REPOSITORY + tag);
  }

  @Override
  public void close() {
    registry.close();
  }

  /** Stapes: until there is an instance, which is not started. */
  private final class Own implements Lane {
    private final OwnStapes own;
    private @Nullable Instance instance;

    Own() throws IOException, InterruptedException {
      own = OwnStapes.open(btrfs, "stapes-oci");
      try {
        make(OciImages.FIRST).delete(Delete.FORCE);
      } catch (RuntimeException e) {
        own.close();
        throw e;
      }
    }

    private Instance make(String tag) {
      own.stapes().images().importFrom(ImageSources.oci(reference(tag)), tag);
      return own.stapes().instances().create(InstanceSpec.container("of-" + tag, tag).build());
    }

    @Override
    public void before() throws IOException, InterruptedException {
      btrfs.settle();
    }

    @Override
    public void run() {
      instance = make(OciImages.SECOND);
    }

    @Override
    public void after() {
      if (instance != null) {
        instance.delete(Delete.FORCE);
        instance = null;
      }
      own.stapes().images().delete(OciImages.SECOND);
    }

    @Override
    public void close() throws IOException, InterruptedException {
      own.close();
    }
  }

  /** Packaged tools: until there is a root file system. */
  private final class Packaged implements Lane {
    private final Path first = btrfs.path("layout-first");
    private final Path layout = btrfs.path("layout");
    private final Path bundles = btrfs.path("bundles");
    private boolean there;

    Packaged() throws IOException, InterruptedException {
      btrfs.create(first);
      copy(OciImages.FIRST, first);
    }

    private void copy(String tag, Path target) throws IOException, InterruptedException {
      new Tool("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false")
          .run("docker://" + reference(tag), "oci:" + target.resolve("oci") + ":" + tag);
    }

    @Override
    public void before() throws IOException, InterruptedException {
      btrfs.snapshot(first, layout, false);
      btrfs.create(bundles);
      there = true;
      btrfs.settle();
    }

    @Override
    public void run() throws IOException, InterruptedException {
      copy(OciImages.SECOND, layout);
      new Tool("umoci")
          .run(
              "unpack",
              "--image",
              layout.resolve("oci") + ":" + OciImages.SECOND,
              bundles.resolve("second").toString());
    }

    @Override
    public void after() throws IOException, InterruptedException {
      btrfs.delete(layout);
      btrfs.delete(bundles);
      there = false;
      btrfs.settle();
    }

    @Override
    public void close() throws IOException, InterruptedException {
      if (there) {
        after();
      }
      btrfs.delete(first);
    }
  }
}
