package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A zpool of Stapes's own. The machine has it only while somebody uses it: it is imported when the
 * pool is opened and exported when it is closed, and no cache file lets it come back at a boot.
 */
final class OwnZpool implements Backing {
  private static final Logger LOG = LoggerFactory.getLogger(OwnZpool.class);
  private static final int RANDOM_DIGITS = 12;

  private final PoolContext pool;
  private final Vdev vdev;
  private final Zfs zfs;

  OwnZpool(PoolContext pool, Vdev vdev, Zfs zfs) {
    this.pool = pool;
    this.vdev = vdev;
    this.zfs = zfs;
  }

  @Override
  public void make() {
    String name = pool.spec().config().get(ZfsKeys.POOL_NAME).orElseGet(OwnZpool::randomName);
    DatasetName zpool = DatasetName.ofNewPool(name);
    vdev.check();
    PoolMark mark = PoolMark.fresh(zpool.child(OWN));
    mark.write(pool);
    try {
      vdev.prepare();
      zfs.createPool(zpool, vdev.path().toString(), mark);
      zfs.create(mark.root(), Backing.properties(pool, mark));
    } catch (RuntimeException e) {
      Undo.after(e, this::sweep);
      throw e;
    }
  }

  private static String randomName() {
    String digits = UUID.randomUUID().toString().replace("-", "");
    return "stapes-" + digits.substring(0, RANDOM_DIGITS);
  }

  @Override
  public void open() {
    String zpool = zpool();
    vdev.require();
    if (isImported(zpool)) {
      requireOurs(zpool);
    } else {
      try {
        zfs.importPool(zpool, vdev.path().toString());
      } catch (StapesException e) {
        throw pool.failure(Kind.UNAVAILABLE, "cannot be imported: " + e.getMessage(), e);
      }
    }
  }

  /**
   * The machine may have one of this name that lies elsewhere, such as in what this is a copy of.
   */
  private void requireOurs(String zpool) {
    List<Path> found = zfs.vdevs(zpool);
    if (found.isEmpty() || !found.stream().allMatch(vdev::isPartOf)) {
      throw pool.failure(
          Kind.UNAVAILABLE,
          "the machine has a zpool "
              + zpool
              + " that is not the one in "
              + vdev.path()
              + " but in "
              + found
              + ": close what uses that one, such as the original of a copied directory");
    }
  }

  private boolean isImported(String zpool) {
    try {
      zfs.poolProperties(zpool, List.of("name"));
      return true;
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  private String zpool() {
    return PoolMark.read(pool).root().zpool();
  }

  @Override
  public DatasetName root() {
    return PoolMark.read(pool).root();
  }

  @Override
  public Usage usage() {
    List<String> values = zfs.poolProperties(zpool(), List.of("size", "allocated"));
    return new Usage(
        Size.ofBytes(ZfsTable.number(values.get(0))), Size.ofBytes(ZfsTable.number(values.get(1))));
  }

  @Override
  public void requireRoom() {
    vdev.requireRoom();
    zfs.goOn(zpool());
  }

  @Override
  public boolean isBoundToDirectory() {
    return !vdev.isInDirectory();
  }

  @Override
  public void close() {
    if (!pool.spec().config().get(ZfsKeys.EXPORT).orElse(true)) {
      return;
    }
    try {
      zfs.change("zpool", "export", zpool());
    } catch (StapesException e) {
      if (e.kind() != Kind.BUSY) {
        throw e;
      }
      LOG.info("{}: stays imported: {}", pool.subject(), e.getMessage());
    }
  }

  @Override
  public void remove() {
    sweep();
  }

  @Override
  public void sweep() {
    Optional<PoolMark> mark = PoolMark.find(pool);
    if (mark.isEmpty()) {
      return; // nothing was begun, but for what is in the directory
    }
    if (destroyed(mark.get())) {
      clearOurs(mark.get());
    } else if (vdev.isInDirectory()) {
      vdev.clear();
    } else if (isFree()) {
      clearFree(mark.get());
    } else {
      LOG.info("{}: {} has another zpool, which stays", pool.subject(), vdev.path());
    }
    PoolMark.delete(pool);
  }

  /** There may have been no room to note that it is ours. */
  private void clearOurs(PoolMark mark) {
    try {
      vdev.clear();
    } catch (RuntimeException e) {
      Undo.after(e, () -> claim(mark));
      throw e;
    }
  }

  /** Where no zpool was on it that we know of, who uses it has taken it since. */
  private void clearFree(PoolMark mark) {
    try {
      vdev.clear();
    } catch (StapesException e) {
      if (e.kind() != Kind.BUSY || mark.destroyed()) {
        throw e;
      }
      LOG.info("{}: somebody uses {}, which stays", pool.subject(), vdev.path());
    }
  }

  private boolean destroyed(PoolMark mark) {
    String zpool = mark.root().zpool();
    boolean imported = isImported(zpool);
    if (!imported && !isImportedAgain(zpool)) {
      return false;
    }
    if (bears(zpool, mark)) {
      claim(mark);
      zfs.change("zpool", "destroy", zpool);
      return true;
    }
    if (!imported) {
      zfs.change("zpool", "export", zpool);
    }
    return false;
  }

  /**
   * What the zpool is on until now is ours: who uses it has to let go of it, now or when this is
   * tried again. Once the zpool is destroyed nothing but the mark says so.
   */
  private void claim(PoolMark mark) {
    if (mark.destroyed() || vdev.isInDirectory()) {
      return;
    }
    try {
      mark.writeDestroyed(pool);
    } catch (StapesException e) {
      if (e.kind() != Kind.EXHAUSTED) {
        throw e;
      }
      LOG.warn("{}: no room to note that it is removed", pool.subject(), e);
    }
  }

  private boolean isFree() {
    return zfs.vdevs().stream().noneMatch(vdev::isPartOf)
        && !zfs.importable(vdev.path().toString()).contains("pool:");
  }

  private boolean bears(String zpool, PoolMark mark) {
    boolean ours = zfs.properties(zpool, List.of(PoolMark.PROPERTY)).equals(List.of(mark.id()));
    return ours && zfs.vdevs(zpool).stream().allMatch(vdev::isPartOf);
  }

  /** What is on a device has to be destroyed, so that nothing finds it there. */
  private boolean isImportedAgain(String zpool) {
    if (vdev.isInDirectory()) {
      return false;
    }
    vdev.require();
    try {
      zfs.importPool(zpool, vdev.path().toString());
      return true;
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      return false;
    }
  }

  @Override
  public Optional<Resize> resize() {
    return vdev.resize().map(resize -> size -> grow(resize, size));
  }

  private void grow(Resize resize, Size size) {
    resize.growTo(size);
    zfs.change("zpool", "online", "-e", zpool(), vdev.path().toString());
  }
}
