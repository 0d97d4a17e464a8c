package dev.stapes.internal.image;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.BufferedOutputStream;
import java.io.FileInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Several trees in a tar archive in zstd, with a text about them in front. Behind it all is a frame
 * of zstd that readers skip (RFC 8878, section 3.1.2), with the SHA-256 of what is before it: what
 * was cut or changed is known before anything is unpacked.
 */
public final class TreeArchive {
  /** Far beyond any volume; what does not fit the pool fails there. */
  private static final ArchiveLimits LIMITS =
      new ArchiveLimits(
          Integer.MAX_VALUE,
          ArchiveLimits.USUAL.depth(),
          ArchiveLimits.USUAL.pathBytes(),
          Size.ofGibibytes(64 << 10),
          ArchiveLimits.USUAL.headerBytes(),
          ArchiveLimits.USUAL.attributeBytes(),
          ArchiveLimits.USUAL.sparseSegments(),
          1_000_000);

  private static final String INDEX = "backup.json";
  private static final int INDEX_BYTES = 16 << 20;
  private static final int BUFFER = 256 << 10;
  private static final int FRAME = 0x184d2a5e;
  private static final byte[] MARK = "StapesV1".getBytes(StandardCharsets.US_ASCII);
  private static final int DIGEST = 32;
  private static final int TRAILER = 2 * Integer.BYTES + 8 + DIGEST;

  private final Path file;

  private TreeArchive(Path file) {
    this.file = file;
  }

  /**
   * A tree.
   *
   * @param name in the archive: names with slashes between, none of which is the first of another
   * @param files opens it, resolved BENEATH
   */
  public record Part(String name, Supplier<Tree> files) {}

  /** Makes room for a tree, and takes it when it is whole. */
  public interface Receiver {
    /** An empty directory, resolved BENEATH. */
    Tree open(String part);

    /** All of it has been written. */
    void finished(String part);
  }

  /**
   * Writes an archive; the stream stays open.
   *
   * @param about the text in front
   * @throws StapesException CONFLICT where a file shrank meanwhile; INTERRUPTED; UNAVAILABLE or
   *     EXHAUSTED where it cannot be written
   */
  public static void write(
      OutputStream out, byte[] about, Instant time, List<Part> parts, Progress progress) {
    DigestOutputStream digested = new DigestOutputStream(new Open(out), Sha256.begin());
    try {
      try (OutputStream zstd = new BufferedOutputStream(ArchiveFile.zstd(digested), BUFFER)) {
        TarWriter tar = new TarWriter(zstd);
        tar.limit(LIMITS);
        tar.add(TarEntry.file(INDEX, 0644, about.length, time), about);
        for (Part part : parts) {
          try (Tree tree = part.files().get()) {
            RootfsPacker.Scope scope = new RootfsPacker.Scope(part.name(), true);
            new RootfsPacker(tree, progress, scope).addTo(tar);
          }
        }
        tar.finish();
      }
      out.write(trailer(digested.getMessageDigest().digest()));
      out.flush();
    } catch (IOException e) {
      throw DiskError.of("backup", "cannot be written", e, StapesException.Kind.UNAVAILABLE);
    }
  }

  /** What is behind an archive of this SHA-256. */
  static byte[] trailer(byte[] digest) {
    return ByteBuffer.allocate(TRAILER)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(FRAME)
        .putInt(MARK.length + digest.length)
        .put(MARK)
        .put(digest)
        .array();
  }

  /**
   * Opens an archive of which nobody knows where it comes from, after reading all of it once.
   *
   * @throws StapesException INVALID where it is none, was cut, or was changed; NOT_FOUND
   */
  public static TreeArchive open(Path file, Progress progress) {
    MessageDigest digest = Sha256.begin();
    if (!Files.exists(file)) {
      throw StapesException.notFound("backup " + file);
    }
    try (InputStream in = new FileInputStream(file.toFile())) {
      long length = Files.size(file) - TRAILER;
      byte[] chunk = new byte[BUFFER];
      for (long done = 0; done < length; ) {
        checkInterrupt();
        int count = in.read(chunk, 0, (int) Math.min(chunk.length, length - done));
        if (count < 0) {
          break;
        }
        digest.update(chunk, 0, count);
        done += count;
        progress.update("check", done, length);
      }
      requireWhole(in.readNBytes(TRAILER), digest.digest());
      return new TreeArchive(file);
    } catch (IOException e) {
      throw DiskError.of("backup", "cannot be read from " + file, e);
    }
  }

  private static void requireWhole(byte[] found, byte[] digest) {
    byte[] wanted = trailer(digest);
    int front = TRAILER - DIGEST;
    if (found.length < TRAILER || !Arrays.equals(found, 0, front, wanted, 0, front)) {
      throw invalid("is no backup of a volume, or was cut: its checksum is missing");
    }
    if (!Arrays.equals(found, wanted)) {
      throw invalid("is damaged: its checksum is wrong");
    }
  }

  private static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, "backup", "reading was interrupted");
    }
  }

  private static StapesException invalid(String problem) {
    return StapesException.invalid("backup", problem);
  }

  /** The text in front. */
  public byte[] about() {
    try (ArchiveInput in = ArchiveInput.open(file, LIMITS, Progress.NONE, "read")) {
      return about(new TarReader(in, LIMITS));
    }
  }

  private static byte[] about(TarReader tar) {
    Optional<TarEntry> first = tar.next();
    if (first.isEmpty() || !first.get().name().equals(INDEX)) {
      throw invalid("does not begin with " + INDEX);
    }
    return tar.content(first.get(), INDEX_BYTES);
  }

  /**
   * Unpacks all trees, one after the other. Device nodes are left out; what was written before an
   * error stays.
   *
   * @param wanted names of those that it is to have, each of them once, and no other
   * @throws StapesException INVALID, quoting the entry; what trees and receiver say; INTERRUPTED
   */
  public void unpack(Set<String> wanted, Receiver receiver, Progress progress) {
    Set<String> missing = new HashSet<>(wanted);
    try (ArchiveInput in = ArchiveInput.openAhead(file, LIMITS, Decoders.JAVA, progress, "unpack");
        Unpacking unpacking = new Unpacking(receiver)) {
      TarReader tar = new TarReader(in, LIMITS);
      about(tar);
      for (Optional<TarEntry> next = tar.next(); next.isPresent(); next = tar.next()) {
        EntryPath path = EntryPath.of(next.get().name(), LIMITS);
        String part = partOf(path, wanted, next.get());
        if (!unpacking.isAt(part)) {
          unpacking.finish();
          if (!missing.remove(part)) {
            throw BadArchive.entry(next.get().name(), "comes behind the end of its tree");
          }
          unpacking.begin(part);
        }
        unpacking.write(path, next.get(), tar);
      }
      unpacking.finish();
    }
    if (!missing.isEmpty()) {
      throw invalid("lacks " + missing);
    }
  }

  private static String partOf(EntryPath path, Set<String> wanted, TarEntry entry) {
    for (int names = 1; names <= Math.min(2, path.names().size()); names++) {
      String part = String.join("/", path.names().subList(0, names));
      if (wanted.contains(part)) {
        return part;
      }
    }
    throw BadArchive.entry(entry.name(), "belongs to nothing that is in the backup");
  }

  /** The tree that is being written. */
  private static final class Unpacking implements AutoCloseable {
    private final Receiver receiver;
    private @Nullable String part;
    private @Nullable Tree tree;
    private @Nullable TreeUnpacker files;

    Unpacking(Receiver receiver) {
      this.receiver = receiver;
    }

    boolean isAt(String other) {
      return other.equals(part);
    }

    void begin(String next) {
      Tree opened = receiver.open(next);
      tree = opened;
      part = next;
      files = new TreeUnpacker(opened);
    }

    void write(EntryPath path, TarEntry entry, ImageEntries reader) {
      TreeUnpacker to = files;
      String root = part;
      if (to == null || root == null) {
        throw new IllegalStateException("nothing was begun");
      }
      String name = below(root, path, entry);
      if (TreeUnpacker.isDevice(entry)) {
        to.leaveOut(name);
      } else {
        to.write(name, entry, () -> below(root, EntryPath.of(entry.link(), LIMITS), entry), reader);
      }
    }

    private static String below(String root, EntryPath path, TarEntry entry) {
      String whole = String.join("/", path.names());
      if (whole.equals(root)) {
        return "";
      }
      if (!whole.startsWith(root + "/")) {
        throw BadArchive.entry(entry.name(), "a hard link out of its tree");
      }
      return whole.substring(root.length() + 1);
    }

    void finish() {
      String done = part;
      if (files != null && done != null) {
        files.finish();
        close();
        receiver.finished(done);
      }
    }

    @Override
    public void close() {
      try (Tree opened = tree;
          TreeUnpacker written = files) {
        part = null;
        tree = null;
        files = null;
      }
    }
  }

  /** A stream that somebody else closes. */
  private static final class Open extends FilterOutputStream {
    Open(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      out.flush();
    }
  }
}
