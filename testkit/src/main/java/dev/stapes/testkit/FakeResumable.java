package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.BUSY;
import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.INTERRUPTED;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool.Kept;
import dev.stapes.spi.StoragePool.Received;
import dev.stapes.spi.StoragePool.Resumable;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Streams of a fake pool that go on where they broke. What came is kept as it came. */
final class FakeResumable implements Resumable {
  /** Of the rest of a stream; then come whose it is, and where it goes on. */
  private static final int MAGIC = 0x72657374;

  private static final int HEADER = 28;
  private static final Pattern TOKEN =
      Pattern.compile("fake:([0-9a-f-]{36}):([0-9a-f-]{36})?:([0-9]{1,9})");

  private static final String NOT_ITS_TOKEN = "not a token of it";

  private final FakePool pool;
  private final FakeParts parts;
  private final FakeStreams streams;
  private final FakeDisk disk;

  FakeResumable(FakePool pool, FakeDisk disk, FakeBlocks blocks) {
    this.pool = pool;
    this.disk = disk;
    this.parts = disk.parts();
    this.streams = new FakeStreams(pool, disk, blocks);
  }

  @Override
  public Received receive(VolumeId id, InputStream in) {
    pool.ensureOpen();
    pool.requireVacant(id);
    if (!parts.begin(id)) {
      throw new StapesException(BUSY, "volume " + id, "is being received");
    }
    try {
      ByteArrayOutputStream came = new ByteArrayOutputStream();
      @Nullable IOException broken = read(in, came);
      byte[] whole = whole(id, came.toByteArray(), broken);
      parts.keep(id, whole);
      pool.ensureOpen();
      if (broken != null) {
        return new Received.Part(kept(id, whole), failure(id, broken));
      }
      return finished(id, whole);
    } finally {
      parts.end(id);
    }
  }

  private Received finished(VolumeId id, byte[] whole) {
    try {
      streams.make(id, FakeStream.read(new ByteArrayInputStream(whole)));
      parts.forget(id);
      return new Received.Whole();
    } catch (StapesException e) {
      return new Received.Part(kept(id, whole), e);
    }
  }

  private static StapesException failure(VolumeId id, IOException broken) {
    return new StapesException(
        Thread.currentThread().isInterrupted() ? INTERRUPTED : UNAVAILABLE,
        "volume " + id,
        "cannot be received: " + broken.getMessage(),
        broken);
  }

  private static @Nullable IOException read(InputStream in, ByteArrayOutputStream into) {
    try {
      in.transferTo(into);
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  /** What there is with what came. */
  private byte[] whole(VolumeId id, byte[] came, @Nullable IOException broken) {
    if (came.length < HEADER && broken != null) {
      throw failure(id, broken);
    }
    Optional<byte[]> kept = parts.find(id);
    if (came.length < HEADER || ByteBuffer.wrap(came).getInt() != MAGIC) {
      FakeStream.Start start = FakeStream.start(came);
      if (kept.isPresent()) {
        throw new StapesException(CONFLICT, "volume " + id, "a part of it is kept");
      }
      streams.requireBase(id, start.base());
      return came;
    }
    byte[] before =
        kept.orElseThrow(
            () -> new StapesException(NOT_FOUND, "volume " + id, "no part of it is kept"));
    ByteBuffer header = ByteBuffer.wrap(came, Integer.BYTES, HEADER - Integer.BYTES);
    UUID identity = new UUID(header.getLong(), header.getLong());
    if (!identity.equals(FakeStream.start(before).identity())) {
      throw new StapesException(INVALID, "volume " + id, "the rest of another volume");
    }
    if (header.getLong() != before.length) {
      throw new StapesException(CONFLICT, "volume " + id, "the rest of another part");
    }
    return ByteBuffer.allocate(before.length + came.length - HEADER)
        .put(before)
        .put(came, HEADER, came.length - HEADER)
        .array();
  }

  private static Kept kept(VolumeId id, byte[] came) {
    FakeStream.Start start = FakeStream.start(came);
    String base = start.base().map(UUID::toString).orElse("");
    String token = "fake:" + start.identity() + ":" + base + ":" + came.length;
    return new Kept(id, token, Size.ofBytes(came.length));
  }

  @Override
  public void send(VolumeId id, String token, OutputStream out) {
    pool.ensureOpen();
    FakeVolume volume = streams.readOnly(id);
    Matcher matcher = TOKEN.matcher(token);
    if (!Kept.isToken(token)
        || !matcher.matches()
        || !volume.identity.toString().equals(matcher.group(1))) {
      throw new StapesException(INVALID, "volume " + id, NOT_ITS_TOKEN);
    }
    Optional<UUID> base = Optional.ofNullable(matcher.group(2)).map(UUID::fromString);
    if (base.isPresent() && !disk.has(base.get())) {
      throw new StapesException(NOT_FOUND, "volume " + id, "its base is gone: " + base.get());
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    streams.write(id, base, whole);
    int offset = Integer.parseInt(matcher.group(3));
    if (offset > whole.size()) {
      throw new StapesException(INVALID, "volume " + id, NOT_ITS_TOKEN);
    }
    ByteBuffer header =
        ByteBuffer.allocate(HEADER)
            .putInt(MAGIC)
            .putLong(volume.identity.getMostSignificantBits())
            .putLong(volume.identity.getLeastSignificantBits())
            .putLong(offset);
    try {
      out.write(header.array());
      out.write(whole.toByteArray(), offset, whole.size() - offset);
    } catch (IOException e) {
      throw new StapesException(
          UNAVAILABLE, "volume " + id, "cannot be sent: " + e.getMessage(), e);
    }
    pool.ensureOpen();
  }

  @Override
  public Set<VolumeId> list() {
    pool.ensureOpen();
    return parts.list();
  }

  @Override
  public Optional<Kept> find(VolumeId id) {
    pool.ensureOpen();
    requireIdle(id);
    return parts.find(id).map(came -> kept(id, came));
  }

  @Override
  public void forget(VolumeId id) {
    pool.ensureOpen();
    requireIdle(id);
    parts.forget(id);
  }

  private void requireIdle(VolumeId id) {
    if (parts.isReceiving(id)) {
      throw new StapesException(BUSY, "volume " + id, "is being received");
    }
  }
}
