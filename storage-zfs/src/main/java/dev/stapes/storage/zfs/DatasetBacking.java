package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import java.util.List;
import java.util.Optional;

/** A dataset in somebody's zpool; only what is made in it is ours. */
final class DatasetBacking implements Backing {
  private final PoolContext pool;
  private final DatasetName source;
  private final Zfs zfs;

  DatasetBacking(PoolContext pool, DatasetName source, Zfs zfs) {
    this.pool = pool;
    this.source = source;
    this.zfs = zfs;
  }

  @Override
  public void make() {
    List<Entry> entries;
    try {
      entries = zfs.entries(source);
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        throw pool.failure(Kind.INVALID, "no dataset to use: \"" + source + "\"", e);
      }
      throw e;
    }
    if (entries.size() > 1) {
      throw pool.failure(
          Kind.CONFLICT, source + ": not empty: " + entries.get(1).place().dataset() + " is there");
    }
    PoolMark mark = PoolMark.fresh(root());
    mark.write(pool);
    try {
      zfs.create(root(), Backing.properties(pool, mark));
    } catch (RuntimeException e) {
      Undo.after(e, this::sweep);
      throw e;
    }
  }

  @Override
  public void open() {
    PoolMark.read(pool); // ZFS knows the dataset, or nobody does
  }

  @Override
  public DatasetName root() {
    return source.child(OWN);
  }

  @Override
  public Usage usage() {
    List<String> values = zfs.properties(root().text(), List.of("used", "available"));
    long used = ZfsTable.number(values.get(0));
    return new Usage(Size.ofBytes(used + ZfsTable.number(values.get(1))), Size.ofBytes(used));
  }

  @Override
  public void close() {
    // it is not ours
  }

  @Override
  public void remove() {
    sweep();
  }

  @Override
  public void sweep() {
    Optional<PoolMark> mark = PoolMark.find(pool);
    if (mark.isPresent()) {
      try {
        String id = zfs.properties(root().text(), List.of(PoolMark.PROPERTY)).get(0);
        if (id.equals(mark.get().id())) {
          zfs.destroyAll(root());
        }
      } catch (StapesException e) {
        if (e.kind() != Kind.NOT_FOUND) {
          throw e;
        }
        requireZpool(e);
      }
      PoolMark.delete(pool);
    }
  }

  /** In a zpool that is not imported nobody sees what is left of the pool. */
  private void requireZpool(StapesException missing) {
    try {
      zfs.poolProperties(source.zpool(), List.of("name"));
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      throw pool.failure(
          Kind.UNAVAILABLE,
          "the zpool "
              + source.zpool()
              + " is not imported; where it is gone for good remove "
              + pool.directory().resolve("zpool"),
          missing);
    }
  }

  @Override
  public Optional<Resize> resize() {
    return Optional.empty();
  }
}
