package dev.stapes.storage.lvm;

import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.storage.lvm.ThinMetadata.Parts;
import java.util.List;

/** A thin pool: a volume takes what is written to it, and a copy is a snapshot. */
final class ThinSpace implements Space {
  private final PoolContext pool;
  private final ThinPool thin;
  private final PoolRoom room;
  private final ThinMetadata metadata;

  ThinSpace(PoolContext pool, ThinPool thin, Backing backing) {
    this.pool = pool;
    this.thin = thin;
    this.room = new PoolRoom(pool.subject(), thin, backing, System::nanoTime);
    this.metadata = new ThinMetadata(pool.host(), pool.subject(), thin.volumes());
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.INSTANT;
  }

  @Override
  public Usage measure() {
    Fullness fullness = room.measure();
    return new Usage(fullness.size(), fullness.used());
  }

  @Override
  public void require() {
    room.require();
  }

  @Override
  public void requireNow() {
    room.requireNow();
  }

  @Override
  public long usualSize() {
    return room.usualSize(pool);
  }

  @Override
  public long rounded(String subject, Size size) {
    return room.rounded(subject, size);
  }

  @Override
  public void create(ThinVolume volume) {
    thin.create(volume);
  }

  /** It reads as zeros, because the pool zeroes what is new. */
  @Override
  public void createBlock(ThinVolume volume) {
    thin.createBlock(volume);
  }

  /** It is whole with the commit that makes it. */
  @Override
  public void copy(String source, String target, List<String> tags) {
    thin.snapshot(source, target, tags);
  }

  /** Neither takes more than what is written. */
  @Override
  public Room forCopyOf(long size) {
    return () -> {};
  }

  @Override
  public void resize(String volume, long now, long bytes) {
    if (now != bytes) {
      thin.resize(volume, bytes > now, bytes);
    }
  }

  @Override
  public long used(ThinVolume volume) {
    return thin.used(volume);
  }

  @Override
  public Parts mapped(String volume, Holding stream) {
    return metadata.mapped(volume, stream);
  }

  @Override
  public Parts changed(String base, String volume, Holding stream) {
    return metadata.changed(base, volume, stream);
  }

  @Override
  public void awaitEnd() {
    metadata.awaitEnd();
  }

  @Override
  public long size() {
    return thin.fullness().size();
  }

  @Override
  public boolean fill() {
    return thin.fill();
  }

  @Override
  public void extend(long bytes) {
    thin.extendData(bytes);
  }
}
