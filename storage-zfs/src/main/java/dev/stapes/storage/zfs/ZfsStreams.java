package dev.stapes.storage.zfs;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes as streams of {@code zfs send}. What is received is a snapshot of a dataset that nobody
 * but this snapshot needs; of a difference it is a clone of the base. Others work with the pool
 * meanwhile, from the beginning: ZFS may take long to begin. Where it has not found what somebody
 * gave another name before, it is asked once more, by that.
 */
final class ZfsStreams implements StoragePool.SendReceive {
  private static final Logger LOG = LoggerFactory.getLogger(ZfsStreams.class);

  /**
   * More than is in a pipe, which is 1 MiB unless the machine was told otherwise: when so much of a
   * stream was taken, ZFS knows where it goes.
   */
  static final int AHEAD = 2 << 20;

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

  /** What is sent, by the names that it has now. */
  record Source(Place place, Optional<Place> base) {}

  private Source source(VolumeId id, Optional<VolumeId> base) {
    return pool.pass(
        index ->
            new Source(
                requireReadOnly(index, id), base.map(other -> requireReadOnly(index, other))));
  }

  private void write(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    write(id, () -> source(id, base), source -> Zfs.send(source.place(), source.base()), out);
  }

  /**
   * Writes a stream of a volume.
   *
   * @param look what is sent, each time that it is asked
   * @param command that writes it
   */
  void write(
      VolumeId id,
      Supplier<Source> look,
      Function<Source, List<String>> command,
      OutputStream out) {
    try {
      withNames(look, source -> attempt(id, command.apply(source), out));
    } catch (IOException e) {
      throw broken(id, "cannot be sent", e);
    }
  }

  /** One try; the answer is what ZFS says where it has not found the names, and nothing is lost. */
  @FunctionalInterface
  interface Attempt<N> {
    Optional<StapesException> with(N names) throws IOException;
  }

  /** Before ZFS has found the names a discard may have changed them: then they are looked up. */
  static <N> void withNames(Supplier<N> look, Attempt<N> attempt) throws IOException {
    N names = look.get();
    Optional<StapesException> missed = attempt.with(names);
    while (missed.isPresent()) {
      N now = look.get();
      if (now.equals(names)) {
        throw missed.get();
      }
      names = now;
      missed = attempt.with(names);
    }
  }

  /** Sends; the answer is what ZFS says where it has not found the names and nothing was sent. */
  private Optional<StapesException> attempt(VolumeId id, List<String> command, OutputStream out)
      throws IOException {
    try (PipedProgram send = transfers.writing(command)) {
      byte[] start = send.read(StreamHeader.BYTES);
      if (start.length < StreamHeader.BYTES) {
        return Optional.of(nothing(send, id));
      }
      out.write(start);
      send.drain(out);
      transfers.await(send);
      return Optional.empty();
    }
  }

  /** Why a program has written nothing, where it has not found what it was to send. */
  private StapesException nothing(PipedProgram send, VolumeId id) {
    try {
      transfers.await(send);
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return e;
      }
      throw e;
    }
    throw new StapesException(Kind.INTERNAL, "volume " + id, "nothing was sent");
  }

  static Place requireReadOnly(VolumeIndex index, VolumeId id) {
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
      header.requireBeginning("volume " + id);
      receive(id, header, start, start.length < AHEAD ? InputStream.nullInputStream() : in);
    } catch (IOException e) {
      throw broken(id, "cannot be received", e);
    }
  }

  private void receive(VolumeId id, StreamHeader header, byte[] start, InputStream rest)
      throws IOException {
    boolean done = false;
    String component = names.begin();
    Place got = new Place(root.child(component), component); // trash until it has its name
    Place to = new Place(got.dataset(), VolumeNames.component(id));
    AtomicReference<@Nullable PipedProgram> last = new AtomicReference<>();
    try {
      withNames(
          () -> base(id, header),
          base -> attempt(Zfs.receive(got, base), base.isPresent(), start, rest, last));
      pool.pass(
          index -> {
            index.requireFree(id); // somebody else may have made it meanwhile
            long blocks = header.isBlocks() ? zfs.blocks(got) : 0;
            zfs.rename(got, to);
            index.put(id, to, blocks);
            return to;
          });
      done = true;
    } finally {
      end(component, done, last.get());
    }
  }

  /** What ZFS may still receive although nobody waits for it is needed until it has ended. */
  private void end(String component, boolean done, @Nullable PipedProgram last) {
    if (!done) {
      failed.run();
    }
    if (done || last == null) {
      names.done(component);
    } else {
      last.whenEnded(
          () -> {
            failed.run();
            names.done(component);
          });
    }
  }

  /** The base of a difference, where the volume can be received. */
  private Optional<Place> base(VolumeId id, StreamHeader header) {
    return pool.pass(
        index -> {
          index.requireFree(id);
          backing.requireRoom();
          return base(index, header, id);
        });
  }

  /** The base of what is a difference. */
  Optional<Place> base(VolumeIndex index, StreamHeader header, VolumeId id) {
    return header.isDifference()
        ? Optional.of(
            find(index, header.base())
                .orElseThrow(
                    () ->
                        StapesException.invalid(
                            "volume " + id,
                            "cannot be received: it is the difference to a volume that is not here,"
                                + " of guid "
                                + Long.toUnsignedString(header.base()))))
        : Optional.empty();
  }

  /**
   * Receives; the answer is what ZFS says where it has not found the base, and nothing is lost of
   * the stream.
   *
   * @param needsBase whether it is the difference to one
   * @param last where the program is put
   */
  Optional<StapesException> attempt(
      List<String> command,
      boolean needsBase,
      byte[] start,
      InputStream rest,
      AtomicReference<@Nullable PipedProgram> last)
      throws IOException {
    boolean begun = false;
    try (PipedProgram receive = transfers.reading(command)) {
      last.set(receive);
      if (receive.take(start, start.length)) {
        begun = start.length == AHEAD;
        receive.feed(rest);
      }
      transfers.await(receive);
      return Optional.empty();
    } catch (StapesException e) {
      if (begun || !needsBase || e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      return Optional.of(e);
    }
  }

  /** Several volumes may be what others sent or received under one guid: any of them will do. */
  Optional<Place> find(VolumeIndex index, long guid) {
    return zfs.snapshots(root, guid).stream()
        .filter(
            place ->
                VolumeNames.volume(place.snapshot())
                    .flatMap(index::find)
                    .equals(Optional.of(place)))
        .findFirst();
  }

  static StapesException broken(VolumeId id, String what, IOException e) {
    return new StapesException(
        DriverErrors.kindOfStream(e), "volume " + id, what + ": " + e.getMessage(), e);
  }
}
