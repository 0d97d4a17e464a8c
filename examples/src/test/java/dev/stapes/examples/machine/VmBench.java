package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.qemu.driver.QemuDriverProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.TestGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** An open Stapes with the image of a small guest for the tests of one class. */
final class VmBench implements BeforeAllCallback, AfterAllCallback {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final PoolSpec pool;
  private final InstanceDriverProvider machines;
  private final List<StorageDriverProvider> storage;
  private final AtomicInteger names = new AtomicInteger();
  private Path root = Path.of("");
  private @Nullable Stapes stapes;

  VmBench(String driver) {
    this(driver, new QemuDriverProvider());
  }

  VmBench(String driver, InstanceDriverProvider machines) {
    this(PoolSpec.of("default", driver), machines, List.of());
  }

  private VmBench(
      PoolSpec pool, InstanceDriverProvider machines, List<StorageDriverProvider> storage) {
    this.pool = pool;
    this.machines = machines;
    this.storage = storage;
  }

  /** With its pool of a driver that is not found otherwise. */
  static VmBench on(StorageDriverProvider storage) {
    PoolSpec pool = PoolSpec.of("default", storage.name());
    return new VmBench(pool, new QemuDriverProvider(), List.of(storage));
  }

  /** With a pool named {@code default}. */
  static VmBench on(PoolSpec pool) {
    return new VmBench(pool, new QemuDriverProvider(), List.of());
  }

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    root =
        Path.of(System.getProperty("stapes.build", "target"))
            .toAbsolutePath()
            .resolve("vm-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
    Files.createDirectories(root);
    stapes = open();
    stapes().images().importFrom(ImageSources.split(guest().metadata(), guest().disk()), "guest");
  }

  Stapes open() {
    Stapes.Builder builder = Stapes.builder(root).with(machines);
    storage.forEach(builder::with);
    return builder.defaultPool(pool).open();
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    if (stapes != null) {
      stapes()
          .instances()
          .list()
          .forEach(info -> stapes().instances().get(info.name()).delete(Delete.FORCE));
      stapes().close();
      assertEquals(Set.of(), HostLeftovers.of(root), "left on the machine");
    }
    if (!root.isAbsolute()) {
      return; // it was never made: the empty path is where the test runs
    }
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  Path root() {
    return root;
  }

  static TestGuest guest() {
    return TestGuest.find().orElseThrow();
  }

  Stapes stapes() {
    return Objects.requireNonNull(stapes);
  }

  Stapes reopen() {
    return reopenAfter(between -> {});
  }

  /** What another JVM does in a root directory while this one has it closed. */
  interface Other {
    void run(Path root) throws Exception;
  }

  Stapes reopenAfter(Other other) {
    stapes().close();
    try {
      other.run(root);
    } catch (Exception e) {
      throw new AssertionError(e);
    } finally {
      stapes = open();
    }
    return stapes();
  }

  /** What a script in a guest printed. */
  static String sh(Instance vm, String script) {
    return vm.exec("sh", "-c", script).orThrow().stdout();
  }

  /** The same without the space around it. */
  static String output(Instance vm, String script) {
    return sh(vm, script).strip();
  }

  /**
   * Shell that waits until a block device of a guest can be opened: its node is there some moments
   * earlier, and says ENXIO.
   */
  static String untilOpens(String device) {
    return "until head -c 1 " + device + " >/dev/null 2>&1; do usleep 20000; done; ";
  }

  /** One that boots its kernel directly. */
  InstanceSpec.Builder spec() {
    return spec("vm" + names.incrementAndGet());
  }

  /** The same, with a name. */
  InstanceSpec.Builder spec(String name) {
    return spec(name, "guest");
  }

  /** The same of another image than that of the bench. */
  InstanceSpec.Builder spec(String name, String image) {
    return firmwareSpec(name, image)
        .config("qemu.kernel", guest().kernel().toString())
        .config("qemu.initrd", guest().initrd().toString())
        .config("qemu.kernel_arguments", guest().kernelArguments());
  }

  /** One that its firmware boots from its disk. */
  InstanceSpec.Builder firmwareSpec() {
    return firmwareSpec("vm" + names.incrementAndGet(), "guest");
  }

  private static InstanceSpec.Builder firmwareSpec(String name, String image) {
    return InstanceSpec.virtualMachine(name, image)
        .limits(limits -> limits.cpus(2).memory(Size.ofMebibytes(384)));
  }

  Instance launch() {
    return stapes().instances().launch(spec().build());
  }
}
