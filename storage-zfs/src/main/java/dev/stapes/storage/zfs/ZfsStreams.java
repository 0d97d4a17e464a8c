package dev.stapes.storage.zfs;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes as streams of {@code zfs send}. What is received is a snapshot of a dataset that nobody
 * but this snapshot needs; of a difference it is a clone of the base. Others work with the pool
 * meanwhile: they are kept out only until ZFS has found what it sends, or the base of what it
 * receives.
 */
final class ZfsStreams implements StoragePool.SendReceive {
  private static final Logger LOG = LoggerFactory.getLogger(ZfsStreams.class);

  /**
   * More than is in a pipe, which is 1 MiB unless the machine was told otherwise: when so much of a
   * stream was taken, ZFS knows where it goes.
   */
  private static final int AHEAD = 2 << 20;

  private final ZfsPool pool;
  private final Backing backing;
  private final DatasetName root;
  private final Zfs zfs;
  private final VolumeNames names;
  private final Transfers transfers;
  private final Runnable failed;

  /**
   * Streams of a pool.
   *
   * @param failed done when something was not received: nobody knows how far it came
   */
  ZfsStreams(
      ZfsPool pool,
      Backing backing,
      Zfs zfs,
      VolumeNames names,
      Transfers transfers,
      Runnable failed) {
    this.pool = pool;
    this.backing = backing;
    this.root = pool.root();
    this.zfs = zfs;
    this.names = names;
    this.transfers = transfers;
    this.failed = failed;
  }

  /** Without a base that ZFS can use the whole is sent, which any receiver can use. */
  @Override
  public void send(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    try {
      write(id, base, out);
    } catch (StapesException e) {
      if (base.isEmpty() || e.kind() != Kind.UNSUPPORTED) {
        throw e;
      }
      LOG.info("volume {} is sent whole: {}", id, e.getMessage());
      write(id, Optional.empty(), out);
    }
  }

  private void write(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    byte[][] start = new byte[1][];
    try (PipedProgram send =
        pool.pass(
            index -> {
              Place place = requireReadOnly(index, id);
              Optional<Place> from = base.map(other -> requireReadOnly(index, other));
              PipedProgram begun = transfers.writing(Zfs.send(place, from));
              start[0] = begun(begun, id);
              return begun;
            })) {
      out.write(start[0]);
      send.drain(out);
      transfers.await(send);
    } catch (IOException e) {
      throw broken(id, "cannot be sent", e);
    }
  }

  /** The first record, which comes when ZFS has found all that it needs. */
  private byte[] begun(PipedProgram send, VolumeId id) {
    try {
      byte[] start = send.read(StreamHeader.BYTES);
      if (start.length < StreamHeader.BYTES) {
        transfers.await(send);
        throw new StapesException(Kind.INTERNAL, "volume " + id, "nothing was sent");
      }
      return start;
    } catch (IOException e) {
      StapesException error = broken(id, "cannot be sent", e);
      Undo.after(error, send::close);
      throw error;
    } catch (RuntimeException e) {
      Undo.after(e, send::close);
      throw e;
    }
  }

  private static Place requireReadOnly(VolumeIndex index, VolumeId id) {
    Place place = index.require(id);
    if (!place.isSnapshot()) {
      throw StapesException.invalid("volume " + id, "only a read-only volume can be sent");
    }
    return place;
  }

  @Override
  public void receive(VolumeId id, InputStream in) {
    try {
      byte[] start = in.readNBytes(AHEAD);
      StreamHeader header = StreamHeader.parse(start, "volume " + id);
      receive(id, header, start, start.length < AHEAD ? InputStream.nullInputStream() : in);
    } catch (IOException e) {
      throw broken(id, "cannot be received", e);
    }
  }

  private void receive(VolumeId id, StreamHeader header, byte[] start, InputStream rest)
      throws IOException {
    boolean done = false;
    String component = names.begin();
    Place to = new Place(root.child(component), VolumeNames.component(id));
    try (PipedProgram receive = pool.pass(index -> begin(index, id, header, to, start))) {
      receive.feed(rest);
      transfers.await(receive);
      pool.pass(
          index -> {
            index.put(id, to, header.isBlocks() ? zfs.blocks(to) : 0);
            return to;
          });
      done = true;
    } finally {
      names.done(component);
      if (!done) {
        failed.run();
      }
    }
  }

  private PipedProgram begin(
      VolumeIndex index, VolumeId id, StreamHeader header, Place to, byte[] start) {
    index.requireFree(id);
    backing.requireRoom();
    Optional<Place> base =
        header.isDifference() ? Optional.of(base(index, header, id)) : Optional.empty();
    PipedProgram receive = transfers.reading(Zfs.receive(to, base));
    receive.take(start, start.length);
    return receive;
  }

  /** Several volumes may be what others sent or received under one guid: any of them will do. */
  private Place base(VolumeIndex index, StreamHeader header, VolumeId id) {
    return zfs.snapshots(root, header.base()).stream()
        .filter(
            place ->
                VolumeNames.volume(place.snapshot())
                    .flatMap(index::find)
                    .equals(Optional.of(place)))
        .findFirst()
        .orElseThrow(
            () ->
                StapesException.invalid(
                    "volume " + id,
                    "cannot be received: it is the difference to a volume that is not here, of guid"
                        + " "
                        + Long.toUnsignedString(header.base())));
  }

  private static StapesException broken(VolumeId id, String what, IOException e) {
    return new StapesException(
        DriverErrors.kindOfStream(e), "volume " + id, what + ": " + e.getMessage(), e);
  }
}
