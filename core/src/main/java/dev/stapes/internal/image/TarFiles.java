package dev.stapes.internal.image;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.image.ArchiveDecoder.Piece;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The files of a tar archive of unknown origin, plain or compressed, one after the other. What is
 * passed over is not read where the archive is plain. Errors are INVALID.
 */
public final class TarFiles implements AutoCloseable {
  private static final int ENTRIES = 50_000;
  private static final int NAME_BYTES = 1_024;
  private static final ArchiveLimits LIMITS =
      new ArchiveLimits(
          ENTRIES,
          ArchiveLimits.USUAL.depth(),
          NAME_BYTES,
          ArchiveLimits.USUAL.unpacked(),
          ArchiveLimits.USUAL.headerBytes(),
          ArchiveLimits.USUAL.attributeBytes(),
          ArchiveLimits.USUAL.sparseSegments(),
          ArchiveLimits.USUAL.ratio());

  private final ArchiveInput in;
  private final TarReader reader;

  private TarFiles(ArchiveInput in) {
    this.in = in;
    this.reader = new TarReader(in, LIMITS);
  }

  /**
   * A file, or another name for one.
   *
   * @param name with single slashes between its parts, none of which is a dot or two
   * @param size in bytes
   * @param target of a hard or symbolic link, a name like {@code name}
   */
  public record Entry(String name, long size, Optional<String> target) {}

  /**
   * Opens an archive file.
   *
   * @param stage the word for {@code progress}, which is told of bytes of the file
   */
  public static TarFiles open(Path archive, Progress progress, String stage) {
    ArchiveInput in = ArchiveInput.open(archive, LIMITS, progress, stage);
    if (in.compression() == Compression.NONE) {
      return new TarFiles(in);
    }
    in.close();
    return new TarFiles(ArchiveInput.openAhead(archive, LIMITS, Decoders.JAVA, progress, stage));
  }

  /** The next file or link; empty behind the last. Directories and devices are passed over. */
  public Optional<Entry> next() {
    for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
      TarEntry entry = next.get();
      List<String> names = EntryPath.of(entry.name(), LIMITS).names();
      String name = String.join("/", names);
      if (entry.kind() == TarEntry.Kind.FILE) {
        return Optional.of(new Entry(name, entry.size(), Optional.empty()));
      } else if (entry.kind() == TarEntry.Kind.HARDLINK) {
        String first = String.join("/", EntryPath.of(entry.link(), LIMITS).names());
        return Optional.of(new Entry(name, 0, Optional.of(first)));
      } else if (entry.kind() == TarEntry.Kind.SYMLINK) {
        return Optional.of(new Entry(name, 0, Optional.of(target(entry, names))));
      }
    }
    return Optional.empty();
  }

  /** Where a symbolic link leads, by its text alone. */
  private static String target(TarEntry entry, List<String> names) {
    Deque<String> path = new ArrayDeque<>(names);
    path.pollLast();
    if (entry.link().startsWith("/")) {
      throw leaves(entry);
    }
    for (String part : entry.link().split("/", -1)) {
      if (part.equals("..") && path.pollLast() == null) {
        throw leaves(entry);
      } else if (!part.isEmpty() && !part.equals(".") && !part.equals("..")) {
        path.addLast(part);
      }
    }
    return String.join("/", path);
  }

  private static StapesException leaves(TarEntry entry) {
    return BadArchive.entry(
        entry.name(), "a link that leaves the archive: " + BadArchive.quote(entry.link()));
  }

  /** The first bytes of the file that {@link #next} gave last. */
  public byte[] start(Entry file, int most) {
    if (reader.isSparse()) {
      throw BadArchive.entry(file.name(), "is a sparse file, which no image is made of");
    }
    return reader.start(most);
  }

  /** All bytes of the file that {@link #next} gave last, or those behind its {@link #start}. */
  public void copy(Entry file, OutputStream out) throws IOException {
    if (reader.isSparse()) {
      throw BadArchive.entry(file.name(), "is a sparse file, which no image is made of");
    }
    try {
      reader.content(new Copying(out));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Into a stream. */
  private record Copying(OutputStream out) implements Content {
    @Override
    public void data(Blocks.Block block, int offset, int length) {
      try {
        out.write(block.bytes(), offset, length);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void hole(long length) {
      throw new IllegalStateException("a sparse file");
    }
  }

  /** The SHA-256 of what a compressed file holds. */
  public static String decodedSha256(Path file) {
    MessageDigest digest = Sha256.begin();
    try (ArchiveDecoder decoder =
        ArchiveDecoder.open(file, ArchiveLimits.USUAL, Optional.of(Decoders.JAVA))) {
      for (Optional<Piece> next = decoder.next(); next.isPresent(); next = decoder.next()) {
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(
              StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted");
        }
        digest.update(next.get().block().bytes(), 0, next.get().length());
        next.get().block().release();
      }
    }
    return Sha256.hex(digest);
  }

  @Override
  public void close() {
    in.close();
  }
}
