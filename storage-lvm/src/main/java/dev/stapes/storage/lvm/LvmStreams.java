package dev.stapes.storage.lvm;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.linux.host.Transfers;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.lvm.ThinMap.Range;
import dev.stapes.storage.lvm.ThinMetadata.Parts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes as streams of the blocks that are mapped, or are others than those of a base; the pool's
 * space says which may be. What is sent and what a difference is received onto are twins, which
 * nobody writes to.
 */
final class LvmStreams implements StoragePool.SendReceive {
  private static final Logger LOG = LoggerFactory.getLogger(LvmStreams.class);

  /** Between two looks at how full a thin pool is, which cost a process each. */
  private static final long LOOK = 64L << 20;

  private final PoolContext pool;
  private final PoolVolumes volumes;
  private final Catalog catalog;
  private final Space space;
  private final Gate gate;
  private final ActiveVolumes active;

  private final Transfers transfers = new Transfers();

  /** Of volumes that get a twin, and of contents that get a name. */
  private final Turns turns;

  LvmStreams(
      PoolContext pool,
      PoolVolumes volumes,
      Catalog catalog,
      Space space,
      Gate gate,
      ActiveVolumes active) {
    this.pool = pool;
    this.volumes = volumes;
    this.catalog = catalog;
    this.space = space;
    this.gate = gate;
    this.active = active;
    this.turns = new Turns(pool.subject());
  }

  /** Ends what is under way: who reads or writes a device then is told so. */
  void close() {
    transfers.cut();
    space.awaitEnd();
  }

  /** Work on a stream, outside of the gate: the pool can be closed meanwhile, which ends it. */
  private interface Work {
    void run() throws IOException;
  }

  private void outside(VolumeId id, String what, Transfers.Transfer transfer, Work work) {
    DriverErrors.naming(
        "volume " + id,
        what,
        () -> {
          try (transfer) {
            work.run();
            return id;
          } catch (BadStreamException e) {
            throw failure(Kind.INVALID, id, what, String.valueOf(e.getMessage()), e);
          } catch (IOException e) {
            if (transfer.isCut()) {
              throw failure(Kind.UNAVAILABLE, id, what, pool.subject() + " was closed", e);
            }
            String why = e.getMessage() == null ? e.toString() : e.getMessage();
            Kind kind = LvmErrors.kind(why);
            Kind other = DriverErrors.kindOfStream(e);
            throw failure(kind == Kind.INTERNAL ? other : kind, id, what, why, e);
          }
        });
  }

  private static StapesException failure(
      Kind kind, VolumeId id, String what, String why, IOException e) {
    return new StapesException(kind, "volume " + id, what + ": " + why, e);
  }

  /**
   * What is sent; nobody removes it, nor its base, meanwhile.
   *
   * @param device its own, open
   */
  private record Sending(
      ThinVolume volume,
      Twin twin,
      Optional<Twin> base,
      FileChannel device,
      Holding holding,
      Transfers.Transfer transfer) {}

  @Override
  public void send(VolumeId id, Optional<VolumeId> base, OutputStream out) {
    Sending sending = gate.pass("send " + id, () -> begin(id, base));
    try {
      outside(id, "cannot be sent", sending.transfer(), () -> write(sending, out));
    } finally {
      letGo(sending);
    }
  }

  private Sending begin(VolumeId id, Optional<VolumeId> base) {
    ThinVolume volume = readOnly(id);
    Optional<Twin> from = base.map(this::readOnly).map(this::twin);
    Twin twin = twin(volume);
    Holding holding = new Holding(pool.subject());
    active.hold(twin.name());
    try {
      FileChannel device = holding.open(volumes.device(twin.name()), StandardOpenOption.READ);
      from.ifPresent(other -> catalog.keep(other.name()));
      return new Sending(volume, twin, from, device, holding, transfers.begin(holding::end));
    } catch (RuntimeException e) {
      Undo.after(e, () -> active.letGo(twin.name()));
      throw e;
    }
  }

  /** Of a pool that was closed meanwhile the devices went with it. */
  private void letGo(Sending sending) {
    sending.base().ifPresent(base -> catalog.letGo(base.name()));
    String name = sending.twin().name();
    boolean interrupted = Thread.interrupted(); // LVM begins nothing for who is
    try {
      gate.pass("let go of " + name, () -> active.letGo(name));
    } catch (StapesException e) {
      LOG.debug("{}: {} is left to the pool", pool.subject(), name, e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private ThinVolume readOnly(VolumeId id) {
    ThinVolume volume = catalog.get(id);
    if (!volume.readOnly()) {
      throw StapesException.invalid("volume " + id, "can be written to: only snapshots are sent");
    }
    return volume;
  }

  /** One at a time for a volume: two would be one too many. */
  private Twin twin(ThinVolume volume) {
    return turns.await(volume.name(), () -> knownOrMade(volume));
  }

  private Twin knownOrMade(ThinVolume volume) {
    Optional<Twin> known = catalog.twin(volume);
    if (known.isPresent()) {
      return known.get();
    }
    space.require();
    Twin made = Twin.of(volume);
    try {
      List<String> tags = VolumeTags.of(made);
      catalog.keeping(volume.name(), () -> space.copy(volume.name(), made.name(), tags));
    } catch (RuntimeException e) {
      Undo.after(e, () -> remove(made.name()));
      throw e;
    }
    catalog.add(made);
    return made;
  }

  private Parts parts(Sending sending) {
    String name = sending.twin().name();
    return sending.base().isPresent()
        ? space.changed(sending.base().get().name(), name, sending.holding())
        : space.mapped(name, sending.holding());
  }

  private void write(Sending sending, OutputStream out) throws IOException {
    Parts parts = parts(sending);
    StreamHeader header =
        new StreamHeader(
            sending.twin().content(),
            sending.base().map(Twin::content),
            sending.volume().format(),
            parts.size());
    StreamWriter writer = new StreamWriter(out, header);
    byte[] piece = new byte[StreamWriter.PIECE];
    for (Range range : parts.ranges()) {
      long end = range.offset() + range.length();
      for (long offset = range.offset(); offset < end; ) {
        int count = (int) Math.min(piece.length, end - offset);
        read(sending.device(), offset, piece, count);
        if (!isZeros(piece, count)) {
          writer.data(offset, piece, count);
        } else if (header.base().isPresent()) {
          writer.zeros(offset, count);
        }
        offset += count;
      }
    }
    writer.end();
  }

  private static void read(FileChannel device, long offset, byte[] piece, int count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(piece, 0, count);
    while (buffer.hasRemaining()) {
      if (device.read(buffer, offset + buffer.position()) < 0) {
        throw new IOException("the device ends at " + (offset + buffer.position()));
      }
    }
  }

  private static boolean isZeros(byte[] piece, int count) {
    for (int i = 0; i < count; i++) {
      if (piece[i] != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void receive(VolumeId id, InputStream in) {
    Holding holding = new Holding(pool.subject());
    Transfers.Transfer transfer =
        gate.pass(
            "receive " + id,
            () -> {
              catalog.begin(id);
              return transfers.begin(holding::end);
            });
    try {
      outside(id, "cannot be received", transfer, () -> receive(id, in, holding));
    } finally {
      catalog.end(id);
    }
  }

  /**
   * What comes, with the device that it is written to.
   *
   * @param draft the name of what becomes the volume's twin, and is trash so far
   * @param base what it is the difference to
   * @param room for the volume
   */
  private record Receiving(
      ThinVolume volume,
      String draft,
      StreamHeader header,
      Optional<Twin> base,
      FileChannel device,
      Space.Room room) {}

  private void receive(VolumeId id, InputStream in, Holding holding) throws IOException {
    StreamReader reader = new StreamReader(in);
    StreamHeader header = reader.header();
    Receiving receiving = gate.pass("receive " + id, () -> begin(id, header, holding));
    try {
      byte[] digest;
      try (FileChannel device = receiving.device()) {
        digest = reader.pieces(header, new DeviceSink(device));
        device.force(true);
      }
      String sum = Twin.sum(digest, receiving.base());
      gate.pass("receive " + id, () -> publish(receiving, sum));
    } catch (IOException | RuntimeException e) {
      Undo.after(
          e,
          () -> gate.pass("receive " + id, () -> takeBack(receiving.volume(), receiving.draft())));
      throw e;
    } finally {
      receiving.room().close();
    }
  }

  private Receiving begin(VolumeId id, StreamHeader header, Holding holding) {
    space.require();
    Optional<Twin> base = header.base().map(content -> base(id, content));
    long size = space.rounded("volume " + id, Size.ofBytes(header.size()));
    ThinVolume volume = ThinVolume.received(id, header, size);
    Space.Room room = space.forCopyOf(size);
    try {
      return begin(volume, header, base, holding, room);
    } catch (RuntimeException e) {
      Undo.after(e, room::close);
      throw e;
    }
  }

  private Receiving begin(
      ThinVolume volume,
      StreamHeader header,
      Optional<Twin> base,
      Holding holding,
      Space.Room room) {
    String draft = LvmNames.freshVolume();
    try {
      if (base.isPresent()) {
        copyBase(base.get().name(), draft);
        space.resize(draft, volumes.size(draft), volume.size());
        active.use(draft);
      } else {
        active.comes(draft);
        space.create(volume.named(draft));
      }
      FileChannel device =
          holding.open(volumes.device(draft), StandardOpenOption.READ, StandardOpenOption.WRITE);
      return new Receiving(volume, draft, header, base, device, room);
    } catch (RuntimeException e) {
      Undo.after(e, () -> takeBack(volume, draft));
      throw e;
    }
  }

  /** One whose blocks are read has its device until then, whatever streams let go of it. */
  private void copyBase(String base, String draft) {
    boolean read = volumes.isPlain();
    if (read) {
      active.hold(base);
    }
    try {
      catalog.keeping(base, () -> space.copy(base, draft, List.of(VolumeTags.TRASH)));
    } finally {
      if (read) {
        active.letGo(base);
      }
    }
  }

  /** One at a time for a content: of two others one would get its name. */
  private void publish(Receiving receiving, String sum) {
    String said = receiving.header().content();
    turns.take("content " + said, () -> publish(receiving, said, sum));
  }

  private void publish(Receiving receiving, String said, String sum) {
    ThinVolume volume = receiving.volume();
    String draft = receiving.draft();
    String content = catalog.contentName(said, sum, draft);
    Twin twin = new Twin(draft, volume.name(), content, Optional.of(sum));
    volumes.become(twin.name(), VolumeTags.of(twin));
    receiving.room().close();
    active.hold(draft);
    try {
      space.copy(draft, volume.name(), VolumeTags.of(volume));
    } finally {
      active.letGo(draft);
    }
    turns.take(
        volume.name(), // who sends it finds the twin
        () -> {
          catalog.put(volume);
          catalog.add(twin);
        });
  }

  /** Also what could not be removed is: by a later reclaim. */
  private void takeBack(ThinVolume volume, String draft) {
    StapesException carrier =
        new StapesException(Kind.INTERNAL, pool.subject(), "something is left of what came");
    Undo.after(carrier, () -> remove(volume.name()));
    Undo.after(carrier, () -> remove(draft));
    if (carrier.getSuppressed().length > 0) {
      catalog.discarded(volume.name());
      catalog.discarded(draft);
      throw carrier;
    }
  }

  private void remove(String name) {
    volumes.removeIfThere(name);
    active.gone(List.of(name));
  }

  private Twin base(VolumeId id, String content) {
    return catalog
        .twin(content)
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.NOT_FOUND,
                    "volume " + id,
                    "cannot be received: "
                        + pool.subject()
                        + " has no volume that the stream is the difference to: "
                        + content));
  }

  /** Writes pieces to a device, while the pool, and what is below it, has room for them. */
  private final class DeviceSink implements StreamReader.Sink {
    private final FileChannel device;
    private final byte[] there = new byte[StreamWriter.PIECE];
    private final byte[] nothing = new byte[StreamWriter.PIECE];
    private long written;
    private long looked;

    DeviceSink(FileChannel device) {
      this.device = device;
    }

    @Override
    public void data(long offset, byte[] data, int count) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(data, 0, count);
      while (buffer.hasRemaining()) {
        device.write(buffer, offset + buffer.position());
      }
      written += count;
      if (written - looked >= DeviceContents.LOOK) {
        device.force(false); // what is below learns of it
        Runnable look = looked / LOOK < written / LOOK ? space::requireNow : space::require;
        gate.pass("receive", look);
        looked = written;
      }
    }

    /** What reads as zeros already takes no space. */
    @Override
    public void zeros(long offset, long length) throws IOException {
      read(device, offset, there, (int) length);
      if (!isZeros(there, (int) length)) {
        data(offset, nothing, (int) length);
      }
    }
  }
}
