package dev.stapes.benchmarks;

import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An open Stapes with the busybox image on a pool of the driver under test. Every container is
 * unprivileged, with seccomp and limits on.
 */
@State(Scope.Benchmark)
public class OpenStapes {
  /** The storage driver. */
  @Param({"btrfs", "overlay", "dir"})
  public String driver = "btrfs";

  private final AtomicInteger names = new AtomicInteger();
  private Path root = Path.of("target", "benchmark-" + ProcessHandle.current().pid());
  private Stapes stapes;

  /** Opens it and imports the image. */
  @Setup(Level.Trial)
  public void open() throws IOException {
    root = Files.createDirectories(root.toAbsolutePath());
    stapes = Stapes.builder(root).defaultPool(PoolSpec.of("default", driver)).open();
    stapes.images().importFrom(ImageSources.busybox(), "busybox");
  }

  /** Closes and removes it. */
  @TearDown(Level.Trial)
  public void close() throws IOException {
    stapes.pools().byDefault().delete();
    stapes.close();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  Instance create(Lifetime lifetime) {
    return stapes
        .instances()
        .create(
            InstanceSpec.container("b" + names.incrementAndGet(), "busybox")
                .lifetime(lifetime)
                .limits(limits -> limits.memory(Size.ofMebibytes(128)).processes(100))
                .build());
  }

  String nextName() {
    return "c" + names.incrementAndGet();
  }
}
