package dev.stapes.benchmarks.unpack;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.benchmarks.IncusConnection;
import dev.stapes.benchmarks.Incusd;
import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.Lane;
import dev.stapes.benchmarks.Limit;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Place;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Those who start the first instance of a squashfs image that they have, but did not use before.
 */
final class FirstLaunch implements AutoCloseable {
  private static final String INCUS = "incus-rest";
  private static final String IMAGE = "never-seen";

  private final SplitImages images;
  private final Place place;
  private final LoopBtrfs btrfs;
  private final Map<String, String> missing;
  private @Nullable Incusd daemon;

  /**
   * Has started nothing.
   *
   * @param missing is told of peers that cannot be had
   */
  FirstLaunch(SplitImages images, Place place, LoopBtrfs btrfs, Map<String, String> missing) {
    this.images = images;
    this.place = place;
    this.btrfs = btrfs;
    this.missing = missing;
  }

  /** Those that can be had. */
  List<Isolated.Entrant> entrants() throws InterruptedException {
    List<Isolated.Entrant> all = new ArrayList<>();
    all.add(new Isolated.Entrant("stapes", Unpackers.WARM_UP_RUNS, true, Own::new));
    try {
      Incusd started = Incusd.start(place, INCUS, false, "source=" + btrfs.path("incus"));
      daemon = started;
      all.add(new Isolated.Entrant(INCUS, 0, false, () -> new Incus(started)));
    } catch (IOException | RuntimeException e) {
      missing.put(INCUS, String.valueOf(e.getMessage()));
    }
    return all;
  }

  @Override
  public void close() throws InterruptedException {
    if (daemon != null) {
      daemon.close();
    }
  }

  /** Stapes, on a pool of the same Btrfs. */
  private final class Own implements Lane {
    private final OwnStapes own;
    private @Nullable Instance instance;

    Own() throws IOException, InterruptedException {
      own = OwnStapes.open(btrfs, "stapes-instant");
    }

    @Override
    public void before() throws IOException, InterruptedException {
      Path metadata = images.next();
      own.stapes().images().importFrom(ImageSources.split(metadata, images.rootfs()), IMAGE);
      btrfs.settle();
    }

    @Override
    public void run() {
      instance =
          own.stapes()
              .instances()
              .launch(
                  InstanceSpec.container("first", IMAGE)
                      .lifetime(Lifetime.THROWAWAY)
                      .imageMounted()
                      .limits(
                          limits ->
                              limits.memory(Size.ofBytes(Limit.MEMORY)).processes(Limit.PROCESSES))
                      .build());
    }

    @Override
    public void after() {
      if (instance != null) {
        instance.delete(Delete.FORCE);
        instance = null;
      }
      own.stapes().images().delete(IMAGE);
    }

    @Override
    public void close() throws IOException, InterruptedException {
      own.close();
    }
  }

  /** Incus over one connection, without the hooks of LXCFS, on a pool of the same Btrfs. */
  private final class Incus implements Lane {
    private static final String INSTANCE = "/1.0/instances/first";

    private final Incusd incus;
    private final IncusConnection api;

    Incus(Incusd incus) {
      this.incus = incus;
      this.api = new IncusConnection(incus);
    }

    @Override
    public void before() throws IOException, InterruptedException {
      incus.importImage(IMAGE, images.next(), images.rootfs());
      btrfs.settle();
    }

    @Override
    public void run() throws IOException {
      api.operate(
          "POST",
          "/1.0/instances",
          Map.of(
              "name",
              "first",
              "type",
              "container",
              "source",
              Map.of("type", "image", "alias", IMAGE),
              "start",
              true));
    }

    @Override
    public void after() throws IOException, InterruptedException {
      api.operate(
          "PUT", INSTANCE + "/state", Map.of("action", "stop", "force", true, "timeout", -1));
      api.operate("DELETE", INSTANCE, Optional.empty());
      incus.client().run("image", "delete", IMAGE);
    }

    @Override
    public void close() throws IOException {
      api.close();
    }
  }
}
