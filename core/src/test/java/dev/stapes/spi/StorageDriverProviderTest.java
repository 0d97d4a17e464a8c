package dev.stapes.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a driver sweeps that says nothing about it. */
class StorageDriverProviderTest {
  private static final PoolSpec SPEC = PoolSpec.of("p", "closed");
  private static final Host HOST =
      (Host)
          Proxy.newProxyInstance(
              Host.class.getClassLoader(),
              new Class<?>[] {Host.class},
              (proxy, method, arguments) -> {
                throw new AssertionError(method);
              });

  @TempDir Path directory;

  /** A driver whose pools do not open. */
  private record Closed(Kind why) implements StorageDriverProvider {
    @Override
    public String name() {
      return "closed";
    }

    @Override
    public Availability probe(Host host) {
      return Availability.available();
    }

    @Override
    public List<ConfigKey<?>> poolKeys() {
      return List.of();
    }

    @Override
    public StoragePool create(Host host, PoolSpec spec, Path directory) {
      throw new AssertionError("nothing is made");
    }

    @Override
    public StoragePool open(Host host, PoolSpec spec, Path directory) {
      throw new StapesException(why, "pool p", "the test wants it so");
    }
  }

  private void sweep(Kind why) {
    new Closed(why).sweep(HOST, SPEC, directory, Unfinished.REMOVAL);
  }

  private void stays(Kind why) {
    assertEquals(why, assertThrows(StapesException.class, () -> sweep(why)).kind());
  }

  @Test
  void a_pool_that_is_not_found_is_gone() throws IOException {
    sweep(Kind.NOT_FOUND);
    Files.createFile(directory.resolve("mark"));
    sweep(Kind.NOT_FOUND);
  }

  @Test
  void one_that_cannot_be_opened_is_gone_where_its_directory_has_nothing() throws IOException {
    sweep(Kind.UNAVAILABLE);
    new Closed(Kind.UNAVAILABLE)
        .sweep(HOST, SPEC, directory.resolve("never made"), Unfinished.REMOVAL);
    stays(Kind.BUSY);
    Files.createFile(directory.resolve("mark"));
    stays(Kind.UNAVAILABLE);
  }

  @Test
  void nothing_is_opened_after_a_creation() {
    new Closed(Kind.INTERNAL).sweep(HOST, SPEC, directory, Unfinished.CREATION);
  }
}
