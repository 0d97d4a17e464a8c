package dev.stapes.storage.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a sweep takes for gone. */
class DirSweepTest {
  @TempDir Path directory;

  /** The file system that it is on may not be mounted yet. */
  @Test
  void a_pool_whose_source_is_missing_may_come_back_and_an_empty_one_is_gone() throws IOException {
    Path own = Files.createDirectory(directory.resolve("own"));
    Path source = directory.resolve("data");
    PoolSpec spec = PoolSpec.of("test", "dir").source(source.toString());
    DirProvider provider = new DirProvider();
    try (FakeHost host = FakeHost.create()) {
      StapesException error =
          assertThrows(
              StapesException.class, () -> provider.sweep(host, spec, own, Unfinished.REMOVAL));
      assertEquals(Kind.UNAVAILABLE, error.kind(), error.toString());
      Files.createDirectory(source);
      provider.sweep(host, spec, own, Unfinished.REMOVAL);
      PoolSpec inside = PoolSpec.of("test", "dir");
      provider.sweep(host, inside, own, Unfinished.REMOVAL);
    }
  }

  @Test
  void a_removal_that_was_cut_short_is_finished() throws IOException {
    Path own = Files.createDirectory(directory.resolve("own"));
    Path source = Files.createDirectory(directory.resolve("data"));
    PoolSpec spec = PoolSpec.of("test", "dir").source(source.toString());
    DirProvider provider = new DirProvider();
    try (FakeHost host = FakeHost.create()) {
      provider.create(host, spec, own).close();
      Files.delete(source.resolve("instances"));
      Files.delete(source.resolve("incoming"));
      Files.writeString(source.resolve("trash").resolve("old"), "data of users");
      provider.sweep(host, spec, own, Unfinished.REMOVAL);
      assertTrue(PoolDirectory.isEmpty(Syscalls.system(), source));
    }
  }

  /** As at a mount point that nothing is mounted at. */
  @Test
  void another_directory_in_place_of_the_source_is_not_taken_for_it() throws IOException {
    Path own = Files.createDirectory(directory.resolve("own"));
    Path source = Files.createDirectory(directory.resolve("data"));
    Path mounted = directory.resolve("mounted");
    PoolSpec spec = PoolSpec.of("test", "dir").source(source.toString());
    DirProvider provider = new DirProvider();
    try (FakeHost host = FakeHost.create()) {
      provider.create(host, spec, own).close();
      Files.move(source, mounted);
      Files.createDirectory(source);
      StapesException error =
          assertThrows(
              StapesException.class, () -> provider.sweep(host, spec, own, Unfinished.REMOVAL));
      assertEquals(Kind.UNAVAILABLE, error.kind(), error.toString());
      assertTrue(PoolDirectory.isEmpty(Syscalls.system(), source));
      Files.delete(source);
      Files.move(mounted, source);
      provider.sweep(host, spec, own, Unfinished.REMOVAL);
      assertTrue(PoolDirectory.isEmpty(Syscalls.system(), source));
      assertEquals(Set.of(), HostLeftovers.filesBelow(own));
    }
  }

  @Test
  void a_pool_that_was_moved_to_another_directory_is_known_by_that_once_it_was_opened()
      throws IOException {
    Path own = Files.createDirectory(directory.resolve("own"));
    Path source = Files.createDirectory(directory.resolve("data"));
    PoolSpec spec = PoolSpec.of("test", "dir").source(source.toString());
    DirProvider provider = new DirProvider();
    try (FakeHost host = FakeHost.create()) {
      provider.create(host, spec, own).close();
      Files.move(source, directory.resolve("old"));
      Path copy = Files.createDirectory(directory.resolve("copy"));
      PoolSpec there = PoolSpec.of("test", "dir").source(copy.toString());
      Path other = Files.createDirectory(directory.resolve("other"));
      provider.create(host, there, other).close();
      Files.move(copy, source);
      provider.open(host, spec, own).close();
      provider.sweep(host, spec, own, Unfinished.REMOVAL);
      assertTrue(PoolDirectory.isEmpty(Syscalls.system(), source));
    }
  }
}
