package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.btrfs.BadStreamException;
import dev.stapes.linux.btrfs.ReceivedSubvolume;
import dev.stapes.linux.btrfs.SendStream;
import dev.stapes.linux.btrfs.SendStreams;
import dev.stapes.linux.btrfs.SubvolumeInfo;
import dev.stapes.linux.btrfs.Subvolumes;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.host.DriverErrors;
import dev.stapes.linux.host.Transfers;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * Volumes as send streams of Btrfs, version 1. The gate is passed to begin and to end one: others
 * work with the pool while bytes go over a network, also who is alone in it.
 */
final class BtrfsStreams implements StoragePool.SendReceive {
  private final PoolContext pool;
  private final PoolDirectory volumes;
  private final Ids ids;
  private final Gate gate;
  private final PoolDirectory.Remover remover;
  private final Subvolumes subvolumes;
  private final Transfers transfers = new Transfers();

  BtrfsStreams(
      PoolContext pool, PoolDirectory volumes, Ids ids, Gate gate, PoolDirectory.Remover remover) {
    this.pool = pool;
    this.volumes = volumes;
    this.ids = ids;
    this.gate = gate;
    this.remover = remover;
    this.subvolumes = new Subvolumes(pool.sys());
  }

  /** Ends what is under way; for who is alone in the pool. What came so far is a leftover. */
  void close() {
    transfers.cut();
    volumes.doneAll();
  }

  /** Work on a stream, outside of the gate. */
  private void outside(String wanted, VolumeId id, Transfers.Transfer transfer, Runnable work) {
    Failures.naming(
        pool.subject(),
        wanted + " " + id,
        () -> {
          try (transfer) {
            work.run();
          } catch (BadStreamException e) {
            throw new StapesException(
                Kind.INVALID, "volume " + id, "cannot be received: " + e.getMessage(), e);
          } catch (UncheckedIOException e) {
            if (transfer.isCut()) {
              throw pool.failure(Kind.UNAVAILABLE, "closed: " + e.getMessage(), e);
            }
            throw pool.failure(
                DriverErrors.kindOfStream(Objects.requireNonNull(e.getCause())),
                String.valueOf(e.getMessage()),
                e);
          }
        });
  }

  private record Sending(SendStream stream, Transfers.Transfer transfer) {}

  @Override
  public void send(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    Sending sending = gate.pass("send " + id, () -> begin(id, base));
    outside("send", id, sending.transfer(), () -> sending.stream().drain(out));
  }

  private Sending begin(VolumeId id, Optional<VolumeId> base) {
    Fd volume = openReadOnly(id);
    long baseId = 0;
    try {
      if (base.isPresent()) {
        try (Fd other = openReadOnly(base.get())) {
          baseId = subvolumes.id(other);
        }
      }
    } catch (RuntimeException e) {
      volume.close();
      throw e;
    }
    SendStream stream = new SendStreams(pool.sys()).begin(volume, baseId);
    return new Sending(stream, transfers.begin(stream::close));
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

  /**
   * What comes.
   *
   * @param name of what is made, until it gets its id
   */
  private record Receiving(String name, ReceivedSubvolume made, Transfers.Transfer transfer) {}

  @Override
  public void receive(VolumeId id, InputStream in) {
    Receiving receiving = gate.pass("receive " + id, () -> begin(id));
    try {
      outside("receive", id, receiving.transfer(), () -> receiving.made().receive(in));
      gate.pass("receive " + id, () -> publish(id, receiving));
    } catch (RuntimeException e) {
      Undo.after(e, () -> gate.pass("receive " + id, () -> ids.remove(remover, receiving.name())));
      throw e;
    } finally {
      volumes.done(receiving.name());
    }
  }

  private Receiving begin(VolumeId id) {
    ids.requireFree(id);
    Fd incoming = volumes.openIncoming();
    String name = volumes.begin();
    ReceivedSubvolume made = new ReceivedSubvolume(pool.sys(), incoming, name, this::find);
    return new Receiving(name, made, transfers.begin(made::close));
  }

  /** What is read-only cannot be moved: it becomes so in its place. */
  private void publish(VolumeId id, Receiving receiving) {
    ids.publish(id, receiving.name());
    try (Fd made = volumes.open(id)) {
      receiving.made().finish(made);
    } catch (RuntimeException e) {
      Undo.after(
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
    SubvolumeInfo info;
    try {
      info = subvolumes.info(volume);
    } catch (RuntimeException e) {
      volume.close();
      throw e;
    }
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
