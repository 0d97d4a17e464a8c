package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Where the file systems of volumes are mounted, in the host's namespace: each once, however many
 * use it. A few that nobody uses any more are kept: what is made is looked at next.
 */
final class VolumeMounts {
  private static final int IDLE_KEPT = 16;

  /** The volume's files, beside what a file system has of its own, such as {@code lost+found}. */
  private static final String FILES = "rootfs";

  private final PoolContext pool;
  private final Consumer<ThinVolume> appear;
  private final Path base;
  private final Map<String, Integer> users = new LinkedHashMap<>();
  private long views;
  private boolean closed;

  /**
   * For a pool.
   *
   * @param appear makes the device of a volume appear, ready to be mounted
   */
  VolumeMounts(PoolContext pool, Consumer<ThinVolume> appear) {
    this.pool = pool;
    this.appear = appear;
    this.base = pool.directory().resolve("mnt");
  }

  /** The directory of a volume's files, which stays mounted for a while. */
  synchronized Path files(ThinVolume volume, ThinPool thin) {
    Path target = base.resolve(volume.name());
    Integer count = users.remove(volume.name());
    if (count == null) {
      mount(volume, thin.device(volume), target);
      count = 0;
    }
    users.put(volume.name(), count); // the last one used is the last in order
    dropIdle();
    return target.resolve(FILES);
  }

  /** The same until {@link #release}. */
  synchronized Path use(ThinVolume volume, ThinPool thin) {
    Path files = files(volume, thin);
    users.merge(volume.name(), 1, Integer::sum);
    return files;
  }

  /** Does something with the files of a volume, which stay mounted meanwhile. */
  <T> T with(ThinVolume volume, ThinPool thin, Function<Path, T> work) {
    Path files = use(volume, thin);
    try {
      return work.apply(files);
    } finally {
      release(volume);
    }
  }

  /** Ends a use; does nothing where the volume is gone. */
  synchronized void release(ThinVolume volume) {
    users.computeIfPresent(volume.name(), (name, count) -> Math.max(0, count - 1));
    dropIdle();
  }

  /** Whether somebody uses it. */
  synchronized boolean isUsed(ThinVolume volume) {
    return users.getOrDefault(volume.name(), 0) > 0;
  }

  /** Writes out what was written to a volume so far. */
  void sync(ThinVolume volume, ThinPool thin) {
    with(
        volume,
        thin,
        files -> {
          Set<OpenFlag> flags = Set.of(OpenFlag.READ, OpenFlag.DIRECTORY);
          try (Fd directory = Fd.open(pool.sys(), pool.local(files), flags)) {
            directory.syncFileSystem();
          }
          return files;
        });
  }

  private void mount(ThinVolume volume, Path device, Path target) {
    appear.accept(volume);
    makeDirectory(target);
    try {
      if (!isMounted(target)) {
        Set<Mounts.Flag> flags =
            volume.readOnly()
                ? Set.of(Mounts.Flag.NOATIME, Mounts.Flag.READ_ONLY)
                : Set.of(Mounts.Flag.NOATIME);
        VolumeFormat format = volume.format();
        pool.host()
            .mounts()
            .mount(device.toString(), target, format.type(), flags, format.options());
      }
      prepare(volume, target);
    } catch (RuntimeException e) {
      Undo.after(e, () -> unmount(target));
      throw e;
    }
  }

  /** A new one has no directory for the files; neither has one that a power cut hit. */
  private void prepare(ThinVolume volume, Path target) {
    if (!volume.readOnly()) {
      try (Tree tree = pool.host().tree(pool.local(target), Tree.Resolution.BENEATH)) {
        if (tree.stat(FILES).isEmpty()) {
          tree.mkdir(FILES, 0755);
        }
      }
    }
  }

  /** Shows the files of a volume where they cannot be written to. */
  synchronized Path view(Path files) {
    Path target = base.resolve("view-" + ++views);
    makeDirectory(target);
    try {
      pool.host().mounts().bind(files, target, Set.of(Mounts.Flag.READ_ONLY));
      return target;
    } catch (RuntimeException e) {
      Undo.after(e, () -> unmount(target));
      throw e;
    }
  }

  /** Removes such a view; does nothing where it is gone. */
  synchronized void drop(Path view) {
    if (!closed) {
      unmount(view);
    }
  }

  /** Unmounts a volume, whoever uses it: those keep it until they end. */
  synchronized void forget(ThinVolume volume) {
    users.remove(volume.name());
    unmount(base.resolve(volume.name()));
  }

  private void dropIdle() {
    List<String> idle = new ArrayList<>();
    users.forEach(
        (name, count) -> {
          if (count == 0) {
            idle.add(name);
          }
        });
    for (String name : idle.subList(0, Math.max(0, idle.size() - IDLE_KEPT))) {
      users.remove(name);
      unmount(base.resolve(name));
    }
  }

  private boolean isMounted(Path target) {
    return pool.host().mounts().below(target).stream()
        .anyMatch(entry -> entry.target().equals(target));
  }

  private void unmount(Path target) {
    if (isMounted(target)) {
      pool.host().mounts().unmount(target);
    }
    delete(target);
  }

  private static void makeDirectory(Path directory) {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(directory + ": cannot be made: " + e.getMessage(), e);
    }
  }

  private static void delete(Path directory) {
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(directory + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  /** Unmounts all, also what another JVM left of its directories; machines keep what they use. */
  synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    users.clear();
    for (Path target : targets()) {
      unmount(target);
    }
    delete(base);
  }

  private List<Path> targets() {
    if (Files.notExists(base)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(base)) {
      return all.toList();
    } catch (IOException e) {
      throw new UncheckedIOException(base + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
