package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;

/**
 * Reads tar archives of unknown origin: v7, ustar, pax and GNU, with long names, large numbers,
 * nanoseconds, extended attributes byte for byte, and sparse files. What two readers could
 * understand in two ways (data behind the end, a link with content, no end) is an error.
 */
final class TarReader implements ImageEntries {
  private static final long ID_LIMIT = 0xFFFF_FFFFL; // (uid_t) -1 is no id
  private static final int MAJOR_LIMIT = 1 << 12;
  private static final int MINOR_LIMIT = 1 << 20;

  private final ArchiveInput in;
  private final ArchiveLimits limits;
  private final byte[] block = new byte[TarFormat.BLOCK];
  private PaxRecords global = new PaxRecords();
  private long entries;
  private long unpacked;

  private long stored; // content of the entry that has not been read
  private long padding;
  private Optional<SparseMap> sparse = Optional.empty();
  private boolean ended;

  TarReader(ArchiveInput in, ArchiveLimits limits) {
    this.in = in;
    this.limits = limits;
  }

  /** The next entry, or empty behind the last. */
  @Override
  public Optional<TarEntry> next() {
    skipContent();
    PaxRecords pax = new PaxRecords();
    Optional<String> longName = Optional.empty();
    Optional<String> longLink = Optional.empty();
    while (!ended) {
      if (!readHeader()) {
        return Optional.empty();
      }
      char type = (char) (block[TarFormat.TYPE] & 0xff);
      switch (type) {
        case 'x', 'X' -> pax.parse(data());
        case 'g' -> takeGlobal();
        case 'L' -> longName = Optional.of(longText("name"));
        case 'K' -> longLink = Optional.of(longText("link"));
        case 'V' -> skipOver(); // the name of the volume
        default -> {
          return Optional.of(entry(type, pax.over(global), longName, longLink));
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public void content(Content content) {
    if (sparse.isEmpty()) {
      in.copy(stored, content);
      stored = 0;
      return;
    }
    long at = 0;
    for (SparseMap.Segment segment : sparse.get().segments()) {
      hole(segment.offset() - at, content);
      in.copy(segment.length(), content);
      stored -= segment.length();
      at = segment.offset() + segment.length();
    }
    hole(sparse.get().size() - at, content);
  }

  /** Whether the entry that {@link #next} gave last has holes. */
  boolean isSparse() {
    return sparse.isPresent();
  }

  /**
   * The first bytes of the entry that {@link #next} gave last, which has no holes; {@link
   * #content(Content)} hands over the rest.
   */
  byte[] start(int most) {
    byte[] start = new byte[(int) Math.min(most, stored)];
    if (start.length > 0 && !in.read(start)) {
      throw BadArchive.because("ends early, in the content of an entry");
    }
    stored -= start.length;
    return start;
  }

  private static void hole(long length, Content content) {
    if (length > 0) {
      content.hole(length);
    }
  }

  /**
   * The content of the entry that {@link #next} gave last.
   *
   * @param most bytes of it
   * @throws StapesException INVALID where it is no file, or larger
   */
  byte[] content(TarEntry entry, int most) {
    if (entry.kind() != TarEntry.Kind.FILE || entry.size() > most) {
      throw BadArchive.entry(entry.name(), "must be a file of at most " + most + " bytes");
    }
    byte[] all = new byte[(int) entry.size()];
    content(new InMemory(all));
    return all;
  }

  /** Holes are there already. */
  private static final class InMemory implements Content {
    private final byte[] all;
    private int position;

    InMemory(byte[] all) {
      this.all = all;
    }

    @Override
    public void data(Blocks.Block block, int offset, int length) {
      System.arraycopy(block.bytes(), offset, all, position, length);
      position += length;
    }

    @Override
    public void hole(long length) {
      position += (int) length;
    }
  }

  private boolean readHeader() {
    if (!in.read(block)) {
      throw BadArchive.because("ends early, without the mark of its end");
    }
    if (TarFormat.isZero(block)) {
      ended = true;
      in.finish();
      return false;
    }
    if (!TarFormat.isHeader(block)) {
      throw BadArchive.because("is damaged: the checksum of header " + (entries + 1) + " is wrong");
    }
    if (++entries > limits.entries()) {
      throw BadArchive.because("has more than the allowed " + limits.entries() + " entries");
    }
    return true;
  }

  private TarEntry entry(
      char type, PaxRecords pax, Optional<String> longName, Optional<String> longLink) {
    String name =
        pax.text("GNU.sparse.name")
            .or(() -> pax.text("path"))
            .or(() -> longName)
            .orElseGet(this::name);
    String link =
        pax.text("linkpath")
            .or(() -> longLink)
            .orElseGet(() -> text(TarFormat.LINK, TarFormat.NAME_LENGTH, "link"));
    checkText(name);
    checkText(link);
    TarEntry.Kind kind = kind(type, name);
    long size = size(kind, type, pax, name);
    unpacked += size;
    if (unpacked > limits.unpacked().bytes() || unpacked < 0) {
      throw BadArchive.entry(name, "exceeds the allowed " + limits.unpacked() + " in all");
    }
    boolean links = kind == TarEntry.Kind.SYMLINK || kind == TarEntry.Kind.HARDLINK;
    boolean device = kind == TarEntry.Kind.CHARACTER_DEVICE || kind == TarEntry.Kind.BLOCK_DEVICE;
    return new TarEntry(
        name,
        kind,
        (int) (number(TarFormat.MODE, "mode") & 07777),
        id(pax.number("uid", number(TarFormat.UID, "uid")), name),
        id(pax.number("gid", number(TarFormat.GID, "gid")), name),
        size,
        pax.time("mtime", time(name)),
        links ? link : "",
        device ? deviceNumber(TarFormat.MAJOR, MAJOR_LIMIT, name) : 0,
        device ? deviceNumber(TarFormat.MINOR, MINOR_LIMIT, name) : 0,
        pax.xattrs(limits));
  }

  private static TarEntry.Kind kind(char type, String name) {
    return switch (type) {
      case '\0', '0', '7' ->
          name.endsWith("/") ? TarEntry.Kind.DIRECTORY : TarEntry.Kind.FILE; // v7 had no type
      case 'S' -> TarEntry.Kind.FILE;
      case '1' -> TarEntry.Kind.HARDLINK;
      case '2' -> TarEntry.Kind.SYMLINK;
      case '3' -> TarEntry.Kind.CHARACTER_DEVICE;
      case '4' -> TarEntry.Kind.BLOCK_DEVICE;
      case '5' -> TarEntry.Kind.DIRECTORY;
      case '6' -> TarEntry.Kind.FIFO;
      default ->
          throw BadArchive.entry(
              name, "of the unknown type " + BadArchive.quote(String.valueOf(type)));
    };
  }

  /** Finds out what is stored, and says how large the file is. */
  private long size(TarEntry.Kind kind, char type, PaxRecords pax, String name) {
    long inArchive = storedSize(pax.number("size", longNumber(TarFormat.SIZE, "size")), name);
    stored = inArchive;
    padding = padding(inArchive);
    sparse = Optional.empty();
    if (kind != TarEntry.Kind.FILE) {
      if (inArchive != 0) {
        throw BadArchive.entry(name, "has content, but is no file");
      }
      return 0;
    }
    if (type == 'S') {
      sparse = Optional.of(SparseMap.old(block, in, limits));
    } else if (SparseMap.isInFront(pax)) {
      SparseMap.Front front = SparseMap.inFront(pax, in, limits);
      sparse = Optional.of(front.map());
      stored -= front.bytes();
    } else {
      sparse = SparseMap.of(pax, limits);
    }
    if (sparse.isEmpty()) {
      return inArchive;
    }
    if (sparse.get().stored() != stored) {
      throw BadArchive.entry(name, "its map of sparse data does not fit its size");
    }
    return sparse.get().size();
  }

  private static long storedSize(long size, String name) {
    if (size < 0 || size > Long.MAX_VALUE - TarFormat.BLOCK) {
      throw BadArchive.entry(name, "of an impossible size: " + size);
    }
    return size;
  }

  private String name() {
    String name = text(TarFormat.NAME, TarFormat.NAME_LENGTH, "name");
    if (TarFormat.isUstar(block) && block[TarFormat.PREFIX] != 0) {
      return text(TarFormat.PREFIX, TarFormat.PREFIX_LENGTH, "name") + "/" + name;
    }
    return name;
  }

  private Instant time(String name) {
    long seconds = longNumber(TarFormat.MTIME, "time");
    // What Instant can hold ends before what base 256 can.
    if (seconds < Instant.MIN.getEpochSecond() || seconds > Instant.MAX.getEpochSecond()) {
      throw BadArchive.entry(name, "of an impossible time: " + seconds);
    }
    return Instant.ofEpochSecond(seconds);
  }

  private static long id(long id, String name) {
    if (id < 0 || id >= ID_LIMIT) {
      throw BadArchive.entry(name, "its owner is no uid or gid: " + id);
    }
    return id;
  }

  private int deviceNumber(int offset, int below, String name) {
    long number = number(offset, "device number");
    if (number < 0 || number >= below) {
      throw BadArchive.entry(name, "of an impossible device number: " + number);
    }
    return (int) number;
  }

  private void takeGlobal() {
    PaxRecords records = new PaxRecords();
    records.parse(data());
    if (records.contains("path") || records.contains("linkpath") || records.contains("size")) {
      throw BadArchive.because("gives one name or size to all its entries");
    }
    global = records.over(global);
  }

  private String longText(String what) {
    byte[] data = data();
    return TarFormat.text(TarFormat.field(data, 0, data.length), what);
  }

  /** The content of an entry that is about the next entry. */
  private byte[] data() {
    long size = longNumber(TarFormat.SIZE, "size");
    if (size < 0 || size > limits.headerBytes()) {
      throw BadArchive.because(
          "an extended header has "
              + size
              + " bytes, more than the allowed "
              + limits.headerBytes());
    }
    byte[] data = new byte[(int) size];
    if (size > 0 && !in.read(data)) {
      throw BadArchive.because("ends early, in an extended header");
    }
    in.skip(padding(size));
    return data;
  }

  private void skipOver() {
    long size = storedSize(longNumber(TarFormat.SIZE, "size"), "volume");
    in.skip(size);
    in.skip(padding(size));
  }

  private void skipContent() {
    in.skip(stored);
    in.skip(padding);
    stored = 0;
    padding = 0;
  }

  private static long padding(long size) {
    return -size & (TarFormat.BLOCK - 1);
  }

  private String text(int offset, int length, String what) {
    return TarFormat.text(TarFormat.field(block, offset, length), what);
  }

  private long number(int offset, String what) {
    return TarFormat.number(block, offset, TarFormat.SHORT, what);
  }

  private long longNumber(int offset, String what) {
    return TarFormat.number(block, offset, TarFormat.LONG, what);
  }

  private void checkText(String text) {
    if (text.getBytes(StandardCharsets.UTF_8).length > limits.pathBytes()) {
      throw BadArchive.entry(text, "a name of more than " + limits.pathBytes() + " bytes");
    }
  }
}
