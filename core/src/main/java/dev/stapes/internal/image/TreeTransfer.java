package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Copies a tree into an empty one, of whatever file system, as an image would be packed and
 * unpacked but without the archive between: owners, modes, times, hard links, holes and the
 * extended attributes that mean something outside of their host stay. Sockets are left out.
 */
public final class TreeTransfer implements EntrySink, AutoCloseable {
  private static final int CHUNK = 256 << 10;
  private static final int KEPT = 32;
  private static final String ROOT = "tree";

  private final Blocks blocks = new Blocks(CHUNK, KEPT);
  private final TreeUnpacker files;

  private TreeTransfer(Tree to) {
    this.files = new TreeUnpacker(to);
  }

  /**
   * Copies.
   *
   * @param from does not change meanwhile; resolved BENEATH
   * @param to an empty directory, resolved BENEATH
   * @param progress is told of bytes of files
   * @throws StapesException CONFLICT where a file shrank meanwhile; INTERRUPTED; what the trees say
   */
  public static void copy(Tree from, Tree to, Progress progress) {
    Progress told = (stage, done, total) -> progress.update("copy", done, total);
    try (TreeTransfer sink = new TreeTransfer(to)) {
      new RootfsPacker(from, told, new RootfsPacker.Scope(ROOT, true)).addTo(sink);
      sink.files.finish();
    } catch (IOException e) {
      throw DiskError.of("tree", "cannot be copied", e);
    }
  }

  @Override
  public void add(TarEntry entry) {
    write(entry, content -> {});
  }

  @Override
  public void add(TarEntry entry, InputStream content) throws IOException {
    try {
      write(entry, to -> pump(content, entry.size(), to));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public void add(TarEntry entry, SparseMap map, InputStream content) throws IOException {
    try {
      write(entry, to -> pump(content, map, to));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void write(TarEntry entry, Consumer<Content> source) {
    files.write(below(entry.name()), entry, () -> below(entry.link()), new One(source));
  }

  private static String below(String name) {
    return name.length() > ROOT.length() ? name.substring(ROOT.length() + 1) : "";
  }

  private void pump(InputStream from, SparseMap map, Content to) {
    long at = 0;
    for (SparseMap.Segment segment : map.segments()) {
      skip(from, segment.offset() - at, to);
      pump(from, segment.length(), to);
      at = segment.offset() + segment.length();
    }
    skip(from, map.size() - at, to);
  }

  private static void skip(InputStream from, long length, Content to) {
    if (length > 0) {
      try {
        from.skipNBytes(length);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      to.hole(length);
    }
  }

  private void pump(InputStream from, long length, Content to) {
    long left = length;
    while (left > 0) {
      Blocks.Block block = blocks.take();
      try {
        int count = from.readNBytes(block.bytes(), 0, (int) Math.min(left, CHUNK));
        if (count == 0) {
          throw new EOFException(left + " bytes are missing");
        }
        to.data(block, 0, count);
        left -= count;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        block.release();
      }
    }
  }

  @Override
  public void close() {
    files.close();
  }

  /** The content of one file. */
  private record One(Consumer<Content> source) implements ImageEntries {
    @Override
    public Optional<TarEntry> next() {
      return Optional.empty();
    }

    @Override
    public void content(Content content) {
      source.accept(content);
    }
  }
}
