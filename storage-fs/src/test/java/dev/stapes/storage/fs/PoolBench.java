package dev.stapes.storage.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** A host and a pool in a directory of its own; fails at the end if anything is left. */
final class PoolBench implements AutoCloseable {
  static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  static final VolumeId C = new VolumeId(VolumeId.Kind.SNAPSHOT, "c");

  /** How long the kernel may take to let go of what nobody uses any more. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  final StorageDriverProvider provider;
  final PoolSpec spec;
  final Path directory;
  Host host;
  StoragePool pool;

  PoolBench(StorageDriverProvider provider, PoolSpec spec) {
    this.provider = provider;
    this.spec = spec;
    try {
      this.directory = Files.createTempDirectory("pool-bench").toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.host = TestDisk.openHost();
    this.pool = provider.create(host, spec, directory);
  }

  /** Closes all and opens it again. */
  void reopen() {
    pool.close();
    host.close();
    host = TestDisk.openHost();
    pool = provider.open(host, spec, directory);
  }

  /** Where the JVM reaches a path of the pool's directory. */
  Path local(String path) {
    return host.mounts().local(directory.resolve(path));
  }

  void write(VolumeId id, String path, String text) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        OutputStream out = tree.write(path, 0644)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String read(VolumeId id, String path) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        InputStream in = tree.read(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<String> names(VolumeId id, String path) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
      return tree.list(path);
    }
  }

  @Override
  public void close() {
    try {
      pool.destroy();
    } finally {
      host.close();
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory), "left in the pool's directory");
    assertEquals(Set.of(), HostLeftovers.staying(PATIENCE, directory), "left on the machine");
    delete(directory);
  }

  static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
