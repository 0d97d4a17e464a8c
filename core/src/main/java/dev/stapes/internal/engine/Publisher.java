package dev.stapes.internal.engine;

import dev.stapes.internal.image.Architectures;
import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.image.ImageTemplate;
import dev.stapes.internal.image.ImageTemplates;
import dev.stapes.internal.image.PublishedDisk;
import dev.stapes.internal.image.PublishedSource;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;

/**
 * Makes images of instances and snapshots. The root disk is copied first, and the copy is packed:
 * the instance is held for the copying only.
 */
final class Publisher {
  private static final String OF_IMAGE = "image.";

  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final Machines machines;
  private final Trash trash;
  private final ImageStore images;
  private final Host host;

  Publisher(
      Catalog catalog,
      Work work,
      PoolService pools,
      Machines machines,
      Trash trash,
      ImageStore images,
      Host host) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.machines = machines;
    this.trash = trash;
    this.images = images;
    this.host = host;
  }

  /**
   * Publishes.
   *
   * @param alias what the operation is called after, else after what is published
   * @param bring brings the image, telling how far it is
   */
  ImageInfo publish(
      PublishSpec spec,
      Optional<String> alias,
      Progress progress,
      BiFunction<ImageSource, Progress, ImageInfo> bring) {
    alias.ifPresent(Names::alias);
    Original named = original(spec);
    return work.runLong(
        "image-create",
        "image " + alias.orElseGet(named::subject),
        progress,
        step -> {
          Copy copy = copy(spec, step);
          StoragePool pool = pools.pool(copy.poolName());
          ImageInfo image = bring.apply(source(spec, copy, pool), step.progress());
          List<Intent.VolumeRef> left =
              List.of(Intent.VolumeRef.of(copy.poolName(), copy.volume()));
          step.done();
          step.intent()
              .ifPresentOrElse(intent -> trash.discard(intent, left), () -> trash.discard(left));
          return image;
        });
  }

  private ImageSource source(PublishSpec spec, Copy copy, StoragePool pool) {
    String subject = copy.original().subject();
    InstanceRecord instance = copy.original().instance();
    ImageMetadata metadata = metadata(spec, copy.original());
    return instance.type() == InstanceType.VIRTUAL_MACHINE
        ? new PublishedDisk(
            subject,
            () -> pool.attach(copy.volume(), Optional.empty(), true),
            metadata,
            templates(instance),
            spec.compression())
        : new PublishedSource(
            subject,
            () -> pool.tree(copy.volume(), Tree.Resolution.BENEATH),
            metadata,
            templates(instance),
            spec.compression());
  }

  /** What is published: an instance, or a snapshot of it. */
  private record Original(InstanceRecord instance, Optional<SnapshotRecord> snapshot) {
    String subject() {
      return snapshot
          .map(taken -> "snapshot " + instance.name() + "/" + taken.name())
          .orElseGet(instance::subject);
    }

    Map<String, String> config() {
      return snapshot.map(SnapshotRecord::config).orElse(instance.config());
    }

    Instant createdAt() {
      return Instant.parse(snapshot.map(SnapshotRecord::createdAt).orElse(instance.createdAt()));
    }
  }

  /** What is packed, and goes afterwards. */
  private record Copy(Original original, String poolName, VolumeId volume) {}

  private Original original(PublishSpec spec) {
    InstanceRecord instance = catalog.require(spec.instance()).value();
    return new Original(
        instance,
        spec.snapshot()
            .map(
                wanted ->
                    catalog
                        .snapshot(instance, wanted)
                        .orElseThrow(
                            () ->
                                StapesException.notFound(
                                    "snapshot " + instance.name() + "/" + wanted))
                        .value()));
  }

  private Copy copy(PublishSpec spec, Work.Step step) {
    InstanceId id = spec.instance();
    VolumeId volume = new VolumeId(VolumeId.Kind.SNAPSHOT, Ids.volumeOf(id));
    Copy[] made = new Copy[1];
    step.part(
        () -> claim(spec),
        () -> {
          Original original = original(spec);
          InstanceRecord instance = original.instance();
          requireStill(spec, instance);
          String poolName = instance.pool();
          // Behind the lock of the instance, as everybody takes them.
          step.keep(new Locks.Claim(Set.of(), Set.of(Work.lockOfPool(poolName))));
          StoragePool pool = pools.pool(poolName);
          step.intend(instance.isThrowaway(), List.of(Intent.VolumeRef.of(poolName, volume)));
          step.undo("volume " + volume, () -> Trash.takeBack(pool, volume));
          original
              .snapshot()
              .ifPresentOrElse(
                  taken -> pool.copy(taken.volumeId(), volume, true),
                  () -> machines.copyAsOfOneMoment(pool, instance, volume, true));
          made[0] = new Copy(original, poolName, volume);
        });
    return made[0];
  }

  /** As for a copy of an instance: alone where it may have to stand still meanwhile. */
  private Locks.Claim claim(PublishSpec spec) {
    String lock = Work.lockOf(spec.instance());
    boolean moves = spec.snapshot().isEmpty() && machines.find(spec.instance()).isPresent();
    return moves ? Locks.Claim.alone(lock) : new Locks.Claim(Set.of(), Set.of(lock));
  }

  private void requireStill(PublishSpec spec, InstanceRecord instance) {
    if (spec.snapshot().isEmpty()
        && !spec.whileRunning()
        && machines.find(spec.instance()).isPresent()) {
      throw new StapesException(
          Kind.BUSY,
          instance.subject(),
          "cannot be published while it runs: stop it, publish a snapshot of it, or ask for it as"
              + " it is while it runs");
    }
  }

  private ImageMetadata metadata(PublishSpec spec, Original original) {
    TreeMap<String, String> properties = new TreeMap<>();
    original
        .config()
        .forEach(
            (key, value) -> {
              if (key.startsWith(OF_IMAGE)) {
                properties.put(key.substring(OF_IMAGE.length()), value);
              }
            });
    properties.putAll(spec.properties());
    InstanceRecord instance = original.instance();
    return new ImageMetadata(
        instance.type(),
        spec.architecture().orElseGet(() -> architecture(instance)),
        spec.createdAt().orElseGet(original::createdAt).truncatedTo(ChronoUnit.SECONDS),
        properties);
  }

  private String architecture(InstanceRecord instance) {
    String fingerprint = instance.image();
    if (fingerprint != null) {
      try {
        return images.find(fingerprint).metadata().architecture();
      } catch (StapesException e) {
        if (e.kind() != Kind.NOT_FOUND) {
          throw e;
        }
      }
    }
    String said = instance.config().get(OF_IMAGE + "architecture");
    return said != null
        ? Architectures.kernelName(said)
        : ofTemplates(instance)
            .map(ImageTemplates::architecture)
            .orElseGet(() -> host.facts().architecture());
  }

  private List<ImageTemplate> templates(InstanceRecord instance) {
    return ofTemplates(instance).map(ImageTemplates::files).orElse(List.of());
  }

  private Optional<ImageTemplates> ofTemplates(InstanceRecord instance) {
    return Optional.ofNullable(instance.templates()).map(images.templates()::get);
  }
}
