package dev.stapes.internal.image;

import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceType;
import dev.stapes.model.LeftoversException;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
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
  private final Decoders decoders;
  private final DiskUnpacker disks;
  private final Set<String> complete = ConcurrentHashMap.newKeySet();
  private final ConcurrentHashMap<String, CompletableFuture<VolumeId>> running =
      new ConcurrentHashMap<>();

  /**
   * Prepares.
   *
   * @param disks unpacks the images of virtual machines
   */
  ImageVolumes(StateStore state, InstantSource clock, Decoders decoders, DiskUnpacker disks) {
    this.state = state;
    this.clock = clock;
    this.decoders = decoders;
    this.disks = disks;
  }

  /** The volume of a name that is a fingerprint or one of {@link ImageForm#chain}. */
  static VolumeId id(String volume) {
    return new VolumeId(VolumeId.Kind.IMAGE, volume.substring(0, NAME_LENGTH));
  }

  /** Whether a pool has it, without asking the store a second time. */
  boolean isComplete(String poolName, StoragePool pool, String volume) {
    String key = ImageRecord.volumeKey(poolName, volume);
    if (!complete.contains(key)) {
      if (state.get(key).isEmpty()) {
        return false;
      }
      complete.add(key);
    }
    return pool.exists(id(volume));
  }

  /** Unpacks where nobody has; where somebody is at it, waits. */
  VolumeId ensure(
      String poolName, StoragePool pool, ImageInfo info, ImageParts image, Progress progress) {
    String fingerprint = info.fingerprint();
    String subject = ImageCatalog.subject(fingerprint);
    if (info.metadata().type() == InstanceType.VIRTUAL_MACHINE) {
      return ensure(
          new Wanted(poolName, pool, fingerprint, subject),
          id -> {
            pool.create(id);
            disks.unpack(pool, id, image, subject, progress);
          });
    }
    List<String> chain = image.form().chain();
    if (chain.isEmpty()) {
      return ensure(
          new Wanted(poolName, pool, fingerprint, subject),
          id -> {
            pool.create(id);
            try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
              log(
                  subject,
                  new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, decoders)
                      .unpack(image, progress));
            }
          });
    }
    List<Path> layers = image.layers();
    if (pool.copies() == PoolInfo.Copies.PER_FILE) {
      // A copy for each layer would cost more than it saves.
      return ensure(
          new Wanted(poolName, pool, chain.get(chain.size() - 1), subject),
          id -> {
            pool.create(id);
            layers.forEach(layer -> apply(layer, pool, id, subject, progress));
          });
    }
    VolumeId last = id(chain.get(0));
    for (int i = 0; i < chain.size(); i++) {
      Path layer = layers.get(i);
      Optional<VolumeId> below = i == 0 ? Optional.empty() : Optional.of(last);
      last =
          ensure(
              new Wanted(poolName, pool, chain.get(i), subject),
              id -> {
                below.ifPresentOrElse(
                    source -> pool.copy(source, id, false), () -> pool.create(id));
                apply(layer, pool, id, subject, progress);
              });
    }
    return last;
  }

  private record Wanted(String poolName, StoragePool pool, String volume, String subject) {
    String key() {
      return ImageRecord.volumeKey(poolName, volume);
    }
  }

  private VolumeId ensure(Wanted wanted, Consumer<VolumeId> filler) {
    while (true) {
      CompletableFuture<VolumeId> mine = new CompletableFuture<>();
      CompletableFuture<VolumeId> other = running.putIfAbsent(wanted.key(), mine);
      if (other == null) {
        return lead(wanted, mine, filler);
      }
      try {
        return other.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(
            StapesException.Kind.INTERRUPTED,
            wanted.subject(),
            "waiting for its unpacking was interrupted",
            e);
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof StapesException failure)) {
          throw new StapesException(
              StapesException.Kind.INTERNAL,
              wanted.subject(),
              "unpacking failed: " + e.getCause(),
              e.getCause());
        }
        // That the other caller gave up does not concern this one.
        if (failure.kind() != StapesException.Kind.INTERRUPTED) {
          throw new StapesException(
              failure.kind(),
              wanted.subject(),
              "unpacking failed: " + failure.getMessage(),
              failure);
        }
      }
    }
  }

  private VolumeId lead(
      Wanted wanted, CompletableFuture<VolumeId> mine, Consumer<VolumeId> filler) {
    VolumeId id = id(wanted.volume());
    try {
      if (!isComplete(wanted.poolName(), wanted.pool(), wanted.volume())) {
        make(wanted, id, filler);
      }
      running.remove(wanted.key(), mine);
      mine.complete(id);
      return id;
    } catch (Throwable e) {
      running.remove(wanted.key(), mine);
      mine.completeExceptionally(e);
      throw e;
    }
  }

  private void make(Wanted wanted, VolumeId id, Consumer<VolumeId> filler) {
    // Before the first file is made: a record that outlived its volume must not vouch for this one.
    forget(wanted.key());
    boolean left = !discarded(wanted.pool(), id);
    try {
      if (!left) {
        filler.accept(id);
      }
      state.commit(
          StateStore.Transaction.begin()
              .put(wanted.key(), "{\"unpacked_at\":\"" + clock.instant() + "\"}")
              .build());
      complete.add(wanted.key());
    } catch (Throwable e) {
      if (!left) {
        discard(wanted.pool(), id, e);
      }
      throw e;
    }
  }

  /**
   * Removes what is there without a record: what a crash left, or the volume of an image that was
   * deleted.
   *
   * @return false where other volumes lie over it: that is so only of a whole one, whose image is
   *     back
   */
  private static boolean discarded(StoragePool pool, VolumeId id) {
    try {
      pool.discard(id);
      return true;
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.BUSY || !pool.exists(id)) {
        throw e;
      }
      return false;
    }
  }

  private void apply(Path layer, StoragePool pool, VolumeId id, String subject, Progress progress) {
    try (Tree tree = pool.tree(id, Tree.Resolution.IN_ROOT)) {
      log(subject, new LayerUnpacker(tree, ArchiveLimits.USUAL, decoders).unpack(layer, progress));
    }
  }

  private static void log(String subject, RootfsUnpacker.Unpacked result) {
    if (result.leftOut() + result.attributesLeftOut() > 0) {
      LOG.info(
          "{}: left out {} device nodes or things below /dev and {} extended attributes",
          subject,
          result.leftOut(),
          result.attributesLeftOut());
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

  /** Volumes are gone from all pools. */
  void forgetVolumes(Set<String> volumes) {
    complete.removeIf(key -> volumes.contains(key.substring(key.lastIndexOf('/') + 1)));
  }

  /** A pool is gone, with its volumes. */
  void forgetPool(String poolName) {
    String prefix = ImageRecord.VOLUMES + poolName + "/";
    complete.removeIf(key -> key.startsWith(prefix));
    StateStore.Transaction.Builder transaction = StateStore.Transaction.begin();
    state.prefix(prefix).forEach(entry -> transaction.remove(entry.key()));
    state.commit(transaction.build());
  }

  /**
   * Discards the image volumes of a pool that are incomplete or whose image is gone.
   *
   * @param volumes those that images have
   */
  void collect(String poolName, StoragePool pool, Set<String> volumes) {
    String prefix = ImageRecord.VOLUMES + poolName + "/";
    Set<String> wanted =
        state.prefix(prefix).stream()
            .map(entry -> entry.key().substring(prefix.length()))
            .filter(volumes::contains)
            .map(volume -> id(volume).name())
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
