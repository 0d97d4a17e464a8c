package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;

/** A disk in a sparse file with a loop device over it; both go with the JVM at the latest. */
final class TestDisk implements AutoCloseable {
  private final Path image;
  private final Path mountPoint;
  private final LoopDevice device;
  private String type = "";

  private TestDisk(Path image, Path mountPoint, LoopDevice device) {
    this.image = image;
    this.mountPoint = mountPoint;
    this.device = device;
  }

  /** A disk with nothing on it. */
  static TestDisk blank(long bytes) {
    try {
      Path image = Files.createTempFile("disk", ".img").toRealPath();
      image.toFile().deleteOnExit();
      Path mountPoint = Files.createTempDirectory("disk").toRealPath();
      mountPoint.toFile().deleteOnExit();
      try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
        file.setLength(bytes);
      }
      return new TestDisk(image, mountPoint, LoopDevice.of(Syscalls.system(), image, false));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A disk with an empty file system. */
  static TestDisk formatted(String type) {
    TestDisk disk = blank(1L << 30);
    try (Host host = openHost()) {
      host.programs().run(Command.of("mkfs." + type, disk.device.path().toString()));
    }
    disk.type = type;
    return disk;
  }

  static Host openHost() {
    return ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  }

  /** The device. */
  Path device() {
    return device.path();
  }

  /** A directory on it, where a host has it mounted. */
  Path directory(String name) {
    return mountPoint.resolve(name);
  }

  /** Mounts it in the namespace of a host, and makes some directories on it. */
  Host mountedIn(Host host, Iterable<String> directories) {
    host.mounts().mount(device.path().toString(), mountPoint, type, Set.of(), "");
    try {
      for (String name : directories) {
        Files.createDirectories(host.mounts().local(directory(name)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return host;
  }

  /** Whether there is nothing on it and nobody has it mounted. */
  boolean isFree() {
    try (Fd open =
        Fd.open(
            Syscalls.system(),
            device.path(),
            Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.EXCLUSIVE))) {
      ByteBuffer start = ByteBuffer.allocateDirect(1 << 17);
      open.read(start, 0);
      start.flip();
      return start.equals(ByteBuffer.allocate(start.limit()));
    } catch (LinuxException e) {
      if (e.is(Errno.EBUSY)) {
        return false;
      }
      throw e;
    }
  }

  /** Makes it larger. */
  void grow(long bytes) {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    device.refreshSize();
  }

  @Override
  public void close() {
    device.close();
    try {
      Files.deleteIfExists(image);
      Files.deleteIfExists(mountPoint);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
