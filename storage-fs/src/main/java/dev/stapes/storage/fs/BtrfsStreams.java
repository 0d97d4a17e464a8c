package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.btrfs.BadStreamException;
import dev.stapes.linux.btrfs.ReceivedSubvolume;
import dev.stapes.linux.btrfs.SendStreams;
import dev.stapes.linux.btrfs.SubvolumeInfo;
import dev.stapes.linux.btrfs.Subvolumes;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.UUID;

/** Volumes as send streams of Btrfs, version 1. */
final class BtrfsStreams implements StoragePool.SendReceive {
  private final PoolContext pool;
  private final PoolDirectory volumes;
  private final Ids ids;
  private final Gate gate;
  private final PoolDirectory.Remover remover;
  private final Subvolumes subvolumes;

  BtrfsStreams(
      PoolContext pool, PoolDirectory volumes, Ids ids, Gate gate, PoolDirectory.Remover remover) {
    this.pool = pool;
    this.volumes = volumes;
    this.ids = ids;
    this.gate = gate;
    this.remover = remover;
    this.subvolumes = new Subvolumes(pool.sys());
  }

  @Override
  public void send(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    gate.pass(
        "send " + id,
        () -> {
          try (Fd volume = openReadOnly(id)) {
            long baseId = 0;
            if (base.isPresent()) {
              try (Fd other = openReadOnly(base.get())) {
                baseId = subvolumes.id(other);
              }
            }
            new SendStreams(pool.sys()).send(volume, baseId, out);
          } catch (UncheckedIOException e) {
            throw unusable(e);
          }
        });
  }

  private Fd openReadOnly(VolumeId id) {
    Fd volume = ids.open(id);
    try {
      if (!subvolumes.readOnly(volume)) {
        throw StapesException.invalid("volume " + id, "only a read-only volume can be sent");
      }
      return volume;
    } catch (RuntimeException e) {
      volume.close();
      throw e;
    }
  }

  @Override
  public void receive(VolumeId id, InputStream in) {
    gate.pass(
        "receive " + id,
        () -> {
          ids.requireFree(id);
          try (Fd incoming = volumes.openIncoming()) {
            receive(id, in, incoming);
          } catch (BadStreamException e) {
            throw new StapesException(
                Kind.INVALID, "volume " + id, "cannot be received: " + e.getMessage(), e);
          } catch (UncheckedIOException e) {
            throw unusable(e);
          }
        });
  }

  private StapesException unusable(UncheckedIOException e) {
    return pool.failure(Kind.UNAVAILABLE, String.valueOf(e.getMessage()), e);
  }

  /** What is read-only cannot be moved: it becomes so in its place. */
  private void receive(VolumeId id, InputStream in, Fd incoming) {
    ReceivedSubvolume[] received = new ReceivedSubvolume[1];
    ids.publish(
        id,
        name -> {
          ReceivedSubvolume making = new ReceivedSubvolume(pool.sys(), incoming, name, this::find);
          making.receive(in);
          received[0] = making;
        },
        remover);
    try (Fd made = volumes.open(id)) {
      received[0].finish(made);
    } catch (RuntimeException e) {
      Failures.alsoDo(
          e,
          () -> {
            try (Fd kind = volumes.open(id.kind())) {
              remover.remove(kind, id.name());
            }
          });
      throw e;
    }
  }

  private Optional<Fd> find(UUID uuid, long transaction) {
    for (VolumeId candidate : volumes.list()) {
      Optional<Fd> found = openIf(candidate, uuid, transaction);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private Optional<Fd> openIf(VolumeId id, UUID uuid, long transaction) {
    Fd volume;
    try {
      volume = volumes.open(id);
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty(); // discarded meanwhile
      }
      throw e;
    }
    SubvolumeInfo info = subvolumes.info(volume);
    boolean received =
        info.receivedUuid().equals(Optional.of(uuid)) && info.sentIn() == transaction;
    boolean own = info.uuid().equals(uuid) && info.changedIn() == transaction;
    if (info.readOnly() && (received || own)) {
      return Optional.of(volume);
    }
    volume.close();
    return Optional.empty();
  }
}
