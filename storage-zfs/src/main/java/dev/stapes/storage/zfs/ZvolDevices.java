package dev.stapes.storage.zfs;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The devices of zvols: the kernel calls them zd0, zd16 and so on, whatever their datasets are
 * called, and says which is whose when it is asked. Links that udev makes are not needed.
 */
final class ZvolDevices {
  /** {@code _IOR(0x12, 125, char[256])} of {@code sys/fs/zfs.h}. */
  private static final int BLKZNAME = 0x8100127d;

  private static final int NAME_SIZE = 256;
  private static final Path BLOCK = Path.of("/sys/block");
  private static final Path DEV = Path.of("/dev");

  /** The kernel makes devices behind the command that makes their datasets. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final long TICK_MILLIS = 100;

  private final PoolContext pool;
  private final Path dev;
  private final Path block;
  private final Owners owners;
  private final Duration patience;
  private final Syscalls sys = Syscalls.system();

  /** What the kernel tells of a device. */
  @FunctionalInterface
  interface Owners {
    /**
     * The name of its zvol; empty text for a device of anything else.
     *
     * @throws LinuxException where it cannot be opened
     */
    String of(Path node);
  }

  ZvolDevices(PoolContext pool) {
    this(pool, DEV, BLOCK, ZvolDevices::owner, PATIENCE);
  }

  /**
   * Those of any machine.
   *
   * @param dev the directory of devices
   * @param block the directory in which the kernel lists those that are block devices
   * @param patience how long a new one is waited for
   */
  ZvolDevices(PoolContext pool, Path dev, Path block, Owners owners, Duration patience) {
    this.pool = pool;
    this.dev = dev;
    this.block = block;
    this.owners = owners;
    this.patience = patience;
  }

  /**
   * A search for the device of a zvol.
   *
   * @param zvol what it is called now
   */
  Search search(Supplier<DatasetName> zvol) {
    return new Search(zvol);
  }

  /** A search for one device, which is looked for again while its zvol is new. */
  final class Search {
    private final Supplier<DatasetName> zvol;

    /** Why a device could not be opened, which may be the one. */
    private @Nullable LinuxException refused;

    private Search(Supplier<DatasetName> zvol) {
      this.zvol = zvol;
    }

    /** The device, if there is one now. */
    Optional<Path> look() {
      DatasetName name = zvol.get();
      refused = null;
      Path link = dev.resolve("zvol").resolve(name.text());
      try {
        if (Files.exists(link) && isOf(link.toRealPath(), name)) {
          return Optional.of(link.toRealPath());
        }
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(block, "zd*")) {
          for (Path entry : devices) {
            Path node = node(entry);
            if (isOf(node, name)) {
              return Optional.of(node);
            }
          }
        }
        return Optional.empty();
      } catch (NoSuchFileException e) {
        return Optional.empty(); // one has gone meanwhile: they are looked through again
      } catch (IOException e) {
        throw pool.failed(e, "devices cannot be listed");
      }
    }

    /**
     * What goes meanwhile is not the one; one that nobody may open may be, or is another pool's,
     * such as a locked one.
     */
    private boolean isOf(Path node, DatasetName name) {
      try {
        return owners.of(node).equals(name.text());
      } catch (LinuxException e) {
        if (e.is(Errno.EACCES, Errno.EPERM)) {
          refused = e;
        }
        return false;
      }
    }

    /**
     * Waits for it.
     *
     * @param attempt what is tried, again each time that there may be a device: it begins with
     *     {@link #look}, and is empty where there is none; nothing is held between two
     */
    <T> T await(Supplier<Optional<T>> attempt) {
      long end = System.nanoTime() + patience.toNanos();
      Optional<T> found = attempt.get();
      if (found.isPresent()) {
        return found.get();
      }
      try (WatchService watch = dev.getFileSystem().newWatchService()) {
        dev.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
        while (System.nanoTime() - end < 0) {
          found = attempt.get();
          if (found.isPresent()) {
            return found.get();
          }
          WatchKey key = watch.poll(TICK_MILLIS, TimeUnit.MILLISECONDS);
          if (key != null) {
            key.pollEvents();
            key.reset();
          }
        }
        throw missed();
      } catch (IOException e) {
        throw pool.failed(e, dev + ": cannot be watched");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw pool.failure(Kind.INTERRUPTED, "interrupted while it waited for a device", e);
      }
    }

    private StapesException missed() {
      String problem = "the kernel has made no device for " + zvol.get();
      LinuxException why = refused;
      return why == null
          ? pool.failure(Kind.TIMED_OUT, problem)
          : pool.failure(
              Kind.DENIED,
              problem
                  + ", unless it is one that cannot be opened; are devices allowed there? "
                  + why.getMessage(),
              why);
    }
  }

  /** That of devtmpfs, or one of our own where there is none. */
  private synchronized Path node(Path entry) throws IOException {
    Path usual = dev.resolve(entry.getFileName());
    if (Files.exists(usual)) {
      return usual;
    }
    Path own = pool.directory().resolve("dev");
    String name = entry.getFileName().toString();
    Files.createDirectories(own);
    try (FileTree tree = FileTree.open(sys, pool.local(own), FileTree.Resolution.BENEATH)) {
      if (tree.stat(name).isEmpty()) {
        String[] number = Files.readString(entry.resolve("dev")).strip().split(":", 2);
        DeviceNumber device =
            new DeviceNumber(Integer.parseInt(number[0]), Integer.parseInt(number[1]));
        tree.mknod(name, FileKind.BLOCK_DEVICE, 0600, device);
      }
    }
    return own.resolve(name);
  }

  private static String owner(Path node) {
    Syscalls sys = Syscalls.system();
    try (Fd device = Fd.open(sys, node, Set.of(OpenFlag.READ))) {
      ByteBuffer name = Syscalls.buffer(NAME_SIZE);
      if (sys.libc().ioctl(device.number(), BLKZNAME, name) < 0) {
        return "";
      }
      byte[] bytes = new byte[NAME_SIZE];
      name.get(bytes);
      String text = new String(bytes, StandardCharsets.UTF_8);
      return text.substring(0, Math.max(0, text.indexOf('\0')));
    }
  }

  /** Removes the nodes that were made here. */
  void remove() {
    Path own = pool.directory().resolve("dev");
    if (Files.isDirectory(own)) {
      try (DirectoryStream<Path> nodes = Files.newDirectoryStream(own)) {
        for (Path node : nodes) {
          Files.delete(node);
        }
        Files.delete(own);
      } catch (IOException e) {
        throw pool.failed(e, own + ": cannot be removed");
      }
    }
  }

  /** A view of a device through which nobody can write; it goes with its last user. */
  LoopDevice readOnly(Path device) {
    try {
      return LoopDevice.readOnly(sys, device);
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, pool.subject(), "no read-only device: " + e.getMessage(), e);
    }
  }
}
