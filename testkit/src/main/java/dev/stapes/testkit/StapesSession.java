package dev.stapes.testkit;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.platform.commons.support.ReflectionSupport;

/** The Stapes that all test classes with one opener share. */
final class StapesSession implements AutoCloseable {
  private static final AtomicInteger SESSIONS = new AtomicInteger();
  private static final String DEBIAN = "debian/";

  private final AtomicInteger counter = new AtomicInteger();
  private final Path root;
  private final Stapes stapes;

  private StapesSession(Path root, Stapes stapes) {
    this.root = root;
    this.stapes = stapes;
  }

  static StapesSession open(Class<? extends StapesOpener> type) {
    StapesOpener opener = ReflectionSupport.newInstance(type);
    Path parent = BuildDirectory.make(BuildDirectory.forRoots());
    StaleRoots.remove(parent, opener);
    Path root =
        BuildDirectory.make(parent.resolve(StaleRoots.prefix() + "-" + SESSIONS.incrementAndGet()));
    return new StapesSession(root, opener.open(root));
  }

  Stapes stapes() {
    return stapes;
  }

  /** Starts a throwaway instance. */
  Instance launch(String label, Throwaway wish) {
    String name = label.replaceAll("[^A-Za-z0-9]", "") + "-" + counter.incrementAndGet();
    InstanceSpec.Builder spec =
        InstanceSpec.container(name, image(wish.image())).lifetime(Lifetime.THROWAWAY);
    spec.limits(
        limits -> {
          if (wish.cpus() > 0) {
            limits.cpus(wish.cpus());
          }
          if (wish.processes() > 0) {
            limits.processes(wish.processes());
          }
        });
    if (!wish.memory().isEmpty()) {
      spec.config("limits.memory", wish.memory());
    }
    for (String entry : wish.config()) {
      int equals = entry.indexOf('=');
      if (equals < 1) {
        throw StapesException.invalid("@Throwaway " + label, "not key=value: \"" + entry + "\"");
      }
      spec.config(entry.substring(0, equals), entry.substring(equals + 1));
    }
    return stapes.instances().launch(spec.build());
  }

  /** Deletes an instance; one that a test deleted already is fine. */
  static void delete(Instance instance) {
    try {
      instance.delete(Delete.FORCE);
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.NOT_FOUND) {
        throw e;
      }
    }
  }

  /** The image of a name, imported where it is one that can be made and is not there. */
  private synchronized String image(String name) {
    boolean there =
        stapes.images().list().stream().anyMatch(image -> image.aliases().contains(name));
    if (there) {
      return name;
    }
    if (name.equals("busybox")) {
      stapes.images().importFrom(ImageSources.busybox(), name);
    } else if (name.startsWith(DEBIAN)) {
      stapes.images().importFrom(ImageSources.debootstrap(name.substring(DEBIAN.length())), name);
    }
    return name;
  }

  @Override
  public void close() {
    try {
      stapes.close();
    } finally {
      BuildDirectory.remove(root);
    }
  }
}
