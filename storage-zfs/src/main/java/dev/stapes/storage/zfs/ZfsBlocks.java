package dev.stapes.storage.zfs;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.model.Config;
import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Volumes that are zvols. They are among the datasets of the pool, and whatever is done to those by
 * their names is done to them: snapshots, clones, the trash, streams.
 */
final class ZfsBlocks implements StoragePool.BlockVolumes {
  /** The blocks of ZFS itself, and the largest that a guest's disk is to have. */
  private static final long USUAL = 16 << 10;

  private static final long MOST = 128 << 10;

  private final ZfsPool pool;
  private final Backing backing;
  private final Zfs zfs;
  private final VolumeNames names;
  private final BlockUses uses;
  private final ZvolDevices devices;
  private final long blockSize;
  private final boolean reserved;

  /**
   * Those of a pool.
   *
   * @param config of the pool
   */
  ZfsBlocks(
      ZfsPool pool,
      Backing backing,
      Zfs zfs,
      VolumeNames names,
      BlockUses uses,
      ZvolDevices devices,
      Config config) {
    this.pool = pool;
    Optional<Size> wanted = config.get(ZfsKeys.BLOCK_SIZE);
    this.blockSize = wanted.map(size -> Math.min(size.bytes(), MOST)).orElse(USUAL);
    this.reserved = ZfsKeys.reservesSpace(config);
    this.backing = backing;
    this.zfs = zfs;
    this.names = names;
    this.uses = uses;
    this.devices = devices;
  }

  @Override
  public void create(VolumeId id, Size size) {
    Size whole = rounded(id, size);
    pool.pass(
        index -> {
          index.requireFree(id);
          backing.requireRoom();
          DatasetName dataset = pool.root().child(VolumeNames.component(id));
          zfs.createBlocks(dataset, whole, blockSize, reserved);
          index.put(id, Place.of(dataset), whole.bytes());
          return id;
        });
  }

  /** A size is rounded to the largest blocks of any volume, so that copies can have it, too. */
  private static Size rounded(VolumeId id, Size size) {
    if (size.bytes() <= 0 || size.bytes() > Long.MAX_VALUE - MOST) {
      throw StapesException.invalid("volume " + id, "no size of a device: \"" + size + "\"");
    }
    return Size.ofBytes((size.bytes() + MOST - 1) / MOST * MOST);
  }

  @Override
  public Optional<Size> size(VolumeId id) {
    return pool.pass(
        index -> {
          index.require(id);
          long bytes = index.blocks(id);
          return bytes == 0 ? Optional.empty() : Optional.of(Size.ofBytes(bytes));
        });
  }

  @Override
  public void grow(VolumeId id, Size size) {
    Size whole = rounded(id, size);
    pool.pass(
        index -> {
          Place place = require(index, id);
          if (place.isSnapshot()) {
            throw new StapesException(Kind.DENIED, "volume " + id, "read-only: it cannot grow");
          }
          long before = index.blocks(id);
          if (whole.bytes() < before) {
            throw StapesException.invalid(
                "volume " + id,
                "a device does not shrink: it has " + Size.ofBytes(before) + ", asked for " + size);
          }
          if (whole.bytes() > before) {
            backing.requireRoom();
            zfs.set(place.dataset(), "volsize", Long.toString(whole.bytes()));
            index.put(id, place, whole.bytes());
          }
          uses.grown(place);
          return id;
        });
  }

  private static Place require(VolumeIndex index, VolumeId id) {
    Place place = index.require(id);
    if (index.blocks(id) == 0) {
      throw StapesException.invalid("volume " + id, "it is no block device");
    }
    return place;
  }

  /** What will be attached when its device is there. */
  private record Awaited(BlockUses.Use use, boolean readOnly, Runnable end) {}

  /**
   * The kernel makes devices when it comes to it: nobody is kept out between two looks, and a pool
   * that is closed meanwhile is looked at no more.
   */
  @Override
  public Attachment attach(VolumeId id, boolean readOnly) {
    Awaited awaited =
        pool.pass(
            index -> {
              Place place = require(index, id);
              return place.isSnapshot() ? ofSnapshot(place) : ofVolume(place, readOnly);
            });
    ZvolDevices.Search search = devices.search(() -> uses.place(awaited.use()).dataset());
    try {
      return search.await(
          () -> pool.pass(index -> search.look().map(device -> attached(device, awaited))));
    } catch (RuntimeException e) {
      Undo.after(e, awaited.end());
      throw e;
    }
  }

  private Attachment attached(Path device, Awaited awaited) {
    if (!awaited.readOnly()) {
      return new Attached(device, awaited.end());
    }
    LoopDevice view = devices.readOnly(device);
    try {
      uses.growing(awaited.use(), view::refreshSize);
    } catch (RuntimeException e) {
      Undo.after(e, view::close);
      throw e;
    }
    return new Attached(
        view.path(),
        () -> {
          awaited.end().run();
          view.close();
        });
  }

  private Awaited ofVolume(Place place, boolean readOnly) {
    BlockUses.Use use = uses.begin(place);
    return new Awaited(use, readOnly, () -> uses.end(use));
  }

  /** A snapshot has no device: a clone of it has, which is gone when nobody uses it any more. */
  private Awaited ofSnapshot(Place place) {
    String between = names.begin();
    BlockUses.Use use = uses.begin(Place.of(pool.root().child(between)));
    Runnable end =
        () -> {
          uses.end(use);
          names.done(between);
        };
    try {
      zfs.cloneReadOnly(place, uses.place(use).dataset());
      return new Awaited(use, false, end);
    } catch (RuntimeException e) {
      Undo.after(e, end);
      throw e;
    }
  }

  /** A device in use, until it is closed. */
  private static final class Attached implements Attachment {
    private final Path path;
    private final Runnable end;
    private final AtomicBoolean closed = new AtomicBoolean();

    Attached(Path path, Runnable end) {
      this.path = path;
      this.end = end;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public Optional<IdMapping> mapped() {
      return Optional.empty();
    }

    @Override
    public void close() {
      if (!closed.getAndSet(true)) {
        end.run();
      }
    }
  }
}
