package dev.stapes.storage.lvm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All that a pool has, as one report says.
 *
 * @param trash names of what has no id any more, those first that keep others from being removed
 * @param active names of all that have a device
 * @param placements the directories that it is in, as far as that was said
 */
record PoolContent(
    PoolVolumes pool,
    List<ThinVolume> volumes,
    List<Twin> twins,
    List<String> trash,
    List<String> active,
    List<Placement> placements) {
  static final String FIELDS = "vg_name,lv_name,pool_lv,lv_tags,lv_size,lv_active";

  /** Copies. */
  PoolContent {
    volumes = List.copyOf(volumes);
    twins = List.copyOf(twins);
    trash = List.copyOf(trash);
    active = List.copyOf(active);
    placements = List.copyOf(placements);
  }

  /** Where this machine has the pool. */
  Optional<Placement> placement() {
    return placements.stream().filter(one -> one.isOf(pool.sharer())).findFirst();
  }

  /** The directory of the pool on this machine, where it was said. */
  Optional<Path> directory() {
    return placement().map(Placement::directory);
  }

  /** A new pool has nothing. */
  static PoolContent none(PoolVolumes pool) {
    return new PoolContent(pool, List.of(), List.of(), List.of(), List.of(), List.of());
  }

  /** Of a pool, in a report on its group or on all. */
  static PoolContent of(PoolVolumes pool, List<LvmRow> rows) throws LvmReport.Malformed {
    List<LvmRow> own = new ArrayList<>();
    List<Placement> placements = List.of();
    for (LvmRow row : rows) {
      if (pool.has(row)) {
        own.add(row);
      } else if (pool.is(row)) {
        placements = VolumeTags.placements(row);
      }
    }
    Set<String> trash = trash(own);
    Map<String, ThinVolume> volumes = new LinkedHashMap<>();
    List<String> active = new ArrayList<>();
    for (LvmRow row : own) {
      if (!row.text("lv_active").isEmpty()) {
        active.add(row.text("lv_name"));
      }
      if (!trash.contains(row.text("lv_name"))) {
        VolumeTags.volume(row).ifPresent(volume -> volumes.put(volume.name(), volume));
      }
    }
    List<Twin> twins = new ArrayList<>();
    for (LvmRow row : own) {
      Optional<Twin> twin = VolumeTags.twin(row);
      if (twin.isPresent() && volumes.containsKey(twin.get().owner())) {
        twins.add(twin.get());
      } else if (twin.isPresent()) {
        trash.add(twin.get().name());
      }
    }
    trash.retainAll(names(own));
    return new PoolContent(
        pool, List.copyOf(volumes.values()), twins, List.copyOf(trash), active, placements);
  }

  private static Set<String> trash(List<LvmRow> own) throws LvmReport.Malformed {
    Set<String> trash = new LinkedHashSet<>();
    for (LvmRow row : own) {
      if (VolumeTags.isMoment(row)) {
        trash.add(row.text("lv_name"));
      }
    }
    for (LvmRow row : own) {
      VolumeTags.replaced(row).ifPresent(trash::add);
      if (row.list("lv_tags").contains(VolumeTags.TRASH)) {
        trash.add(row.text("lv_name"));
      }
    }
    return trash;
  }

  private static Set<String> names(List<LvmRow> rows) throws LvmReport.Malformed {
    Set<String> names = new HashSet<>();
    for (LvmRow row : rows) {
      names.add(row.text("lv_name"));
    }
    return names;
  }
}
