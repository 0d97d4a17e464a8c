package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.INVALID;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.UUID;

/** The streams of a fake pool. */
final class FakeStreams implements StoragePool.SendReceive {
  private final FakePool pool;
  private final FakeDisk disk;
  private final FakeBlocks blocks;

  FakeStreams(FakePool pool, FakeDisk disk, FakeBlocks blocks) {
    this.pool = pool;
    this.disk = disk;
    this.blocks = blocks;
  }

  @Override
  public void send(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    pool.ensureOpen();
    write(id, base.map(other -> readOnly(other).identity), out);
    pool.ensureOpen();
  }

  /** The same, whether the base is here or not. */
  void write(VolumeId id, Optional<UUID> base, OutputStream out) {
    FakeVolume volume = readOnly(id);
    FakeInode root = blocks.sent(id, volume.root);
    FakeStream.write(
        root == volume.root ? volume : new FakeVolume(root, volume.identity, true, bytes -> {}),
        base,
        out);
  }

  @Override
  public void receive(VolumeId id, InputStream in) {
    pool.ensureOpen();
    pool.requireVacant(id);
    FakeStream.Content content = FakeStream.read(in);
    pool.ensureOpen();
    requireBase(id, content.base());
    make(id, content);
  }

  /** Makes the volume of a stream. */
  void make(VolumeId id, FakeStream.Content content) {
    FakeInode root = blocks.received(id, content.root());
    pool.add(id, new FakeVolume(root, content.identity(), true, disk::charge));
  }

  void requireBase(VolumeId id, Optional<UUID> base) {
    if (base.isPresent() && !disk.has(base.get())) {
      throw new StapesException(
          INVALID, "volume " + id, "the stream builds on a volume that is not here");
    }
  }

  FakeVolume readOnly(VolumeId id) {
    FakeVolume volume = pool.find(id);
    if (!volume.isReadOnly()) {
      throw new StapesException(INVALID, "volume " + id, "cannot be sent: not read-only");
    }
    return volume;
  }
}
