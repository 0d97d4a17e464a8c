package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Undo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts of datasets and snapshots in the host's mount namespace, one for each however many use it,
 * by mount(2) alone: their mountpoint is {@code legacy}, so no program of ZFS mounts them. The
 * mount points lie on a small tmpfs of its own, so that none is left on the disk.
 */
final class DatasetMounts {
  private static final Logger LOG = LoggerFactory.getLogger(DatasetMounts.class);
  private static final String TYPE = "tmpfs";
  private static final String SOURCE = "stapes-zfs";

  private final PoolContext pool;
  private final BooleanSupplier stuck;
  private final Path base;
  private final Map<Place, Mounted> mounts = new HashMap<>();
  private long last;
  private boolean based;

  /** A mount. Its monitor is held while it is made or removed, and is taken before that of all. */
  private static final class Mounted {
    Place place;
    int users;
    @Nullable Path path;

    Mounted(Place place) {
      this.place = place;
    }

    Path path() {
      return Objects.requireNonNull(path, "not mounted");
    }
  }

  /**
   * Those of a pool.
   *
   * @param stuck whether its zpool has stopped
   */
  DatasetMounts(PoolContext pool, BooleanSupplier stuck) {
    this.pool = pool;
    this.stuck = stuck;
    this.base = pool.directory().resolve("mnt");
  }

  /** A place in use at a path, until it is closed. */
  final class Use implements AutoCloseable {
    private final Mounted mounted;
    private final Path path;
    private final @Nullable Path view;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Use(Mounted mounted, @Nullable Path view) {
      this.mounted = mounted;
      this.path = mounted.path();
      this.view = view;
    }

    /** Where it is. */
    Path path() {
      return view == null ? path : view;
    }

    @Override
    public void close() {
      if (!closed.getAndSet(true)) {
        release(mounted, view);
      }
    }
  }

  /** Mounts a place, or uses the mount that there is. Other places are not waited for. */
  Use use(Place place, boolean readOnly) {
    Mounted mounted = claim(place);
    try {
      synchronized (mounted) {
        if (mounted.path == null) {
          mounted.path = mount(place);
        }
        boolean viewed = readOnly && !place.isSnapshot();
        return new Use(mounted, viewed ? view(mounted.path()) : null);
      }
    } catch (RuntimeException e) {
      Undo.after(e, () -> release(mounted, null));
      throw e;
    }
  }

  private synchronized Mounted claim(Place place) {
    Mounted mounted = mounts.computeIfAbsent(place, Mounted::new);
    mounted.users++;
    return mounted;
  }

  /** The answer is whether nobody is left who uses it: then it is no more among the mounts. */
  private synchronized boolean leave(Mounted mounted) {
    mounted.users--;
    return mounted.users == 0 && mounts.remove(mounted.place, mounted);
  }

  /** Whether it is there; where all of them were closed nothing has to be done any more. */
  private synchronized boolean isThere(Mounted mounted) {
    return mounts.get(mounted.place) == mounted;
  }

  /** Says that a place has another name, and with a dataset its snapshots; mounts do not mind. */
  synchronized void moved(Place from, Place to) {
    for (Mounted mounted : List.copyOf(mounts.values())) {
      Place old = mounted.place;
      boolean along = !from.isSnapshot() && old.dataset().equals(from.dataset());
      if (along || old.equals(from)) {
        mounts.remove(old);
        mounted.place = along ? new Place(to.dataset(), old.snapshot()) : to;
        mounts.put(mounted.place, mounted);
      }
    }
  }

  /** What is mounted now. */
  synchronized Set<Place> inUse() {
    return Set.copyOf(mounts.keySet());
  }

  /**
   * The kernel may wait for the zpool, which may stop at any moment: so a thread of its own mounts,
   * and is not waited for then.
   */
  private Path mount(Place place) {
    requireGoing();
    Set<Mounts.Flag> flags =
        place.isSnapshot()
            ? Set.of(Mounts.Flag.READ_ONLY, Mounts.Flag.NOATIME)
            : Set.of(Mounts.Flag.NOATIME);
    Path target = directory();
    Mounts host = pool.host().mounts();
    OwnThread<Path> work =
        OwnThread.begin(
            pool.subject(),
            "stapes-zfs-mount",
            () -> {
              host.mountApart(place.toString(), target, "zfs", flags, "");
              return target;
            });
    AtomicBoolean over = new AtomicBoolean(true);
    try {
      return work.awaitThough(() -> goOnWaiting(over));
    } catch (RuntimeException e) {
      if (over.get()) {
        Undo.after(e, () -> delete(target));
      } else {
        work.whenEnded(mounted -> late(target, mounted));
      }
      throw e;
    }
  }

  /**
   * Looks while it is mounted.
   *
   * @param over set to false where nobody waits for its end any more
   */
  private void goOnWaiting(AtomicBoolean over) {
    try {
      requireGoing();
    } catch (StapesException e) {
      over.set(false);
      throw e;
    }
  }

  /** What comes when nobody waits for it is let go; with the directory that all hang on it went. */
  private void late(Path target, boolean mounted) {
    if (isBased()) {
      if (mounted) {
        dropUnlessClosed(target);
      } else {
        delete(target);
      }
    }
  }

  private Path view(Path source) {
    Path target = directory();
    try {
      pool.host().mounts().bind(source, target, Set.of(Mounts.Flag.READ_ONLY));
      return target;
    } catch (RuntimeException e) {
      Undo.after(e, () -> delete(target));
      throw e;
    }
  }

  private void release(Mounted mounted, @Nullable Path view) {
    synchronized (mounted) {
      if (!isThere(mounted)) {
        return;
      }
      try {
        if (view != null) {
          dropUnlessClosed(view);
        }
      } finally {
        if (leave(mounted) && mounted.path != null) {
          dropUnlessClosed(mounted.path);
        }
      }
    }
  }

  /** Who lets go of one while all are closed need not know which of the two unmounted it. */
  private void dropUnlessClosed(Path target) {
    try {
      drop(target);
    } catch (StapesException e) {
      if (isBased()) {
        throw e;
      }
    }
  }

  private synchronized boolean isBased() {
    return based;
  }

  private void drop(Path target) {
    unmount(target, List.of(target));
    delete(target);
  }

  /**
   * Detaches a mount. What is written down then may wait for a disk, and the thread that detaches
   * has more to do for the whole host: so each file system is held by another one meanwhile. A
   * zpool that has stopped is not waited for.
   */
  private void unmount(Path target, List<Path> fileSystems) {
    List<HeldMount> held = new ArrayList<>();
    try {
      for (Path fileSystem : fileSystems) {
        held.add(new HeldMount(pool, fileSystem));
      }
      awaitAll(held, HeldMount::awaitHeld);
      pool.host().mounts().unmount(target);
    } finally {
      held.forEach(HeldMount::letGo);
      awaitAll(held, HeldMount::awaitEnd);
    }
  }

  private void awaitAll(List<HeldMount> held, BiConsumer<HeldMount, Runnable> wait) {
    try {
      held.forEach(each -> wait.accept(each, this::requireGoing));
    } catch (StapesException e) {
      LOG.warn("{}: not waited for at its end: {}", pool.subject(), e.getMessage());
    }
  }

  private void requireGoing() {
    Unkilled.requireGoing(pool.subject(), stuck);
  }

  private synchronized Path next() {
    if (!based) {
      makeBase();
    }
    last++;
    return base.resolve(Long.toString(last, Character.MAX_RADIX));
  }

  private Path directory() {
    Path directory = next();
    try {
      Files.createDirectory(pool.local(directory));
      return directory;
    } catch (IOException e) {
      throw pool.failed(e, directory + ": cannot be made");
    }
  }

  private void makeBase() {
    try {
      Files.createDirectories(base);
    } catch (IOException e) {
      throw pool.failed(e, base + ": cannot be made");
    }
    // Where a process was killed its monitors keep what it had mounted for others, too.
    pool.host().mounts().detachAbandoned(base, TYPE, SOURCE);
    Set<Mounts.Flag> flags = Set.of(Mounts.Flag.NODEV);
    pool.host().mounts().mount(SOURCE, base, TYPE, flags, "size=1m,mode=0711");
    based = true;
  }

  private void delete(Path directory) {
    try {
      Files.deleteIfExists(pool.local(directory));
    } catch (IOException e) {
      throw pool.failed(e, directory + ": cannot be removed");
    }
  }

  /** Detaches everything that is mounted here; machines that use it keep it. */
  synchronized void close() {
    if (based) {
      based = false;
      List<Path> fileSystems =
          mounts.values().stream().flatMap(each -> Stream.ofNullable(each.path)).toList();
      mounts.clear();
      unmount(base, fileSystems);
    }
  }

  /** Removes the directory on the disk that they hung on, too. */
  synchronized void remove() {
    close();
    try {
      Files.deleteIfExists(base);
    } catch (IOException e) {
      throw pool.failed(e, base + ": cannot be removed");
    }
  }
}
