package dev.stapes.storage.fs;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The volumes of an overlay pool as they are mounted. A volume is mounted once, for all who use it:
 * two overlays over one upper layer would not know of each other's changes.
 */
final class OverlayViews {
  /** An id that no machine has, for what overlayfs itself makes: its work, its whiteouts. */
  private static final long OVERLAYS_OWN_ID = 0xFFFF_FFFEL;

  private static final int ATTEMPTS = 250;
  private static final long BETWEEN_NANOS = 2_000_000;

  private final PoolContext pool;
  private final Views views;
  private final LayerStore layers;
  private final MappedMounts mapped;
  private final Map<VolumeId, Open> open = new HashMap<>();

  /** Upper layers of which this process alone decides who mounts them. */
  private final Set<String> ours = new HashSet<>();

  /**
   * Upper layers that a machine of an earlier process had. If it has ended the kernel takes its
   * mount down a moment later, and until then says that somebody has it.
   */
  private final Set<String> left = new HashSet<>();

  /** A volume that somebody uses. */
  final class Open {
    private final VolumeId id;
    private final LayeredVolume volume;
    private final Path path;
    private final Optional<IdMapping> mapping;
    private final How how;
    private final MappedMounts.@Nullable Use root;
    private int users;

    private Open(
        VolumeId id,
        LayeredVolume volume,
        Path path,
        Optional<IdMapping> mapping,
        How how,
        MappedMounts.@Nullable Use root) {
      this.id = id;
      this.volume = volume;
      this.path = path;
      this.mapping = mapping;
      this.how = how;
      this.root = root;
    }

    /** Where its files are. */
    Path path() {
      return path;
    }

    /** The map that their owners appear in. */
    Optional<IdMapping> mapping() {
      return mapping;
    }

    /** Says that one user less needs it. */
    void release() {
      OverlayViews.this.release(this);
    }
  }

  /** How a volume is made visible. */
  private enum How {
    /** Its only layer itself. */
    DIRECT,
    /** By a mount. */
    MOUNTED,
    /** A machine of an earlier process has it mounted; nothing is mounted here. */
    ELSEWHERE
  }

  OverlayViews(PoolContext pool, Views views, LayerStore layers) {
    this.pool = pool;
    this.views = views;
    this.layers = layers;
    this.mapped = new MappedMounts(pool, views, Set.of());
  }

  /** Says that an upper layer was made by this process. */
  synchronized void own(String upper) {
    ours.add(upper);
  }

  /** Opens a volume to look at its files or change them, however it is mounted already. */
  synchronized Open forTree(VolumeId id, LayeredVolume volume) {
    Open there = open.get(id);
    if (there != null && there.how == How.ELSEWHERE) {
      throw new StapesException(
          Kind.BUSY, "volume " + id, "a machine that was started by an earlier process uses it");
    }
    if (there == null) {
      if (!volume.readOnly() && volume.lowers().isEmpty() && !isElsewhere(volume)) {
        Path only = layers.root().resolve(LayerStore.files(volume.layers().get(0)));
        there = new Open(id, volume, only, Optional.empty(), How.DIRECT, null);
      } else {
        there = mount(id, volume, Optional.empty());
      }
    }
    return used(there);
  }

  /** Mounts a volume for a machine. */
  synchronized Open forMachine(VolumeId id, LayeredVolume volume, Optional<IdMapping> mapping) {
    Open there = open.get(id);
    if (there == null) {
      there =
          isElsewhere(volume)
              ? new Open(id, volume, views.make(), mapping, How.ELSEWHERE, null)
              : mount(id, volume, mapping);
    } else if (there.how == How.DIRECT || !there.mapping.equals(mapping)) {
      throw new StapesException(
          Kind.BUSY, "volume " + id, "in use already, with another id map or as a directory");
    }
    return used(there);
  }

  private Open used(Open there) {
    there.users++;
    open.put(there.id, there);
    return there;
  }

  private synchronized void release(Open used) {
    used.users--;
    if (used.users == 0 && open.get(used.id) == used) {
      open.remove(used.id);
      if (used.how == How.ELSEWHERE) {
        used.volume.upper().ifPresent(left::add);
      }
      if (used.how != How.DIRECT) {
        views.dropIfThere(used.path, used.how == How.MOUNTED);
      }
      if (used.root != null) {
        used.root.close();
      }
    }
  }

  /**
   * Whether changes may come to a volume at any time.
   *
   * @param volume what it is
   */
  synchronized boolean mayChange(VolumeId id, LayeredVolume volume) {
    return open.containsKey(id) || isElsewhere(volume);
  }

  /** The layers of all that is open, be the volume discarded or not. */
  synchronized Set<String> layersInUse() {
    Set<String> all = new HashSet<>();
    open.values().forEach(used -> all.addAll(used.volume.layers()));
    return all;
  }

  private Open mount(VolumeId id, LayeredVolume volume, Optional<IdMapping> mapping) {
    MappedMounts.Use root = mapped.use(layers.root(), mapping.map(OverlayViews::withOverlaysOwn));
    try {
      boolean single = volume.readOnly() && volume.lowers().size() == 1;
      Path path =
          single ? bindOnly(root, volume) : views.make(target -> overlay(root, volume, target));
      return new Open(id, volume, path, mapping, How.MOUNTED, root);
    } catch (RuntimeException e) {
      Undo.after(e, root::close);
      throw e;
    }
  }

  private Path bindOnly(MappedMounts.Use root, LayeredVolume volume) {
    return views.readOnly(root.path().resolve(LayerStore.files(volume.lowers().get(0))));
  }

  private void overlay(MappedMounts.Use root, LayeredVolume volume, Path target) {
    List<Path> lowers = new ArrayList<>();
    volume.lowers().forEach(layer -> lowers.add(root.path().resolve(LayerStore.files(layer))));
    Set<Mounts.Flag> flags = volume.readOnly() ? Set.of(Mounts.Flag.READ_ONLY) : Set.of();
    if (lowers.isEmpty()) {
      lowers.add(root.path().resolve(LayerStore.files(LayerStore.NOTHING)));
    }
    String options =
        volume
            .upper()
            .map(
                upper ->
                    OverlayOptions.writable(
                        lowers,
                        root.path().resolve(LayerStore.files(upper)),
                        root.path().resolve(LayerStore.work(upper))))
            .orElseGet(() -> OverlayOptions.readOnly(lowers));
    pool.host().mounts().mount("stapes-overlay", target, "overlay", flags, options);
  }

  /**
   * The map with one id more. Overlayfs makes its work directory and whiteouts as the one who
   * mounted it, the host's root; where that has no id below an idmapped upper layer, it falls back
   * to a read-only mount without an error.
   */
  static IdMapping withOverlaysOwn(IdMapping mapping) {
    return new IdMapping(withRoot(mapping.uids()), withRoot(mapping.gids()));
  }

  private static List<IdMapping.Range> withRoot(List<IdMapping.Range> ranges) {
    if (ranges.stream().anyMatch(range -> range.outside() == 0)) {
      return ranges;
    }
    List<IdMapping.Range> more = new ArrayList<>(ranges);
    more.add(new IdMapping.Range(OVERLAYS_OWN_ID, 0, 1));
    return more;
  }

  /**
   * Whether another mount namespace has the upper layer of a volume mounted: that of a process that
   * is gone, of which a machine still runs. Overlayfs refuses a second mount with EBUSY before it
   * looks at the work directory, which cannot be right here; so nothing is mounted in any case.
   */
  private boolean isElsewhere(LayeredVolume volume) {
    String upper = volume.upper().orElse("");
    if (upper.isEmpty() || ours.contains(upper)) {
      return false;
    }
    boolean busy = isBusy(upper);
    for (int i = 0; busy && left.contains(upper) && i < ATTEMPTS; i++) {
      LockSupport.parkNanos(BETWEEN_NANOS);
      busy = isBusy(upper);
    }
    left.remove(upper);
    if (!busy) {
      ours.add(upper);
    }
    return busy;
  }

  private boolean isBusy(String upper) {
    Path target = views.make();
    try {
      String options =
          "index=on,"
              + OverlayOptions.probe(
                  layers.root().resolve(LayerStore.files(LayerStore.NOTHING)),
                  layers.root().resolve(LayerStore.files(upper)),
                  target);
      pool.host().mounts().mount("stapes-probe", target, "overlay", Set.of(), options);
      pool.host().mounts().unmount(target);
      throw pool.failure(Kind.INTERNAL, "an overlay with a foreign work directory was mounted");
    } catch (StapesException e) {
      if (e.kind() == Kind.BUSY) {
        return true;
      }
      if (e.kind() != Kind.INVALID) {
        throw e;
      }
      return false;
    } finally {
      views.delete(target);
    }
  }
}
