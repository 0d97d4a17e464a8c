package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a tar archive as POSIX.1-2001 has it (pax): what does not fit the old header goes into an
 * extended one. The same entries always give the same bytes.
 */
final class TarWriter implements EntrySink {
  private static final int RECORD_BLOCKS = 20; // tar(1) fills up to 10 KiB
  private static final int COPY = 256 << 10;

  private final OutputStream out;
  private Optional<ArchiveLimits> limits = Optional.empty();
  private final byte[] copy = new byte[COPY];
  private long blocks;
  private long entries;
  private long unpacked;

  TarWriter(OutputStream out) {
    this.out = out;
  }

  /**
   * From now on it writes nothing that a reader would refuse.
   *
   * @param allowed of the reader; what exceeds it is INVALID
   */
  void limit(ArchiveLimits allowed) {
    limits = Optional.of(allowed);
  }

  /** INVALID where the reader would refuse to decode so much from so few bytes. */
  void checkCompressed(long size) {
    long written = blocks * TarFormat.BLOCK;
    limits
        .map(ArchiveLimits::ratio)
        .filter(most -> written > ArchiveLimits.RATIO_FREE && written / most > size)
        .ifPresent(
            most -> {
              throw BadArchive.because(
                  "is compressed to less than 1/"
                      + most
                      + " of its size: it could not be unpacked again, compress it less");
            });
  }

  @Override
  public void add(TarEntry entry) throws IOException {
    if (entry.size() != 0) {
      throw new IllegalArgumentException(entry.name() + " needs its content");
    }
    header(entry);
  }

  /** Adds a file with its content. */
  void add(TarEntry entry, byte[] content) throws IOException {
    if (entry.size() != content.length) {
      throw new IllegalArgumentException(entry.name() + " is said to have " + entry.size());
    }
    header(entry);
    data(content);
  }

  @Override
  public void add(TarEntry entry, InputStream content) throws IOException {
    header(entry);
    copy(content, entry.size());
    pad(entry.size());
  }

  /** As {@link EntrySink} says, in the format 1.0 of GNU tar. */
  @Override
  public void add(TarEntry entry, SparseMap map, InputStream content) throws IOException {
    ByteArrayOutputStream pax = new ByteArrayOutputStream();
    pax(pax, "GNU.sparse.major", "1");
    pax(pax, "GNU.sparse.minor", "0");
    pax(pax, "GNU.sparse.name", entry.name());
    pax(pax, "GNU.sparse.realsize", Long.toString(entry.size()));
    byte[] front = map.front();
    int slash = entry.name().lastIndexOf('/') + 1;
    // So a program that knows nothing of it does not take the stored bytes for the file.
    String hint = entry.name().substring(0, slash) + "GNUSparseFile.0/";
    header(entry, hint + entry.name().substring(slash), front.length + map.stored(), pax);
    data(front);
    long at = 0;
    for (SparseMap.Segment segment : map.segments()) {
      content.skipNBytes(segment.offset() - at);
      copy(content, segment.length());
      at = segment.offset() + segment.length();
    }
    pad(map.stored());
  }

  private void copy(InputStream content, long size) throws IOException {
    long left = size;
    while (left > 0) {
      int count = content.read(copy, 0, (int) Math.min(left, copy.length));
      if (count < 0) {
        throw new EOFException(left + " bytes are missing");
      }
      out.write(copy, 0, count);
      left -= count;
    }
  }

  /** Writes the mark of the end; the stream stays open. */
  void finish() throws IOException {
    long full = (blocks + 2 + RECORD_BLOCKS - 1) / RECORD_BLOCKS * RECORD_BLOCKS;
    out.write(new byte[(int) (full - blocks) * TarFormat.BLOCK]);
    blocks = full;
  }

  private void header(TarEntry entry) throws IOException {
    String name =
        entry.kind() == TarEntry.Kind.DIRECTORY && !entry.name().endsWith("/")
            ? entry.name() + "/"
            : entry.name();
    header(entry, name, entry.size(), new ByteArrayOutputStream());
  }

  private void header(TarEntry entry, String name, long stored, ByteArrayOutputStream pax)
      throws IOException {
    byte[] header = new byte[TarFormat.BLOCK];
    text(header, TarFormat.NAME, name, "path", pax);
    text(header, TarFormat.LINK, entry.link(), "linkpath", pax);
    number(header, TarFormat.UID, TarFormat.SHORT, entry.uid(), "uid", pax);
    number(header, TarFormat.GID, TarFormat.SHORT, entry.gid(), "gid", pax);
    number(header, TarFormat.SIZE, TarFormat.LONG, stored, "size", pax);
    time(header, entry, pax);
    for (Map.Entry<String, byte[]> attribute : entry.xattrs().entrySet()) {
      PaxRecords.write(pax, PaxRecords.attributeKey(attribute.getKey()), attribute.getValue());
    }
    TarFormat.putNumber(header, TarFormat.MODE, TarFormat.SHORT, entry.mode());
    TarFormat.putNumber(header, TarFormat.MAJOR, TarFormat.SHORT, entry.major());
    TarFormat.putNumber(header, TarFormat.MINOR, TarFormat.SHORT, entry.minor());
    header[TarFormat.TYPE] = (byte) entry.kind().type();
    unpacked += entry.size();
    entries += pax.size() > 0 ? 2 : 1;
    limits.ifPresent(allowed -> check(entry, stored, pax.size(), allowed));
    if (pax.size() > 0) {
      extended(pax.toByteArray());
    }
    TarFormat.seal(header);
    block(header);
  }

  private void check(TarEntry entry, long stored, int headerBytes, ArchiveLimits allowed) {
    EntryPath.of(entry.name(), allowed);
    for (String text : new String[] {entry.name(), entry.link()}) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      if (bytes.length > allowed.pathBytes()) {
        throw refused(entry, "a name of more than " + allowed.pathBytes() + " bytes");
      }
      if (!new String(bytes, StandardCharsets.UTF_8).equals(text)) {
        throw refused(entry, "a name or a link that is not UTF-8");
      }
    }
    if (headerBytes > allowed.headerBytes()) {
      throw refused(
          entry,
          "its name and attributes take "
              + headerBytes
              + " bytes, more than the allowed "
              + allowed.headerBytes());
    }
    if (entries > allowed.entries()) {
      throw refused(entry, "one more than the allowed " + allowed.entries() + " entries");
    }
    // The archive itself has its headers as well.
    long end =
        blocks * TarFormat.BLOCK + headerBytes + stored + RECORD_BLOCKS * (long) TarFormat.BLOCK;
    if (Math.max(unpacked, end) > allowed.unpacked().bytes()) {
      throw refused(entry, "exceeds the allowed " + allowed.unpacked() + " in all");
    }
  }

  private static StapesException refused(TarEntry entry, String problem) {
    return BadArchive.entry(entry.name(), problem + ": it could not be unpacked again");
  }

  private void extended(byte[] records) throws IOException {
    byte[] header = new byte[TarFormat.BLOCK];
    byte[] name = "./PaxHeaders/next".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(name, 0, header, TarFormat.NAME, name.length);
    TarFormat.putNumber(header, TarFormat.MODE, TarFormat.SHORT, 0644);
    TarFormat.putNumber(header, TarFormat.UID, TarFormat.SHORT, 0);
    TarFormat.putNumber(header, TarFormat.GID, TarFormat.SHORT, 0);
    TarFormat.putNumber(header, TarFormat.SIZE, TarFormat.LONG, records.length);
    TarFormat.putNumber(header, TarFormat.MTIME, TarFormat.LONG, 0);
    header[TarFormat.TYPE] = 'x';
    TarFormat.seal(header);
    block(header);
    data(records);
  }

  private static void pax(ByteArrayOutputStream pax, String key, String value) {
    PaxRecords.write(pax, key, value.getBytes(StandardCharsets.UTF_8));
  }

  private static void text(
      byte[] header, int offset, String text, String key, ByteArrayOutputStream pax) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    boolean ascii = bytes.length == text.length();
    System.arraycopy(bytes, 0, header, offset, Math.min(bytes.length, TarFormat.NAME_LENGTH));
    if (!ascii || bytes.length > TarFormat.NAME_LENGTH) {
      PaxRecords.write(pax, key, bytes);
    }
  }

  private static void number(
      byte[] header, int offset, int length, long value, String key, ByteArrayOutputStream pax) {
    boolean fits = TarFormat.fits(value, length);
    TarFormat.putNumber(header, offset, length, fits ? value : 0);
    if (!fits) {
      PaxRecords.write(pax, key, Long.toString(value).getBytes(StandardCharsets.US_ASCII));
    }
  }

  private static void time(byte[] header, TarEntry entry, ByteArrayOutputStream pax) {
    Instant modified = entry.modifiedAt();
    long seconds = modified.getEpochSecond();
    int nanos = modified.getNano();
    boolean fits = TarFormat.fits(seconds, TarFormat.LONG);
    TarFormat.putNumber(header, TarFormat.MTIME, TarFormat.LONG, fits ? seconds : 0);
    if (!fits || nanos != 0) {
      // Before 1970 the fraction counts the other way in decimal.
      BigDecimal decimal = BigDecimal.valueOf(seconds).add(BigDecimal.valueOf(nanos, 9));
      PaxRecords.write(
          pax,
          "mtime",
          decimal.stripTrailingZeros().toPlainString().getBytes(StandardCharsets.US_ASCII));
    }
  }

  private void data(byte[] content) throws IOException {
    out.write(content);
    pad(content.length);
  }

  private void pad(long size) throws IOException {
    int missing = (int) (-size & (TarFormat.BLOCK - 1));
    out.write(new byte[missing]);
    blocks += (size + missing) / TarFormat.BLOCK;
  }

  private void block(byte[] block) throws IOException {
    out.write(block);
    blocks++;
  }
}
