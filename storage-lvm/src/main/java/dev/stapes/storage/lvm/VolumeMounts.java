package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the file systems of volumes are mounted, in the host's namespace: each once, however many
 * use it. A few that nobody uses any more are kept: what is made is looked at next. Who waits for
 * one volume to be mounted or unmounted keeps nobody from the others.
 */
final class VolumeMounts {
  private static final Logger LOG = LoggerFactory.getLogger(VolumeMounts.class);
  private static final int IDLE_KEPT = 16;

  /** The volume's files, beside what a file system has of its own, such as {@code lost+found}. */
  private static final String FILES = "rootfs";

  private final PoolContext pool;
  private final Consumer<ThinVolume> appear;
  private final Consumer<String> vanish;
  private final Path base;

  /** In the order of their last use. Who has the monitor of a place may take that of this. */
  private final Map<String, Place> places = new LinkedHashMap<>();

  private final AtomicLong lastView = new AtomicLong();

  /** Held while views and all that is left are unmounted. */
  private final Object closing = new Object();

  private boolean closed;

  /** Of one volume; its monitor is held while it is mounted and unmounted. */
  private static final class Place {
    private final String name;
    private final Path target;

    /** Guarded by the monitor of all. */
    private int users;

    /** Whether it has its device, and may be mounted. Guarded by its own. */
    private boolean mounted;

    /** Whether it is, and has its directory for the files. Guarded by its own. */
    private boolean ready;

    Place(String name, Path base) {
      this.name = name;
      this.target = base.resolve(name);
    }
  }

  /**
   * For a pool.
   *
   * @param appear makes the device of a volume appear, ready to be mounted
   * @param vanish lets it go, by the name of the logical volume, after each time
   */
  VolumeMounts(PoolContext pool, Consumer<ThinVolume> appear, Consumer<String> vanish) {
    this.pool = pool;
    this.appear = appear;
    this.vanish = vanish;
    this.base = pool.directory().resolve("mnt");
  }

  /** A volume that stays mounted until {@link #release}. */
  static final class Use {
    private final ThinVolume volume;
    private final Place place;

    private Use(ThinVolume volume, Place place) {
      this.volume = volume;
      this.place = place;
    }

    /** As it was when it was mounted. */
    ThinVolume volume() {
      return volume;
    }

    /** The directory of its files. */
    Path files() {
      return place.target.resolve(FILES);
    }

    /** Where its file system is mounted. */
    Path mountPoint() {
      return place.target;
    }
  }

  /** Makes sure that a volume can be mounted, and leaves it so for a while. */
  void files(Supplier<ThinVolume> which, PoolVolumes volumes) {
    release(use(which, volumes));
  }

  /**
   * Mounts a volume where it is not.
   *
   * @param which says which one it is now: while this waits, another one may take its place
   */
  Use use(Supplier<ThinVolume> which, PoolVolumes volumes) {
    while (true) {
      ThinVolume volume = which.get();
      Place place = enter(volume);
      try {
        synchronized (place) {
          ThinVolume now = which.get();
          if (now.name().equals(volume.name()) && isKnown(volume, place)) {
            if (!place.ready) {
              mount(now, volumes.device(now.name()), place);
            }
            return new Use(now, place);
          }
        }
      } catch (RuntimeException e) {
        Undo.after(e, () -> leave(volume, place));
        throw e;
      }
      leave(volume, place);
    }
  }

  private synchronized boolean isKnown(ThinVolume volume, Place place) {
    return places.get(volume.name()) == place;
  }

  /** One user more, who is the last one in order. */
  private synchronized Place enter(ThinVolume volume) {
    Place known = places.remove(volume.name());
    Place place = known == null ? new Place(volume.name(), base) : known;
    places.put(volume.name(), place);
    place.users++;
    return place;
  }

  /** One user less of a place that could not be mounted. */
  private void leave(ThinVolume volume, Place place) {
    synchronized (place) {
      synchronized (this) {
        place.users--;
        if (place.users == 0 && !place.mounted) {
          places.remove(volume.name(), place);
        }
      }
    }
  }

  /** Does something with the files of a volume, which stay mounted meanwhile. */
  <T> T with(Supplier<ThinVolume> which, PoolVolumes volumes, Function<Use, T> work) {
    Use use = use(which, volumes);
    try {
      return work.apply(use);
    } finally {
      release(use);
    }
  }

  /** Ends a use. */
  void release(Use use) {
    synchronized (this) {
      use.place.users--;
    }
    dropIdle(use.place);
  }

  /**
   * Does something with a volume that is not mounted, and is not by anybody meanwhile.
   *
   * @throws StapesException BUSY where somebody uses it
   */
  <T> T unmounted(ThinVolume volume, Supplier<T> work) {
    Place place = enter(volume);
    try {
      synchronized (place) {
        synchronized (this) {
          if (place.users > 1 || !isKnown(volume, place)) {
            throw new StapesException(Kind.BUSY, "volume " + volume.id(), "somebody uses it");
          }
        }
        unmount(place);
        return work.get();
      }
    } finally {
      leave(volume, place);
    }
  }

  /** Writes out what was written to a volume so far. */
  void sync(Supplier<ThinVolume> which, PoolVolumes volumes) {
    with(
        which,
        volumes,
        use -> {
          Set<OpenFlag> flags = Set.of(OpenFlag.READ, OpenFlag.DIRECTORY);
          try (Fd directory = Fd.open(pool.sys(), pool.local(use.files()), flags)) {
            directory.syncFileSystem();
          }
          return use;
        });
  }

  private void mount(ThinVolume volume, Path device, Place place) {
    Path target = place.target;
    if (!place.mounted) {
      appear.accept(volume);
      place.mounted = true;
    }
    try {
      makeDirectory(target);
      if (!isMounted(target)) {
        Set<Mounts.Flag> flags =
            volume.readOnly()
                ? Set.of(Mounts.Flag.NOATIME, Mounts.Flag.READ_ONLY)
                : Set.of(Mounts.Flag.NOATIME);
        VolumeFormat format = volume.files();
        pool.host()
            .mounts()
            .mount(device.toString(), target, format.type(), flags, format.options());
      }
      prepare(volume, target);
      place.ready = true;
    } catch (RuntimeException e) {
      Undo.after(e, () -> unmount(place));
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
  Path view(Path files) {
    Path target = base.resolve("view-" + lastView.incrementAndGet());
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
  void drop(Path view) {
    synchronized (closing) {
      if (!closed) {
        unmount(view);
      }
    }
  }

  /** Unmounts a volume, whoever uses it: those keep it until they end. */
  void forget(ThinVolume volume) {
    Place place = enter(volume);
    try {
      synchronized (place) {
        unmount(place);
        synchronized (this) {
          places.remove(volume.name(), place);
        }
      }
    } finally {
      leave(volume, place);
    }
  }

  /** The same for a volume that nobody finds any more, where somebody found it before. */
  void forgetAgain(ThinVolume volume) {
    boolean known;
    synchronized (this) {
      known = places.containsKey(volume.name());
    }
    if (known) {
      forget(volume);
    }
  }

  /** Unmounts what nobody uses, beyond what is kept; what cannot be now is tried again later. */
  void dropIdle() {
    idle().forEach(this::dropForNow);
  }

  /** The same after a use of one; that others cannot be unmounted is not told to its user. */
  private void dropIdle(Place used) {
    List<Place> idle = idle();
    idle.stream().filter(place -> place != used).forEach(this::dropForNow);
    if (idle.contains(used)) {
      drop(used);
    }
  }

  private void dropForNow(Place place) {
    try {
      drop(place);
    } catch (RuntimeException e) {
      LOG.warn("{}: {} stays mounted for now", pool.subject(), place.name, e);
    }
  }

  private void drop(Place place) {
    synchronized (place) {
      if (isIdle(place)) {
        unmount(place);
        forgetIdle(place);
      }
    }
  }

  private synchronized boolean isIdle(Place place) {
    return place.users == 0 && places.get(place.name) == place;
  }

  /** Who came meanwhile waits for this place, and mounts it again. */
  private synchronized void forgetIdle(Place place) {
    if (place.users == 0) {
      places.remove(place.name, place);
    }
  }

  private synchronized List<Place> idle() {
    List<Place> idle = places.values().stream().filter(place -> place.users == 0).toList();
    int kept = pool.isShared() ? 0 : IDLE_KEPT; // another machine may be about to take them over
    return idle.subList(0, Math.max(0, idle.size() - kept));
  }

  private boolean isMounted(Path target) {
    return pool.host().mounts().below(target).stream()
        .anyMatch(entry -> entry.target().equals(target));
  }

  /** What cannot be unmounted keeps its device. */
  private void unmount(Place place) {
    try {
      unmount(place.target);
    } catch (RuntimeException e) {
      Undo.after(e, () -> vanishUnlessMounted(place));
      throw e;
    }
    vanish(place);
  }

  private void vanishUnlessMounted(Place place) {
    if (!isMounted(place.target)) {
      vanish(place);
    }
  }

  private void vanish(Place place) {
    place.ready = false;
    if (place.mounted) {
      place.mounted = false;
      vanish.accept(place.name);
    }
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

  /** What is no mount point but has files stays: somebody copied them here. */
  private static void delete(Path directory) {
    try {
      Files.deleteIfExists(directory);
    } catch (DirectoryNotEmptyException e) {
      LOG.warn("{}: not empty, and stays", directory);
    } catch (IOException e) {
      throw new UncheckedIOException(directory + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  /** Unmounts all, also what another JVM left of its directories; machines keep what they use. */
  void close() {
    synchronized (closing) {
      if (closed) {
        return;
      }
      closed = true;
      unmountAll();
    }
  }

  /**
   * The same without an end: who uses a volume next mounts it again. One that cannot be unmounted
   * keeps nobody from the others.
   */
  void unmountAll() {
    List<Place> all;
    synchronized (this) {
      all = List.copyOf(places.values());
    }
    List<Runnable> steps =
        List.of(
            () -> each(all, this::unmountNow),
            () -> each(unknown(), this::unmount),
            () -> delete(base));
    synchronized (closing) { // who drops a view unmounts it, too
      each(steps, Runnable::run);
    }
  }

  private void unmountNow(Place place) {
    synchronized (place) {
      unmount(place);
      synchronized (this) {
        places.remove(place.name, place);
      }
    }
  }

  /** What is no place of a volume: views, and what another JVM left. */
  private List<Path> unknown() {
    List<Path> all = targets();
    synchronized (this) {
      List<Path> known = places.values().stream().map(place -> place.target).toList();
      return all.stream().filter(target -> !known.contains(target)).toList();
    }
  }

  /** Unmounts what a JVM has left that was killed; machines keep what they use. */
  void tidy() {
    try {
      each(targets(), this::unmount);
    } catch (RuntimeException e) {
      LOG.warn("{}: something stays mounted below {}", pool.subject(), base, e);
    }
  }

  /** Does something with each, also after one of them failed. */
  private static <T> void each(List<T> all, Consumer<T> work) {
    RuntimeException first = null;
    for (T one : all) {
      try {
        work.accept(one);
      } catch (RuntimeException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
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
