package dev.stapes.internal.image;

import dev.stapes.model.LeftoversException;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The unpacked images in the pools: each once per pool, whoever asks for it and however many at
 * once. A record in the state store says that a volume is complete; it is written last, so that a
 * volume without one is what a crash left of an unpacking.
 */
final class ImageVolumes {
  private static final Logger LOG = LoggerFactory.getLogger(ImageVolumes.class);
  private static final int NAME_LENGTH = 32;

  private final StateStore state;
  private final InstantSource clock;
  private final Set<String> complete = ConcurrentHashMap.newKeySet();
  private final ConcurrentHashMap<String, CompletableFuture<VolumeId>> running =
      new ConcurrentHashMap<>();

  ImageVolumes(StateStore state, InstantSource clock) {
    this.state = state;
    this.clock = clock;
  }

  static VolumeId id(String fingerprint) {
    return new VolumeId(VolumeId.Kind.IMAGE, fingerprint.substring(0, NAME_LENGTH));
  }

  /** Whether a pool has it, without asking the store a second time. */
  boolean isComplete(String poolName, StoragePool pool, String fingerprint) {
    String key = ImageRecord.volumeKey(poolName, fingerprint);
    if (!complete.contains(key)) {
      if (state.get(key).isEmpty()) {
        return false;
      }
      complete.add(key);
    }
    return pool.exists(id(fingerprint));
  }

  /** Unpacks where nobody has; where somebody is at it, waits. */
  VolumeId ensure(
      String poolName, StoragePool pool, String fingerprint, Path archive, Progress progress) {
    String key = ImageRecord.volumeKey(poolName, fingerprint);
    while (true) {
      CompletableFuture<VolumeId> mine = new CompletableFuture<>();
      CompletableFuture<VolumeId> other = running.putIfAbsent(key, mine);
      if (other == null) {
        return lead(key, mine, poolName, pool, fingerprint, archive, progress);
      }
      try {
        return other.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(
            StapesException.Kind.INTERRUPTED,
            ImageCatalog.subject(fingerprint),
            "waiting for its unpacking was interrupted",
            e);
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof StapesException failure)) {
          throw new StapesException(
              StapesException.Kind.INTERNAL,
              ImageCatalog.subject(fingerprint),
              "unpacking failed: " + e.getCause(),
              e.getCause());
        }
        // That the other caller gave up does not concern this one.
        if (failure.kind() != StapesException.Kind.INTERRUPTED) {
          throw new StapesException(
              failure.kind(),
              ImageCatalog.subject(fingerprint),
              "unpacking failed: " + failure.getMessage(),
              failure);
        }
      }
    }
  }

  private VolumeId lead(
      String key,
      CompletableFuture<VolumeId> mine,
      String poolName,
      StoragePool pool,
      String fingerprint,
      Path archive,
      Progress progress) {
    try {
      if (!isComplete(poolName, pool, fingerprint)) {
        unpack(key, pool, fingerprint, archive, progress);
      }
      running.remove(key, mine);
      mine.complete(id(fingerprint));
      return id(fingerprint);
    } catch (Throwable e) {
      running.remove(key, mine);
      mine.completeExceptionally(e);
      throw e;
    }
  }

  private void unpack(
      String key, StoragePool pool, String fingerprint, Path archive, Progress progress) {
    VolumeId id = id(fingerprint);
    // Before the first file is made: a record that outlived its volume must not vouch for this one.
    forget(key);
    pool.discard(id);
    try {
      pool.create(id);
      RootfsUnpacker.Unpacked result;
      try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
        result = new RootfsUnpacker(tree, false, ArchiveLimits.USUAL).unpack(archive, progress);
      }
      if (result.leftOut() + result.attributesLeftOut() > 0) {
        LOG.info(
            "{}: left out {} device nodes or things below /dev and {} extended attributes",
            ImageCatalog.subject(fingerprint),
            result.leftOut(),
            result.attributesLeftOut());
      }
      state.commit(
          StateStore.Transaction.begin()
              .put(key, "{\"unpacked_at\":\"" + clock.instant() + "\"}")
              .build());
      complete.add(key);
    } catch (Throwable e) {
      discard(pool, id, e);
      throw e;
    }
  }

  private static void discard(StoragePool pool, VolumeId id, Throwable cause) {
    boolean interrupted = Thread.interrupted();
    try {
      pool.discard(id);
      pool.reclaim(); // it may have failed for want of space
    } catch (RuntimeException e) {
      LeftoversException leftovers =
          new LeftoversException("image volume " + id, List.of("volume " + id));
      leftovers.addSuppressed(e);
      cause.addSuppressed(leftovers);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void forget(String key) {
    complete.remove(key);
    if (state.get(key).isPresent()) {
      state.commit(StateStore.Transaction.begin().remove(key).build());
    }
  }

  /** An image is gone. */
  void forgetImage(String fingerprint) {
    complete.removeIf(key -> key.endsWith("/" + fingerprint));
  }

  /** A pool is gone, with its volumes. */
  void forgetPool(String poolName) {
    String prefix = ImageRecord.VOLUMES + poolName + "/";
    complete.removeIf(key -> key.startsWith(prefix));
    StateStore.Transaction.Builder transaction = StateStore.Transaction.begin();
    state.prefix(prefix).forEach(entry -> transaction.remove(entry.key()));
    state.commit(transaction.build());
  }

  /** Discards the image volumes of a pool that are incomplete or whose image is gone. */
  void collect(String poolName, StoragePool pool, Set<String> fingerprints) {
    String prefix = ImageRecord.VOLUMES + poolName + "/";
    Set<String> wanted =
        state.prefix(prefix).stream()
            .map(entry -> entry.key().substring(prefix.length()))
            .filter(fingerprints::contains)
            .map(fingerprint -> id(fingerprint).name())
            .collect(Collectors.toSet());
    for (VolumeId id : pool.list(VolumeId.Kind.IMAGE)) {
      if (!wanted.contains(id.name())
          && running.keySet().stream().noneMatch(key -> key.startsWith(prefix + id.name()))) {
        LOG.info("pool {}: discards {}, which is incomplete or unknown", poolName, id);
        pool.discard(id);
      }
    }
  }
}
