package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A host and a pool in a directory of their own, taken down at the end of each test. */
final class StorageBench implements AutoCloseable {
  private final StorageVolumeTests contract;
  private final StorageDriverProvider provider;
  private final PoolSpec spec;
  private final Path directory;
  private final Set<String> before;
  private final Faults faults;
  private Host host;
  private StoragePool pool;
  private boolean destroyed;

  private StorageBench(StorageVolumeTests contract, Faults faults) {
    this.contract = contract;
    this.faults = faults;
    try {
      directory = Files.createTempDirectory("storage-contract").toRealPath();
      Files.createDirectory(directory.resolve("pool"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    before = contract.leftovers(directory);
    provider = contract.provider(faults);
    spec = contract.poolSpec();
    host = openHost();
    pool = provider.create(host, spec, poolDirectory());
    faults.count();
  }

  static StorageBench open(StorageVolumeTests contract) {
    return new StorageBench(contract, new Faults());
  }

  /** With faults to be planned, in what the driver does to the host. */
  static StorageBench open(StorageVolumeTests contract, Faults faults) {
    return new StorageBench(contract, faults);
  }

  Host openHost() {
    return faults.wrap(Host.class, contract.openHost());
  }

  Host host() {
    return host;
  }

  StoragePool pool() {
    return pool;
  }

  StorageDriverProvider provider() {
    return provider;
  }

  PoolSpec spec() {
    return spec;
  }

  /** A directory for the test's own. */
  Path directory() {
    return directory;
  }

  Path poolDirectory() {
    return directory.resolve("pool");
  }

  /** Closes pool and host and opens both again, as a JVM that ended and began. */
  void reopen() {
    pool.close();
    host.close();
    host = openHost();
    pool = provider.open(host, spec, poolDirectory());
  }

  /** Lets go of the host and all that was done through it, without closing the pool. */
  void crash() {
    faults.count();
    host.close();
    host = openHost();
    pool = provider.open(host, spec, poolDirectory());
  }

  void destroy() {
    pool.destroy();
    destroyed = true;
  }

  /** The test destroyed the pool in its own way. */
  void forgetPool() {
    destroyed = true;
  }

  void withTree(VolumeId id, Consumer<Tree> work) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
      work.accept(tree);
    }
  }

  Map<String, String> picture(VolumeId id) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
      return TreePicture.of(tree);
    }
  }

  /** All volumes with all their content. */
  Map<VolumeId, Map<String, String>> state() {
    Map<VolumeId, Map<String, String>> state = new TreeMap<>();
    pool.list().forEach(id -> state.put(id, picture(id)));
    return state;
  }

  void writeText(VolumeId id, String path, String text) {
    withTree(id, tree -> TreePicture.write(tree, path, text));
  }

  @Override
  public void close() {
    faults.count();
    try {
      if (!destroyed) {
        destroy();
      }
    } finally {
      host.close();
    }
    assertEquals(Set.of(), files(poolDirectory()), "left in the pool's directory");
    delete(directory);
    assertEquals(before, contract.leftovers(directory), "left on the machine");
  }

  private static Set<String> files(Path below) {
    return dev.stapes.testkit.HostLeftovers.filesBelow(below);
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
