package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A host, a driver and roots in a directory of their own, taken down at the end of each test. */
final class InstanceBench implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final InstanceExecTests contract;
  private final Faults faults;
  private final Path directory;
  private final InstanceDriverProvider provider;
  private final InstanceDriverProvider.Scope scope;
  private final Set<String> before;
  private final Map<InstanceId, Machine.Disk> roots = new TreeMap<>();
  private final Map<InstanceId, Config> configs = new TreeMap<>();
  private Host host;
  private InstanceDriver driver;

  private InstanceBench(InstanceExecTests contract, Faults faults) {
    this.contract = contract;
    this.faults = faults;
    try {
      directory = Files.createTempDirectory(contract.parent(), "instance-contract").toRealPath();
      // The root inside is another uid outside, which must find its way to its root disk.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
      Files.createDirectory(directory.resolve("run"));
      Files.createDirectory(directory.resolve("logs"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String tag = String.format(Locale.ROOT, "tk%06x", RANDOM.nextInt(1 << 24));
    scope =
        new InstanceDriverProvider.Scope(directory.resolve("run"), directory.resolve("logs"), tag);
    before = leftovers();
    provider = contract.provider(faults);
    host = openHost();
    driver = provider.open(host, scope);
    faults.count();
  }

  static InstanceBench open(InstanceExecTests contract, Faults faults) {
    return new InstanceBench(contract, faults);
  }

  private Host openHost() {
    return faults.wrap(Host.class, contract.openHost());
  }

  Host host() {
    return host;
  }

  InstanceDriver driver() {
    return driver;
  }

  /** Where a driver keeps what an instance wrote to its console. */
  Path consoleLog(String id) {
    return scope.consoleLog(new InstanceId(id));
  }

  InstanceDriverProvider provider() {
    return provider;
  }

  /** A spec of an instance with a root disk that is made at the first call for its id. */
  Machine.Spec spec(String id, Lifetime lifetime, Map<String, String> config) {
    InstanceId instance = new InstanceId(id);
    Machine.Disk root = roots.computeIfAbsent(instance, this::root);
    List<Config> others = new ArrayList<>(configs.values());
    others.remove(configs.get(instance));
    Config before =
        configs.getOrDefault(instance, Config.empty().with(contract.config())).with(config);
    Config whole = before.with(driver.allocate(before, others));
    configs.put(instance, whole);
    return new Machine.Spec(
        instance, "box-" + id, lifetime, whole, new TreeMap<>(), root, new TreeMap<>());
  }

  private Machine.Disk root(InstanceId id) {
    try {
      return contract.root(host, Files.createDirectory(directory.resolve("root-" + id)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same spec with its root where nothing is. */
  Machine.Spec withoutRoot(Machine.Spec spec) {
    Machine.Disk missing =
        new Machine.Disk(directory.resolve("missing"), spec.root().mapped(), Device.IoLimits.NONE);
    return spec.with(missing, Map.of());
  }

  /** Another driver for the same scope on the same host, as after an end of the JVM. */
  void reopen() {
    driver.close();
    driver = provider.open(host, scope);
  }

  Set<String> leftovers() {
    return contract.leftovers(directory, scope.tag());
  }

  @Override
  public void close() {
    faults.count();
    try {
      driver.collect(Set.of());
    } finally {
      driver.close();
      contract.release(host, List.copyOf(roots.values()));
      host.close();
    }
    assertEquals(before, leftovers(), "left on the machine");
    assertEquals(
        Set.of(),
        dev.stapes.testkit.HostLeftovers.filesBelow(scope.runDirectory()),
        "left in the run directory");
    delete();
  }

  private void delete() {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
