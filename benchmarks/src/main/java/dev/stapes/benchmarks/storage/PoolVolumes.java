package dev.stapes.benchmarks.storage;

import dev.stapes.internal.image.ArchiveLimits;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageParts;
import dev.stapes.internal.image.RootfsUnpacker;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Progress;
import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A pool of Stapes, used as the engine uses it: nothing of it knows the driver. */
final class PoolVolumes implements Volumes {
  private final String name;
  private final String description;
  private final Host host;
  private final StoragePool pool;
  private final AtomicInteger restored = new AtomicInteger();

  /** Those that were restored, which makes another volume of them. */
  private final Map<String, VolumeId> moved = new ConcurrentHashMap<>();

  private PoolVolumes(String name, String description, Host host, StoragePool pool) {
    this.name = name;
    this.description = description;
    this.host = host;
    this.pool = pool;
  }

  /**
   * Makes the pool.
   *
   * @param directory empty
   * @throws dev.stapes.model.StapesException where the host cannot have it, saying why
   */
  static PoolVolumes make(Host host, PoolChoice choice, Path directory) {
    choice.provider().probe(host).orThrow("driver " + choice.spec().driver());
    StoragePool pool = choice.provider().create(host, choice.spec(), directory);
    String description =
        choice
            + ", "
            + pool.info().total().toDisplay()
            + ", copies "
            + (pool.info().copies() == PoolInfo.Copies.PER_FILE ? "file by file" : "at once");
    return new PoolVolumes(choice.name(), description, host, pool);
  }

  /** How large the file system is that it lies on. */
  long bytes() {
    return pool.info().total().bytes();
  }

  private VolumeId id(String volume) {
    return moved.getOrDefault(volume, new VolumeId(VolumeId.Kind.INSTANCE, volume));
  }

  private static VolumeId id(String volume, String snapshot) {
    return new VolumeId(VolumeId.Kind.SNAPSHOT, volume + "." + snapshot);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public boolean inProcess() {
    return true;
  }

  @Override
  public void create(String volume) {
    pool.create(id(volume));
  }

  @Override
  public void snapshot(String volume, String snapshot) {
    pool.copy(id(volume), id(volume, snapshot), true);
  }

  @Override
  public void cloneOf(String volume, String snapshot, String target) {
    pool.copy(id(volume, snapshot), id(target), false);
  }

  /** A new volume takes the place of the old one, as in the engine. */
  @Override
  public void restore(String volume, String snapshot) {
    VolumeId old = id(volume);
    VolumeId put = new VolumeId(VolumeId.Kind.INSTANCE, volume + ".r" + restored.incrementAndGet());
    pool.copy(id(volume, snapshot), put, false);
    moved.put(volume, put);
    pool.discard(old);
  }

  @Override
  public void delete(String volume) {
    pool.discard(id(volume));
    moved.remove(volume);
  }

  @Override
  public void deleteSnapshot(String volume, String snapshot) {
    pool.discard(id(volume, snapshot));
  }

  @Override
  public void deleteSnapshots(String volume, List<String> snapshots) {
    pool.discardAll(snapshots.stream().map(snapshot -> id(volume, snapshot)).toList());
  }

  @Override
  public void reclaim() {
    pool.reclaim();
  }

  @Override
  public Opened open(String volume) {
    StoragePool.Attachment attachment = pool.attach(id(volume), Optional.empty(), false);
    Path path = host.mounts().local(attachment.path());
    return new Opened() {
      @Override
      public Path path() {
        return path;
      }

      @Override
      public void close() {
        attachment.close();
      }
    };
  }

  @Override
  public void unpack(Path archive, String volume) {
    ImageParts image = new ImageParts(archive, Optional.empty());
    try (Tree tree = pool.tree(id(volume), Tree.Resolution.BENEATH)) {
      new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
          .unpack(image, Progress.NONE);
    }
  }

  @Override
  public Optional<Streams> streams() {
    return pool.sendReceive().map(PoolStreams::new);
  }

  /** Removes the pool. */
  @Override
  public void close() {
    pool.destroy();
  }

  private final class PoolStreams implements Streams {
    private final StoragePool.SendReceive sendReceive;

    PoolStreams(StoragePool.SendReceive sendReceive) {
      this.sendReceive = sendReceive;
    }

    @Override
    public void send(String volume, String snapshot, Optional<String> base, OutputStream out) {
      sendReceive.send(id(volume, snapshot), base.map(each -> id(volume, each)), out);
    }

    @Override
    public void receive(String target, InputStream in) {
      sendReceive.receive(received(target), in);
    }

    @Override
    public void deleteReceived(String target) {
      pool.discard(received(target));
    }

    private static VolumeId received(String target) {
      return new VolumeId(VolumeId.Kind.SNAPSHOT, target);
    }
  }
}
