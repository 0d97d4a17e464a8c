package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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

  /** Names of zpools are the machine's: the pool remembers which is its own. */
  private final Path nameFile;

  OwnZpool(PoolContext pool, Vdev vdev, Zfs zfs) {
    this.pool = pool;
    this.vdev = vdev;
    this.zfs = zfs;
    this.nameFile = pool.directory().resolve("zpool");
  }

  @Override
  public void make() {
    String name = pool.spec().config().get(ZfsKeys.POOL_NAME).orElseGet(OwnZpool::randomName);
    DatasetName zpool = DatasetName.ofNewPool(name);
    vdev.prepare();
    try {
      Files.writeString(nameFile, name + "\n");
      zfs.createPool(zpool, vdev.path().toString());
    } catch (IOException e) {
      UncheckedIOException error =
          new UncheckedIOException(nameFile + ": cannot be written: " + e.getMessage(), e);
      forget(error, false);
      throw error;
    } catch (RuntimeException e) {
      forget(e, false);
      throw e;
    }
    try {
      zfs.create(zpool.child(OWN), PROPERTIES);
    } catch (RuntimeException e) {
      forget(e, true);
      throw e;
    }
  }

  private static String randomName() {
    String digits = UUID.randomUUID().toString().replace("-", "");
    return "stapes-" + digits.substring(0, RANDOM_DIGITS);
  }

  private void forget(RuntimeException reason, boolean made) {
    if (made) {
      PoolContext.alsoDo(reason, this::remove);
    } else {
      boolean untouched = reason instanceof StapesException s && s.kind() == Kind.CONFLICT;
      if (!untouched || vdev instanceof FileVdev) {
        PoolContext.alsoDo(reason, vdev::clear);
      }
      PoolContext.alsoDo(reason, this::deleteName);
    }
  }

  @Override
  public void open() {
    String zpool = name();
    vdev.require();
    if (!isImported(zpool)) {
      try {
        zfs.importPool(zpool, vdev.path().toString());
      } catch (StapesException e) {
        throw pool.failure(Kind.UNAVAILABLE, "cannot be imported: " + e.getMessage(), e);
      }
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

  private String name() {
    try {
      String name = Files.readString(nameFile).strip();
      if (!DatasetName.isName(name)) {
        throw pool.failure(Kind.UNAVAILABLE, nameFile + ": no name of a zpool: \"" + name + "\"");
      }
      return DatasetName.ofNewPool(name).text();
    } catch (NoSuchFileException e) {
      throw pool.failure(Kind.UNAVAILABLE, "no pool in " + pool.directory(), e);
    } catch (IOException e) {
      throw pool.failure(Kind.UNAVAILABLE, nameFile + ": cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public DatasetName root() {
    return new DatasetName(name()).child(OWN);
  }

  @Override
  public Usage usage() {
    List<String> values = zfs.poolProperties(name(), List.of("size", "allocated"));
    return new Usage(
        Size.ofBytes(ZfsTable.number(values.get(0))), Size.ofBytes(ZfsTable.number(values.get(1))));
  }

  @Override
  public void close() {
    try {
      zfs.change("zpool", "export", name());
    } catch (StapesException e) {
      if (e.kind() != Kind.BUSY) {
        throw e;
      }
      LOG.info("{}: stays imported: {}", pool.subject(), e.getMessage());
    }
  }

  @Override
  public void remove() {
    zfs.change("zpool", "destroy", name());
    vdev.clear();
    deleteName();
  }

  private void deleteName() {
    try {
      Files.deleteIfExists(nameFile);
    } catch (IOException e) {
      throw new UncheckedIOException(nameFile + ": cannot be removed: " + e.getMessage(), e);
    }
  }

  @Override
  public Optional<Resize> resize() {
    return vdev.resize().map(resize -> size -> grow(resize, size));
  }

  private void grow(Resize resize, Size size) {
    resize.growTo(size);
    zfs.change("zpool", "online", "-e", name(), vdev.path().toString());
  }
}
