package dev.stapes.storage.zfs;

import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;

/** A zpool in a file, for pools in its datasets; it goes with the JVM. */
final class TestZpool {
  private static final long BYTES = 1L << 30;

  private final Host host = openHost();
  private final String name;
  private final Path file;
  private int last;

  private TestZpool(String name) {
    this.name = name;
    try {
      file = Files.createTempFile("zpool", ".img").toRealPath();
      try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
        open.setLength(BYTES);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    run("zpool", "create", "-m", "none", "-o", "cachefile=none", name, file.toString());
    Runtime.getRuntime().addShutdownHook(new Thread(this::destroy, "destroys " + name));
  }

  /** The one of this JVM: to make one takes longer than most tests. */
  static TestZpool shared() {
    return Shared.ZPOOL;
  }

  static Host openHost() {
    return ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  }

  /** A new dataset, empty. */
  synchronized String dataset() {
    last++;
    String dataset = name + "/" + last;
    run("zfs", "create", dataset);
    return dataset;
  }

  private void run(String... command) {
    host.programs().run(Command.of(command));
  }

  private void destroy() {
    try (host) {
      run("zpool", "destroy", "-f", name);
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Made when the first test wants it. */
  private static final class Shared {
    static final TestZpool ZPOOL = new TestZpool("t" + ProcessHandle.current().pid());
  }
}
