package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The driver of virtual machines alone, with one machine for each test. */
final class DriverBench implements BeforeEachCallback, AfterEachCallback {
  private static final InstanceId ID = new InstanceId("bench" + ProcessHandle.current().pid());
  private static final Duration LONG = Duration.ofSeconds(60);

  private Path root = Path.of("");
  private Path volume = Path.of("");
  private @Nullable Host host;
  private @Nullable InstanceDriver driver;

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    root =
        Files.createTempDirectory(
            Path.of(System.getProperty("stapes.build", "target")).toAbsolutePath(), "driver-");
    volume = Files.createDirectory(root.resolve("volume"));
    Files.createDirectory(root.resolve("run"));
    Files.createDirectory(root.resolve("logs"));
    open();
    Path disk = volume.resolve(Machine.Disk.IMAGE);
    String from = VmBench.guest().directory().resolve("root.img").toString();
    host().programs().run(Command.of("cp", "--sparse=always", from, disk.toString()));
  }

  private void open() {
    host = new LinuxHostProvider().open();
    driver =
        ServiceLoader.load(InstanceDriverProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(provider -> provider.type() == InstanceType.VIRTUAL_MACHINE)
            .findFirst()
            .orElseThrow()
            .open(
                host(),
                new InstanceDriverProvider.Scope(root.resolve("run"), root.resolve("logs"), tag()));
  }

  private static String tag() {
    return "d" + ProcessHandle.current().pid();
  }

  private void shut() {
    if (driver != null) {
      driver.close();
      host().close();
    }
  }

  /** As the next JVM does. */
  Machine reopen(Machine.Spec spec) {
    shut();
    open();
    return driver().adopt(spec).orElseThrow();
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    driver().collect(Set.of());
    shut();
    assertEquals(Set.of(), HostLeftovers.of(root, "stapes-" + tag()), "left on the machine");
    assertEquals(Set.of(), HostLeftovers.filesBelow(root.resolve("run")));
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  Host host() {
    return Objects.requireNonNull(host);
  }

  InstanceDriver driver() {
    return Objects.requireNonNull(driver);
  }

  /** The directory that is the root volume of the machine. */
  Path volume() {
    return volume;
  }

  /** With keys and values by turns, beside those of a kernel that is booted directly. */
  Machine.Spec spec(Map<String, Device> devices, String... config) {
    TreeMap<String, String> values = new TreeMap<>();
    values.put("qemu.kernel", VmBench.guest().kernel().toString());
    values.put("qemu.initrd", VmBench.guest().initrd().toString());
    values.put("qemu.kernel_arguments", VmBench.guest().kernelArguments());
    values.put("limits.memory", "384MiB");
    for (int i = 0; i < config.length; i += 2) {
      values.put(config[i], config[i + 1]);
    }
    Machine.Spec plain =
        new Machine.Spec(
            ID,
            "vm",
            Lifetime.DURABLE,
            Config.of(values),
            new TreeMap<>(devices),
            new Machine.Disk(volume, Optional.empty(), Device.IoLimits.NONE),
            new TreeMap<>());
    Map<String, String> chosen = driver().allocate(plain, List.of());
    return with(plain, devices, plain.config().with(chosen));
  }

  /** The same with other devices and keys. */
  static Machine.Spec with(Machine.Spec spec, Map<String, Device> devices, Config config) {
    return new Machine.Spec(
        spec.id(),
        spec.name(),
        spec.lifetime(),
        config,
        new TreeMap<>(devices),
        spec.root(),
        spec.disks());
  }

  /** Starts one, after it was checked. */
  Machine start(Machine.Spec spec) {
    driver().validate(spec);
    return driver().start(spec);
  }

  /** What a script in the guest says, which must succeed. */
  static String run(Machine machine, String script) {
    try (Machine.Exec exec = machine.exec(ExecSpec.of("sh", "-c", script + " 2>&1"))) {
      exec.stdin().close();
      String text = new String(exec.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, exec.await(LONG).orElseThrow(), script + ": " + text);
      return text.strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Waits in the guest, where that takes a moment. */
  static void await(Machine machine, String condition) {
    run(
        machine,
        "for i in $(seq 300); do if "
            + condition
            + "; then exit 0; fi; sleep 0.1; done; echo never; exit 1");
  }
}
