package dev.stapes.storage.fs;

import dev.stapes.model.IdMapping;
import dev.stapes.spi.Mounts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Directories with the owners of their files mapped, one mount for each directory and map however
 * many use it. A few that nobody uses any more are kept: what is launched once is launched again.
 */
final class MappedMounts {
  private static final int IDLE_KEPT = 8;

  private final PoolContext pool;
  private final Views views;
  private final Set<Mounts.Flag> flags;
  private final Map<Key, Mapped> mounts = new LinkedHashMap<>();

  private record Key(Path source, IdMapping mapping) {}

  private static final class Mapped {
    final Path path;
    int users;

    Mapped(Path path) {
      this.path = path;
    }
  }

  /** A directory in use, until {@link #close}. */
  final class Use implements AutoCloseable {
    private final Path path;
    private final Optional<Key> key;
    private boolean closed;

    private Use(Path path, Optional<Key> key) {
      this.path = path;
      this.key = key;
    }

    /** Where it is. */
    Path path() {
      return path;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        key.ifPresent(MappedMounts.this::release);
      }
    }
  }

  MappedMounts(PoolContext pool, Views views, Set<Mounts.Flag> flags) {
    this.pool = pool;
    this.views = views;
    this.flags = Set.copyOf(flags);
  }

  /** A directory as it appears with a map; without one it is the directory itself. */
  synchronized Use use(Path source, Optional<IdMapping> mapping) {
    if (mapping.isEmpty()) {
      return new Use(source, Optional.empty());
    }
    Key key = new Key(source, mapping.get());
    Mapped mapped = mounts.remove(key);
    if (mapped == null) {
      mapped =
          new Mapped(
              views.make(
                  target ->
                      pool.host().mounts().bindIdmapped(source, target, key.mapping(), flags)));
    }
    mapped.users++;
    mounts.put(key, mapped); // the last one used is the last in order
    return new Use(mapped.path, Optional.of(key));
  }

  private synchronized void release(Key key) {
    Objects.requireNonNull(mounts.get(key)).users--;
    drop(idle().subList(0, Math.max(0, idle().size() - IDLE_KEPT)));
  }

  /** Drops what nobody uses of a directory that is about to go. */
  synchronized void forget(Path source) {
    drop(idle().stream().filter(key -> key.source().equals(source)).toList());
  }

  private List<Key> idle() {
    List<Key> idle = new ArrayList<>();
    mounts.forEach(
        (key, mapped) -> {
          if (mapped.users == 0) {
            idle.add(key);
          }
        });
    return idle;
  }

  private void drop(List<Key> keys) {
    for (Iterator<Map.Entry<Key, Mapped>> all = mounts.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Key, Mapped> entry = all.next();
      if (keys.contains(entry.getKey())) {
        all.remove();
        views.dropIfThere(entry.getValue().path);
      }
    }
  }
}
