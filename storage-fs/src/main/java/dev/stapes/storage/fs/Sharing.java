package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** How volumes of an overlay pool come to share layers. */
final class Sharing {
  /**
   * The most layers below an upper one. Each costs a look-up for names that are not there; and
   * mount(2) takes one page of their paths.
   */
  private static final int MOST_LOWERS = 20;

  private final PoolContext pool;
  private final PoolDirectory volumes;
  private final LayerStore layers;
  private final OverlayViews overlays;
  private final Ids ids;

  /** A source is frozen by one at a time. Some volumes share a lock, which only costs time. */
  private final Object[] locks = new Object[64];

  Sharing(
      PoolContext pool, PoolDirectory volumes, LayerStore layers, OverlayViews overlays, Ids ids) {
    this.pool = pool;
    this.volumes = volumes;
    this.layers = layers;
    this.overlays = overlays;
    this.ids = ids;
    Arrays.setAll(locks, i -> new Object());
  }

  /** What a volume is. */
  LayeredVolume read(VolumeId id) {
    return LayeredVolume.parse(text(id).orElseThrow(() -> ids.notFound(id)))
        .orElseThrow(
            () -> new StapesException(Kind.INTERNAL, "volume " + id, "its file is damaged"));
  }

  /** The same; empty where its file is damaged, or gone since it was listed. */
  Optional<LayeredVolume> readIfWhole(VolumeId id) {
    return text(id).flatMap(LayeredVolume::parse);
  }

  private Optional<String> text(VolumeId id) {
    try {
      return Optional.of(volumes.readText(id));
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Makes an empty volume. */
  void create(VolumeId id) {
    ids.requireFree(id);
    String upper = layers.make(Optional.empty());
    publish(id, new LayeredVolume(Optional.of(upper), List.of()), List.of(upper));
  }

  /** Makes a volume of the same content. */
  void copy(VolumeId source, VolumeId target, boolean readOnly) {
    synchronized (lock(source)) {
      LayeredVolume from = read(source);
      if (from.upper().isPresent() && mustCopyFiles(source, from)) {
        copyFiles(from, target, readOnly);
        return;
      }
      List<String> shared = freeze(source, from);
      if (readOnly) {
        publish(target, new LayeredVolume(Optional.empty(), shared), List.of());
      } else {
        String upper = layers.make(Optional.of(shared.get(0)));
        publish(target, new LayeredVolume(Optional.of(upper), shared), List.of(upper));
      }
    }
  }

  private Object lock(VolumeId id) {
    return locks[Math.floorMod(id.hashCode(), locks.length)];
  }

  private boolean mustCopyFiles(VolumeId id, LayeredVolume volume) {
    return overlays.mayChange(id, volume) || volume.lowers().size() >= MOST_LOWERS;
  }

  private void copyFiles(LayeredVolume from, VolumeId target, boolean readOnly) {
    String copy = layers.copy(from.upper().orElseThrow());
    LayeredVolume volume =
        readOnly
            ? new LayeredVolume(Optional.empty(), above(copy, from.lowers()))
            : new LayeredVolume(Optional.of(copy), from.lowers());
    publish(target, volume, List.of(copy));
  }

  private static List<String> above(String layer, List<String> below) {
    List<String> all = new ArrayList<>();
    all.add(layer);
    all.addAll(below);
    return all;
  }

  /**
   * The layers of a volume as it is now, in a form that does not change any more; the volume itself
   * gets a new upper layer where it had changes. Its content stays the same.
   */
  private List<String> freeze(VolumeId id, LayeredVolume volume) {
    if (volume.readOnly()) {
      return volume.lowers();
    }
    String upper = volume.upper().orElseThrow();
    List<String> lowers = volume.lowers();
    if (!lowers.isEmpty() && layers.isUntouched(upper, lowers.get(0))) {
      return lowers;
    }
    List<String> shared = above(upper, lowers);
    String fresh = layers.make(Optional.of(upper));
    try {
      volumes.replaceText(id, new LayeredVolume(Optional.of(fresh), shared).text());
    } catch (RuntimeException e) {
      Undo.after(e, () -> layers.remove(fresh));
      throw e;
    }
    overlays.own(fresh);
    return shared;
  }

  /** The layers of a volume for one in memory over it. */
  List<String> frozen(VolumeId source) {
    synchronized (lock(source)) {
      LayeredVolume volume = read(source);
      if (volume.upper().isPresent() && mustCopyFiles(source, volume)) {
        return above(layers.copy(volume.upper().get()), volume.lowers());
      }
      return freeze(source, volume);
    }
  }

  private void publish(VolumeId id, LayeredVolume volume, List<String> made) {
    try {
      ids.publish(id, name -> volumes.writeIncoming(name, volume.text()), this::removeAll);
      volume.upper().ifPresent(overlays::own);
    } catch (RuntimeException e) {
      for (String layer : made) {
        Undo.after(e, () -> layers.remove(layer));
      }
      throw e;
    }
  }

  /** Removes something by its name. */
  void removeAll(Fd directory, String name) {
    try (FileTree tree =
        FileTree.over(pool.sys(), directory.duplicate(), FileTree.Resolution.BENEATH)) {
      tree.removeAll(name);
    }
  }
}
