package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An open Stapes with a busybox image for the tests of one class, in a directory of its own below
 * the build directory; afterwards nothing of it may be left on the machine.
 */
final class Workbench implements BeforeAllCallback, AfterAllCallback {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String driver;
  private final AtomicInteger names = new AtomicInteger();
  private Path root = Path.of("");
  private Stapes stapes;

  Workbench(String driver) {
    this.driver = driver;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    root =
        Path.of(System.getProperty("stapes.build", "target"))
            .toAbsolutePath()
            .resolve("it-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
    Files.createDirectories(root);
    stapes = open();
    stapes.images().importFrom(ImageSources.busybox(), "busybox");
  }

  Stapes open() {
    return Stapes.builder(root).defaultPool(PoolSpec.of("default", driver)).open();
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    if (stapes == null) {
      removeAll(root);
      return; // it did not open, which is the error to show
    }
    stapes.instances().list().forEach(info -> forceDelete(stapes.instances().get(info.name())));
    stapes.close();
    assertEquals(Set.of(), HostLeftovers.of(root), "left on the machine");
    removeAll(root);
  }

  static void forceDelete(Instance instance) {
    instance.update(update -> update.config("security.protection.delete", "false"));
    instance.delete(dev.stapes.Delete.FORCE);
  }

  static void removeAll(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  Path root() {
    return root;
  }

  Stapes stapes() {
    return stapes;
  }

  /** Closes it and opens it again, as a later JVM would. */
  Stapes reopen() {
    stapes.close();
    stapes = open();
    return stapes;
  }

  String name() {
    return "t" + names.incrementAndGet();
  }

  Instance launch() {
    return stapes.instances().launch(spec().build());
  }

  InstanceSpec.Builder spec() {
    return InstanceSpec.container(name(), "busybox");
  }
}
