package dev.stapes.internal.engine;

import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.image.PairedPool;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The storage pools. */
public final class PoolService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PoolService.class);

  private final Host host;
  private final Catalog catalog;
  private final ImageStore images;
  private final Path directory;
  private final Map<String, StorageDriverProvider> providers = new TreeMap<>();
  private final ConcurrentHashMap<String, StoragePool> open = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, StapesException> broken = new ConcurrentHashMap<>();
  private final InstantSource clock;
  private final Work work;
  private final String defaultName;

  PoolService(
      Host host,
      Catalog catalog,
      ImageStore images,
      Path directory,
      List<StorageDriverProvider> candidates,
      Work work,
      InstantSource clock,
      String defaultName) {
    this.host = host;
    this.catalog = catalog;
    this.images = images;
    this.directory = directory;
    this.work = work;
    this.clock = clock;
    this.defaultName = defaultName;
    for (StorageDriverProvider provider : candidates) {
      if (providers.putIfAbsent(provider.name(), provider) != null) {
        throw new StapesException(
            Kind.CONFLICT, "storage driver " + provider.name(), "there are two of this name");
      }
    }
  }

  /** Opens all pools; one that does not open is reported when it is used. */
  void openAll() {
    for (PoolRecord record : catalog.pools()) {
      try {
        StorageDriverProvider provider = provider(record.driver());
        StoragePool pool = paired(provider.open(host, record.toSpec(), directoryOf(record.name())));
        open.put(record.name(), pool);
        images.collect(record.name(), pool);
      } catch (StapesException e) {
        LOG.warn("pool {} does not open: {}", record.name(), e.getMessage());
        broken.put(record.name(), e);
      }
    }
  }

  /**
   * Removes what the crash of a pool's creation or removal left.
   *
   * @return false where there is something left that the next open may remove
   */
  boolean collectPool(Intent intent) {
    String name = intent.pool();
    if (catalog.pools().stream().anyMatch(record -> record.name().equals(name))) {
      return true;
    }
    try {
      removeRest(intent);
      return true;
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.warn("of {} something is still there: {}", intent.subject(), e.getMessage());
      return false;
    }
  }

  private void removeRest(Intent intent) {
    if (intent.removed() != null) {
      sweep(intent.removed(), Unfinished.REMOVAL);
    } else if (intent.made() != null) {
      sweep(intent.made(), Unfinished.CREATION);
    }
    removeDirectory(intent.pool());
  }

  /**
   * Removes what is left of a pool of a name that another one is to get: whose it is stands in its
   * directory, so that must not be lost.
   */
  private void removeRest(String name) {
    for (Map.Entry<String, Intent> each : catalog.intents().entrySet()) {
      if (each.getValue().pool().equals(name)) {
        try {
          removeRest(each.getValue());
        } catch (StapesException e) {
          throw new StapesException(
              e.kind() == Kind.INTERRUPTED ? e.kind() : Kind.BUSY,
              "pool " + name,
              "what is left of one of that name cannot be removed: " + e.getMessage(),
              e);
        }
        catalog.change(false).removeIntent(each.getKey()).commit();
      }
    }
  }

  /** Nothing can be left of a pool whose directory was never made: its driver was not asked yet. */
  private void sweep(PoolRecord pool, Unfinished what) {
    Path own = directoryOf(pool.name());
    if (what == Unfinished.REMOVAL || Files.isDirectory(own)) {
      makeDirectory(own);
      provider(pool.driver()).sweep(host, pool.toSpec(), own, what);
    }
  }

  /** The pool that root disks go to where nothing else is said. */
  public String defaultName() {
    return defaultName;
  }

  /** Whether there is a pool of a name. */
  boolean exists(String name) {
    return open.containsKey(name) || broken.containsKey(name);
  }

  /** Whether a pool can be used now. */
  boolean isUsable(String name) {
    return open.containsKey(name);
  }

  /**
   * An open pool.
   *
   * @throws StapesException NOT_FOUND; or the reason why it did not open
   */
  StoragePool pool(String name) {
    StoragePool pool = open.get(name);
    if (pool != null) {
      return pool;
    }
    StapesException why = broken.get(name);
    if (why != null) {
      throw new StapesException(
          Kind.UNAVAILABLE, "pool " + name, String.valueOf(why.getMessage()), why);
    }
    throw StapesException.notFound("pool " + name);
  }

  /** All open pools by name. */
  Map<String, StoragePool> open() {
    return Map.copyOf(open);
  }

  /** Makes a pool. */
  public void create(PoolSpec spec) {
    String subject = "pool " + spec.name();
    StorageDriverProvider provider = provider(spec.driver());
    new ConfigSchema(provider.poolKeys()).validate(subject, spec.config().values());
    provider.probe(host).orThrow(spec.driver() + " driver");
    work.run(
        "storage-pool-create",
        subject,
        List.of(Work.lockOfPool(spec.name())),
        step -> {
          if (exists(spec.name())) {
            throw new StapesException(Kind.CONFLICT, subject, "exists already");
          }
          removeRest(spec.name());
          Path own = directoryOf(spec.name());
          if (!RootDirectory.isVacant(own)) { // where the creation fails it would be removed
            throw new StapesException(
                Kind.CONFLICT, subject, "something is in its directory, move it away: " + own);
          }
          step.intend(Intent.creationOf(PoolRecord.of(spec)));
          String later = Ids.ordered(clock.instant());
          step.undo("rest of " + subject, () -> undoCreation(PoolRecord.of(spec), later));
          makeDirectory(own);
          StoragePool pool = paired(provider.create(host, spec, own));
          step.undo(subject, () -> destroyOrClose(pool));
          step.conclude(catalog.change(false).insert(PoolRecord.of(spec)));
          open.put(spec.name(), pool);
          work.happened("storage-pool-created", subject, Map.of("driver", spec.driver()));
          return true;
        });
  }

  private StoragePool paired(StoragePool pool) {
    return PairedPool.of(pool, host.mounts());
  }

  /** What is left of one that is open is not swept. */
  private static void destroyOrClose(StoragePool pool) {
    try {
      pool.destroy();
    } catch (RuntimeException e) {
      Undo.after(e, pool::close);
      throw e;
    }
  }

  /**
   * What cannot be removed now, the next open tries again, and who makes one of that name.
   *
   * @param later the intent that says so
   */
  private void undoCreation(PoolRecord pool, String later) {
    try {
      sweep(pool, Unfinished.CREATION);
    } catch (RuntimeException e) {
      catalog.change(false).put(later, Intent.creationOf(pool)).commit();
      throw e;
    }
    removeDirectory(pool.name());
  }

  /** The first of some drivers that works here. */
  Optional<String> firstUsable(List<String> drivers) {
    for (String driver : drivers) {
      StorageDriverProvider provider = providers.get(driver);
      if (provider == null) {
        LOG.info("no storage driver {}", driver);
      } else if (provider.probe(host) instanceof dev.stapes.spi.Availability.Unavailable no) {
        LOG.warn("storage driver {} unavailable: {}: {}", driver, no.reason(), no.remedy());
      } else {
        return Optional.of(driver);
      }
    }
    return Optional.empty();
  }

  /** What a pool is. */
  public PoolInfo info(String name) {
    return pool(name).info();
  }

  /** What all usable pools are, by name. */
  public List<PoolInfo> list() {
    return new TreeMap<>(open).values().stream().map(StoragePool::info).toList();
  }

  /** Why pools do not open, by name. */
  public SortedMap<String, String> broken() {
    TreeMap<String, String> reasons = new TreeMap<>();
    broken.forEach((name, reason) -> reasons.put(name, String.valueOf(reason.getMessage())));
    return reasons;
  }

  /** Makes a pool larger. */
  public void grow(String name, Size size) {
    Locks.Claim claim = Locks.Claim.alone("pool-size/" + name).sharing(Work.lockOfPool(name));
    work.run(
        "storage-pool-grow",
        "pool " + name,
        () -> claim,
        Progress.NONE,
        step -> {
          pool(name)
              .growable()
              .orElseThrow(() -> unsupported("pool " + name, "cannot grow"))
              .grow(size);
          catalog.pools().stream()
              .filter(record -> record.name().equals(name))
              .forEach(
                  record ->
                      catalog
                          .change(false)
                          .put(PoolRecord.of(record.toSpec().size(size)))
                          .commit());
          return true;
        });
  }

  /** Deletes a pool in which nothing but images is. */
  public void delete(String name) {
    String subject = "pool " + name;
    work.run(
        "storage-pool-delete",
        subject,
        List.of(Work.lockOfPool(name)),
        step -> {
          StoragePool pool = pool(name);
          requireUnused(name);
          if (!catalog.volumes(name).isEmpty()) {
            throw new StapesException(
                Kind.BUSY, subject, "has volume " + catalog.volumes(name).get(0).name());
          }
          step.conclude(
              catalog
                  .change(false)
                  .removePool(name)
                  .put(Ids.ordered(clock.instant()), Intent.removalOf(record(name))));
          open.remove(name);
          images.forgetPool(name);
          try {
            pool.destroy();
            removeDirectory(name);
          } catch (StapesException e) {
            Undo.after(e, pool::close);
            throw new StapesException(
                e.kind(),
                subject,
                "deleted, but not all of it is gone; the next open removes the rest: "
                    + e.getMessage(),
                e);
          }
          finishIntentsOf(name);
          work.happened("storage-pool-deleted", subject, Map.of());
          return true;
        });
  }

  /**
   * Forgets a pool that does not open, with its custom volumes. Its own directory is put aside, so
   * that nothing of it is lost and another pool may have the name.
   */
  public void forget(String name) {
    String subject = "pool " + name;
    work.run(
        "storage-pool-forget",
        subject,
        List.of(Work.lockOfPool(name)),
        step -> {
          if (isUsable(name)) {
            throw new StapesException(Kind.CONFLICT, subject, "can be used: delete it instead");
          }
          if (!exists(name)) {
            throw StapesException.notFound(subject);
          }
          requireUnused(name);
          Path aside = directory.resolve("." + name + "-forgotten-" + Ids.ordered(clock.instant()));
          if (Files.isDirectory(directoryOf(name))) {
            step.undo("directory of " + subject, () -> move(aside, directoryOf(name)));
            move(directoryOf(name), aside);
          }
          Catalog.Change change = catalog.change(false).removePool(name);
          for (VolumeRecord volume : catalog.volumes(name)) {
            catalog.snapshots(volume).forEach(change::remove);
            change.remove(volume);
          }
          step.conclude(change);
          broken.remove(name);
          step.done();
          images.forgetPool(name);
          finishIntentsOf(name);
          work.happened("storage-pool-forgotten", subject, Map.of());
          return true;
        });
  }

  /** Fails with BUSY where the root disk of an instance is in a pool, or a disk device names it. */
  private void requireUnused(String name) {
    for (Catalog.Stored<InstanceRecord> stored : catalog.instances()) {
      InstanceRecord instance = stored.value();
      if (instance.pool().equals(name)
          || VolumeUse.of(instance.typedDevices().values())
              .anyMatch(use -> use.pool().equals(name))) {
        throw new StapesException(Kind.BUSY, "pool " + name, "in use by " + instance.subject());
      }
    }
  }

  private static void move(Path from, Path to) {
    try {
      if (Files.isDirectory(from)) {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "directory " + from, "cannot be moved to " + to + ": " + e, e);
    }
  }

  /** Limits a volume where a limit is asked for. */
  void limit(StoragePool pool, dev.stapes.spi.VolumeId volume, Optional<Size> size) {
    if (size.isPresent()) {
      quotas(pool).limit(volume, size);
    }
  }

  static StoragePool.Quotas quotas(StoragePool pool) {
    return pool.quotas()
        .orElseThrow(
            () -> unsupported("pool " + pool.info().name(), "cannot limit the size of a volume"));
  }

  private StorageDriverProvider provider(String driver) {
    StorageDriverProvider provider = providers.get(driver);
    if (provider == null) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          "storage driver " + driver,
          "not found; there are "
              + new ArrayList<>(providers.keySet())
              + ": add the artifact that brings it, such as stapes-storage-fs");
    }
    return provider;
  }

  private PoolRecord record(String name) {
    return catalog.pools().stream()
        .filter(record -> record.name().equals(name))
        .findFirst()
        .orElseThrow(() -> StapesException.notFound("pool " + name));
  }

  private void finishIntentsOf(String pool) {
    catalog
        .intents()
        .forEach(
            (id, intent) -> {
              if (intent.pool().equals(pool)) {
                catalog.change(false).removeIntent(id).commit();
              }
            });
  }

  private Path directoryOf(String name) {
    return directory.resolve(name);
  }

  private static void makeDirectory(Path path) {
    try {
      Files.createDirectories(path);
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "directory " + path, "cannot be made: " + e.getMessage(), e);
    }
  }

  private void removeDirectory(String name) {
    Path own = directoryOf(name);
    if (Files.isDirectory(own)) {
      try (dev.stapes.spi.Tree tree =
          host.tree(directory, dev.stapes.spi.Tree.Resolution.BENEATH)) {
        tree.removeAll(name);
      }
    }
  }

  private static StapesException unsupported(String subject, String problem) {
    return new StapesException(Kind.UNSUPPORTED, subject, problem);
  }

  @Override
  public void close() {
    Resources.closeAll(open.values());
    open.clear();
  }
}
