package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.TreeCopy;
import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A volume of which only the differences to a source are kept, in a tmpfs of its own. An overlay
 * over source and tmpfs shows it; it is mounted when the volume is first looked at, and stays until
 * somebody wants it with another id map.
 *
 * <p>Owners: the source is mapped by an idmapped mount. The differences have the owners that they
 * appear with, for tmpfs can be idmapped only from Linux 6.3 on. So they are given away (chown)
 * where the map changes; that is before the first attach, when there are hardly any.
 */
final class ScratchVolume {
  private static final Set<OpenFlag> DIRECTORY = Set.of(OpenFlag.READ, OpenFlag.DIRECTORY);

  /** Nobody unpacked, and so nobody left out, the device nodes of a mounted image. */
  private static final Set<Mounts.Flag> FLAGS = Set.of(Mounts.Flag.NODEV);

  private static final Set<Mounts.Flag> FLAGS_READ_ONLY =
      Set.of(Mounts.Flag.NODEV, Mounts.Flag.READ_ONLY);

  private final PoolContext pool;
  private final Views views;
  private final MappedMounts lowers;
  private final LayerBase base;
  private final Optional<Size> limit;
  private final boolean readOnly;
  private final Path memory;
  private Optional<IdMapping> owners = Optional.empty();
  private @Nullable View view;
  private int users;

  /** The overlay as it is mounted. */
  private record View(Path path, Optional<IdMapping> mapping, MappedMounts.Use lower) {}

  private ScratchVolume(
      PoolContext pool,
      Views views,
      MappedMounts lowers,
      LayerBase base,
      Optional<Size> limit,
      boolean readOnly) {
    this.pool = pool;
    this.views = views;
    this.lowers = lowers;
    this.base = base;
    this.limit = limit;
    this.readOnly = readOnly;
    String size = limit.map(bytes -> ",size=" + bytes.bytes()).orElse("");
    this.memory =
        views.make(
            target ->
                pool.host()
                    .mounts()
                    .mount("stapes-scratch", target, "tmpfs", Set.of(), "mode=0700" + size));
  }

  /** Makes one without differences. */
  static ScratchVolume create(
      PoolContext pool, Views views, MappedMounts lowers, LayerBase base, Optional<Size> limit) {
    ScratchVolume volume = new ScratchVolume(pool, views, lowers, base, limit, false);
    return volume.filled(
        upper -> {
          Path top = base.at(base.root()).get(0);
          try (Fd source = open(pool, top)) {
            copier(pool, ScratchVolume::isKept).attributes(source, upper, source.stat());
          }
        });
  }

  /** Makes another one with the same differences. */
  synchronized ScratchVolume copy(boolean asReadOnly) {
    ScratchVolume copy = new ScratchVolume(pool, views, lowers, base, limit, asReadOnly);
    copy.owners = owners;
    return copy.filled(
        upper -> {
          try (Fd source = open(pool, upper())) {
            copier(pool, name -> true).run(source, upper);
          }
        });
  }

  /** What fills the upper directory of a new volume. */
  @FunctionalInterface
  private interface Filling {
    void fill(Fd upper);
  }

  private ScratchVolume filled(Filling filling) {
    try {
      try (FileTree tree =
          FileTree.open(pool.sys(), pool.local(memory), FileTree.Resolution.BENEATH)) {
        tree.mkdir("upper", 0755);
        tree.mkdir("work", 0700);
        try (Fd upper = tree.open("upper", DIRECTORY, 0)) {
          filling.fill(upper);
        }
      }
      return this;
    } catch (RuntimeException e) {
      Undo.after(e, () -> views.drop(memory));
      throw e;
    }
  }

  private Path upper() {
    return memory.resolve("upper");
  }

  private static Fd open(PoolContext pool, Path directory) {
    return Fd.open(pool.sys(), pool.local(directory), DIRECTORY);
  }

  /** What means something to the host alone stays where it is, see decision 0031. */
  private static boolean isKept(String attribute) {
    return !attribute.startsWith("trusted.")
        && (!attribute.startsWith("security.") || attribute.equals("security.capability"));
  }

  private static TreeCopy copier(PoolContext pool, Predicate<String> attributes) {
    return new TreeCopy(pool.sys(), attributes, () -> Thread.currentThread().isInterrupted());
  }

  /** The files, with owners as on the source's disk. */
  synchronized Tree tree(Tree.Resolution resolution) {
    View open = view;
    if (open == null) {
      open = mount(owners);
    }
    return pool.host().tree(pool.local(open.path()), resolution, open.mapping());
  }

  /** Makes it available to a machine. */
  synchronized StoragePool.Attachment attach(
      String subject, Optional<IdMapping> mapping, boolean asReadOnly) {
    View open = view;
    if (open != null && !open.mapping().equals(mapping)) {
      if (users > 0) {
        throw new StapesException(Kind.BUSY, subject, "attached with another id map");
      }
      unmount();
      open = null;
    }
    if (open == null) {
      shiftTo(mapping);
      open = mount(mapping);
    }
    Path shown = asReadOnly && !readOnly ? views.readOnly(open.path()) : open.path();
    users++;
    return StoragePool.Attachment.of(shown, mapping, () -> release(shown));
  }

  private synchronized void release(Path shown) {
    users--;
    View open = view;
    if (open == null || !open.path().equals(shown)) {
      views.dropIfThere(shown);
    }
  }

  private void shiftTo(Optional<IdMapping> mapping) {
    if (!owners.equals(mapping)) {
      try (Fd upper = open(pool, upper())) {
        IdShift.between(pool.sys(), owners, mapping).run(upper);
      }
      owners = mapping;
    }
  }

  private View mount(Optional<IdMapping> mapping) {
    MappedMounts.Use lower = lowers.use(base.root(), mapping);
    try {
      String options =
          OverlayOptions.writable(base.at(lower.path()), upper(), memory.resolve("work"));
      Set<Mounts.Flag> flags = readOnly ? FLAGS_READ_ONLY : FLAGS;
      Path path =
          views.make(
              target ->
                  pool.host().mounts().mount("stapes-scratch", target, "overlay", flags, options));
      View mounted = new View(path, mapping, lower);
      view = mounted;
      return mounted;
    } catch (RuntimeException e) {
      Undo.after(e, lower::close);
      throw e;
    }
  }

  private void unmount() {
    View open = view;
    if (open != null) {
      view = null;
      views.drop(open.path());
      open.lower().close();
    }
  }

  /** Frees it: two lazy unmounts, and nothing to delete. */
  synchronized void discard() {
    unmount();
    views.drop(memory);
  }

  /** Whether it lies over a directory. */
  boolean liesOver(Path root) {
    return base.root().equals(root);
  }

  /** What it lies over. */
  LayerBase base() {
    return base;
  }
}
