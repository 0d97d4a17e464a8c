package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Kept;
import dev.stapes.spi.StoragePool.Received;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Streams that are received with {@code -s}: what came of one that broke stays, in a dataset that
 * is called after the volume that is to be. With its last record ZFS makes the snapshot that is the
 * volume, so there is no moment at which all has come but the volume is not there.
 */
final class ZfsResumable implements StoragePool.Resumable {
  private final ZfsPool pool;
  private final Claims claims;
  private final Backing backing;
  private final Zfs zfs;
  private final ZfsStreams streams;
  private final Runnable failed;

  /**
   * Those of a pool.
   *
   * @param failed done when something was not received: nobody knows how far it came
   */
  ZfsResumable(ZfsPool pool, Backing backing, Zfs zfs, ZfsStreams streams, Runnable failed) {
    this.pool = pool;
    this.claims = pool.claims();
    this.backing = backing;
    this.zfs = zfs;
    this.streams = streams;
    this.failed = failed;
  }

  private DatasetName dataset(VolumeId id) {
    return pool.root().child(VolumeNames.unfinished(id));
  }

  @Override
  public Received receive(VolumeId id, InputStream in) {
    UntilBroken source = new UntilBroken(in);
    byte[] start = source.start(ZfsStreams.AHEAD);
    StreamHeader header = header(id, start, source);
    claims.receive(id);
    AtomicReference<@Nullable PipedProgram> last = new AtomicReference<>();
    boolean stays = false;
    try {
      requireNotThere(id);
      if (header.isRest()) {
        requireFits(id, header, start);
      } else {
        requireNothing(id);
      }
      return receive(id, header, start, source, last);
    } catch (GivenUp e) { // what is left of before may be thrown away yet
      stays = last.get() == null;
      if (stays) {
        claims.leave(id, e);
      }
      throw e;
    } finally {
      if (!stays) {
        end(id, last.get());
      }
    }
  }

  private void requireNotThere(VolumeId id) {
    pool.pass(
        index -> {
          index.requireNotThere(id);
          return id;
        });
  }

  /** Of a stream that broke before it had one, why it did. */
  private static StreamHeader header(VolumeId id, byte[] start, UntilBroken source) {
    if (start.length < StreamHeader.BYTES && source.why().isPresent()) {
      throw ZfsStreams.broken(id, "cannot be received", source.why().get());
    }
    return StreamHeader.parse(start, "volume " + id);
  }

  /** What ZFS may still receive although nobody waits for it is claimed until it has ended. */
  private void end(VolumeId id, @Nullable PipedProgram last) {
    if (last == null) {
      claims.release(id);
    } else {
      last.whenEnded(
          () -> {
            if (!pool.isKnown(id)) {
              failed.run();
            }
            claims.release(id);
          });
    }
  }

  /** A dataset that is only called so has had its last record: nothing is missing in it. */
  private void requireNothing(VolumeId id) {
    if (isKept(id)) {
      throw new StapesException(
          Kind.CONFLICT, "volume " + id, "cannot begin anew: a part of it is kept here");
    }
    pool.throwAway(dataset(id));
  }

  private void requireFits(VolumeId id, StreamHeader header, byte[] start) {
    ResumeToken token = token(id).orElseThrow(() -> nothingKept(id));
    if (token.guid() != header.guid() || token.base() != header.base()) {
      throw StapesException.invalid(
          "volume " + id, "cannot be received: it is the rest of something else than is kept");
    }
    ResumeToken.Position position =
        StreamHeader.position(start)
            .orElseThrow(
                () ->
                    StapesException.invalid(
                        "volume " + id, "cannot be received: it does not say where it goes on"));
    if (!position.equals(token.position())) {
      throw new StapesException(
          Kind.CONFLICT,
          "volume " + id,
          "cannot be received: it goes on at "
              + position
              + ", and what is kept ends at "
              + token.position());
    }
  }

  private static StapesException nothingKept(VolumeId id) {
    return new StapesException(
        Kind.NOT_FOUND,
        "volume " + id,
        "cannot be received: nothing is kept that it is the rest of");
  }

  /** Whatever its token looks like, which another version of ZFS may have written. */
  private boolean isKept(VolumeId id) {
    return zfs.token(dataset(id)).isPresent();
  }

  private Optional<ResumeToken> token(VolumeId id) {
    return zfs.token(dataset(id)).map(text -> token(id, text));
  }

  private static ResumeToken token(VolumeId id, String text) {
    return ResumeToken.parse(text)
        .orElseThrow(
            () -> new StapesException(Kind.INTERNAL, "volume " + id, ResumeToken.refusal(text)));
  }

  /** A source that breaks is its end for ZFS, which keeps all that came before. */
  private Received receive(
      VolumeId id,
      StreamHeader header,
      byte[] start,
      UntilBroken source,
      AtomicReference<@Nullable PipedProgram> last) {
    Place to = new Place(dataset(id), VolumeNames.component(id));
    try {
      ZfsStreams.withNames(
          () -> base(id, header),
          base ->
              streams.attempt(Zfs.receiveKeeping(to, base), base.isPresent(), start, source, last));
      put(id, header, to);
      return new Received.Whole();
    } catch (IOException e) {
      return broken(id, ZfsStreams.broken(id, "cannot be received", e), last.get());
    } catch (StapesException e) {
      StapesException why =
          source
              .why()
              .filter(broken -> e.kind() == Kind.INVALID)
              .map(broken -> ZfsStreams.broken(id, "cannot be received", broken))
              .orElse(e);
      return broken(id, why, last.get());
    }
  }

  private void put(VolumeId id, StreamHeader header, Place to) {
    pool.pass(
        index -> {
          long blocks = header.isBlocks() ? zfs.blocks(to) : 0;
          index.put(id, to, blocks);
          return to;
        });
  }

  /** A rest has its base already. */
  private Optional<Place> base(VolumeId id, StreamHeader header) {
    return pool.pass(
        index -> {
          index.requireNotThere(id);
          backing.requireRoom();
          return header.isRest() ? Optional.<Place>empty() : streams.base(index, header, id);
        });
  }

  /** What is there although something failed is there. */
  private Received broken(VolumeId id, StapesException why, @Nullable PipedProgram last) {
    if (last == null) {
      throw why;
    }
    failed.run();
    boolean interrupted = Thread.interrupted();
    try {
      if (pool.exists(id)) {
        return new Received.Whole();
      }
      ResumeToken kept = token(id).orElseThrow(() -> why);
      return new Received.Part(kept(id, kept), why);
    } catch (StapesException e) {
      if (e != why) {
        why.addSuppressed(e);
      }
      throw why;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Kept kept(VolumeId id, ResumeToken token) {
    return new Kept(id, token.text(), Size.ofBytes(token.bytes()));
  }

  /**
   * ZFS looks for the snapshots by their guids, from the one on that the token names, and takes the
   * first: so it gets a token of ours, that names the volume.
   */
  @Override
  public void send(VolumeId id, String token, OutputStream out) {
    ResumeToken known =
        ResumeToken.parse(token)
            .orElseThrow(() -> StapesException.invalid("volume " + id, ResumeToken.refusal(token)));
    streams.write(id, () -> source(id, known), source -> Zfs.sendRest(known, source.place()), out);
  }

  private ZfsStreams.Source source(VolumeId id, ResumeToken token) {
    return pool.pass(
        index -> {
          Place place = ZfsStreams.requireReadOnly(index, id);
          if (zfs.guid(place) != token.guid()) {
            throw StapesException.invalid(
                "volume " + id, "cannot be sent: the token is of another volume");
          }
          return new ZfsStreams.Source(
              place, token.base() == 0 ? Optional.empty() : Optional.of(base(index, id, token)));
        });
  }

  private Place base(VolumeIndex index, VolumeId id, ResumeToken token) {
    return streams
        .find(index, token.base())
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.NOT_FOUND,
                    "volume " + id,
                    "cannot be sent: the volume that it is sent as the difference to is gone, of"
                        + " guid "
                        + Long.toUnsignedString(token.base())));
  }

  @Override
  public Set<VolumeId> list() {
    return pool.pass(
        index -> {
          Set<VolumeId> all = new TreeSet<>(claims.received());
          zfs.unfinished(pool.root()).stream()
              .flatMap(dataset -> VolumeNames.ofUnfinished(dataset.component()).stream())
              .forEach(all::add);
          return all;
        });
  }

  @Override
  public Optional<Kept> find(VolumeId id) {
    return pool.pass(
        index -> {
          claims.requireNotReceived(id);
          return token(id).map(token -> kept(id, token));
        });
  }

  @Override
  public void forget(VolumeId id) {
    claims.holding(
        id,
        () -> {
          if (pool.pass(index -> isKept(id))) {
            pool.throwAway(dataset(id));
          }
        });
  }
}
