package dev.stapes.storage.fs;

import dev.stapes.linux.block.TreeOwners;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.IdMapping;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** From the ids of one map to those of another one. */
final class IdShift {
  private IdShift() {}

  /**
   * The change of owners from one map to another; empty stands for ids as they are. An id that one
   * of the two does not have stays what it is.
   */
  static TreeOwners between(Syscalls sys, Optional<IdMapping> from, Optional<IdMapping> to) {
    return new TreeOwners(sys, id -> uid(from, to, id), id -> gid(from, to, id));
  }

  static long uid(Optional<IdMapping> from, Optional<IdMapping> to, long id) {
    long inside = from.isPresent() ? inside(from.get().uids(), id) : id;
    return inside < 0 ? id : outside(to.map(map -> map.hostUid(inside)), id, inside);
  }

  static long gid(Optional<IdMapping> from, Optional<IdMapping> to, long id) {
    long inside = from.isPresent() ? inside(from.get().gids(), id) : id;
    return inside < 0 ? id : outside(to.map(map -> map.hostGid(inside)), id, inside);
  }

  private static long outside(Optional<OptionalLong> mapped, long id, long inside) {
    return mapped.isPresent() ? mapped.get().orElse(id) : inside;
  }

  private static long inside(List<IdMapping.Range> ranges, long id) {
    for (IdMapping.Range range : ranges) {
      if (id >= range.outside() && id < range.outside() + range.count()) {
        return id - range.outside() + range.inside();
      }
    }
    return -1;
  }
}
