package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Reads a squashfs file system. Some MiB of content are decoded ahead, by as many threads as there
 * are CPUs, while the thread that asks writes what came before. The file system is not trusted:
 * what it refers to must be there, and the limits are kept.
 */
final class SquashReader implements ImageEntries, AutoCloseable {
  private static final long AHEAD = 8L << 20;
  private static final int ENTRIES_AHEAD = 512;
  private static final long FRAGMENTS = 4L << 20;
  private static final int FEWEST_FRAGMENTS = 4;
  private static final int HOLE = 256;

  private final SquashFile file;
  private final SquashTree tree;
  private final ArchiveLimits limits;
  private final Progress progress;
  private final String stage;
  private final ExecutorService decoders;
  private final Map<Long, Future<Decoded>> fragments;
  private final Deque<Thing> ahead = new ArrayDeque<>();
  private @Nullable Thing current;
  private @Nullable Thing sending;
  private long inFlight;
  private long decoded;
  private long stored;

  private SquashReader(SquashFile file, ArchiveLimits limits, Progress progress, String stage) {
    this.file = file;
    this.tree = new SquashTree(file, limits);
    this.limits = limits;
    this.progress = progress;
    this.stage = stage;
    this.decoders =
        Executors.newFixedThreadPool(
            Runtime.getRuntime().availableProcessors(),
            task -> {
              Thread thread = new Thread(task, "stapes-squashfs");
              thread.setDaemon(true);
              return thread;
            });
    int most = (int) Math.max(FEWEST_FRAGMENTS, FRAGMENTS / file.superblock().blockSize());
    this.fragments =
        new LinkedHashMap<>(most, 0.75f, true) {
          private static final long serialVersionUID = 1;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, Future<Decoded>> eldest) {
            return size() > most;
          }
        };
  }

  /** Whether a file is one, by its first bytes. */
  static boolean isSquash(Path path) {
    try (InputStream in = new FileInputStream(path.toFile())) {
      return SquashSuperblock.isMagic(in.readNBytes(Integer.BYTES));
    } catch (IOException e) {
      return false; // whoever opens it says why
    }
  }

  /**
   * Opens one.
   *
   * @param decoders of what is compressed in it
   * @param stage the word for {@code progress}, which is told of compressed bytes
   * @throws StapesException INVALID where it is damaged, UNSUPPORTED for another version
   */
  static SquashReader open(
      Path path, ArchiveLimits limits, Decoders decoders, Progress progress, String stage) {
    SquashFile file = SquashFile.open(path, decoders);
    try {
      return new SquashReader(file, limits, progress, stage);
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  @Override
  public Optional<TarEntry> next() {
    if (current != null) {
      current.forget();
    }
    sendAhead();
    current = ahead.poll();
    return Optional.ofNullable(current).map(thing -> thing.node.entry());
  }

  @Override
  public void content(Content content) {
    Thing thing = current;
    while (thing != null && thing.left()) {
      if (thing.pieces.isEmpty()) {
        sendAhead();
      }
      hand(thing.pieces.remove(), content);
      sendAhead();
    }
  }

  private void hand(Piece piece, Content content) {
    inFlight -= piece.charge();
    Future<Decoded> awaited = piece.block();
    if (awaited == null) {
      content.hole(piece.length());
      return;
    }
    Decoded block = join(awaited);
    boolean fits =
        piece.whole()
            ? block.length() == piece.length()
            : piece.offset() <= block.length() - piece.length();
    if (!fits) {
      throw BadArchive.because("has a block of another length than its file says");
    }
    content.data(block.block(), piece.offset(), piece.length());
    if (piece.whole()) { // others may need a fragment: those are left to garbage collection
      block.block().release();
    }
    decoded += piece.length();
    stored += piece.stored();
    if (decoded > ArchiveLimits.RATIO_FREE && decoded / limits.ratio() > file.size()) {
      throw BadArchive.because(
          "grows to more than " + limits.ratio() + " times its size: not unpacked any further");
    }
    progress.update(stage, Math.min(stored, file.size()), file.size());
  }

  private static Decoded join(Future<Decoded> block) {
    try {
      return block.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StapesException known) {
        throw known;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw BadArchive.because("cannot be decoded: " + e.getCause(), e.getCause());
    }
  }

  /** Has blocks decoded until enough are on their way. */
  private void sendAhead() {
    while (inFlight < AHEAD) {
      if (sending != null && !sending.isSent()) {
        sending.sendNext();
        continue;
      }
      if (ahead.size() >= ENTRIES_AHEAD) {
        return;
      }
      Optional<SquashTree.Node> next = tree.next();
      if (next.isEmpty()) {
        return;
      }
      sending = new Thing(next.get());
      ahead.add(sending);
    }
  }

  private Future<Decoded> fragment(long index) {
    Future<Decoded> known = fragments.get(index);
    if (known == null) {
      SquashTables.Fragment fragment = tree.tables().fragment(index);
      int most = file.superblock().blockSize();
      known = decode(fragment.position(), fragment.field(), most);
      fragments.put(index, known);
    }
    return known;
  }

  private Future<Decoded> decode(long position, long field, int most) {
    return decoders.submit(
        () -> {
          Blocks.Block block = file.blocks().take();
          return new Decoded(block, file.data(position, field, block.bytes(), most));
        });
  }

  @Override
  public void close() {
    decoders.shutdownNow();
    file.close();
  }

  /** A block, and how much of it there is. */
  private record Decoded(Blocks.Block block, int length) {}

  /**
   * A part of a file.
   *
   * @param block where it is; null: a hole
   * @param whole whether it is all of the block
   * @param stored bytes that it takes in the file system, as far as is known
   * @param charge bytes of memory that it takes, about
   */
  private record Piece(
      @Nullable Future<Decoded> block,
      boolean whole,
      int offset,
      int length,
      long stored,
      int charge) {}

  /** A thing, and what of its content is on its way. */
  private final class Thing {
    private final SquashTree.Node node;
    private final Deque<Piece> pieces = new ArrayDeque<>();
    private int sent;
    private long position;
    private boolean fragmentSent;

    Thing(SquashTree.Node node) {
      this.node = node;
      this.position = node.inode().start();
      this.fragmentSent = !node.hasContent() || node.inode().fragment() == SquashInode.NO_FRAGMENT;
      this.sent = node.hasContent() ? 0 : node.inode().blocks().length;
    }

    boolean isSent() {
      return sent == node.inode().blocks().length && fragmentSent;
    }

    boolean left() {
      return !pieces.isEmpty() || !isSent();
    }

    void sendNext() {
      SquashInode inode = node.inode();
      int blockSize = file.superblock().blockSize();
      long rest = inode.size() - (long) sent * blockSize;
      if (sent == inode.blocks().length) {
        fragmentSent = true;
        if (rest > 0) {
          add(
              new Piece(
                  fragment(inode.fragment()), false, inode.offset(), (int) rest, 0, (int) rest));
        }
        return;
      }
      int length = (int) Math.min(rest, blockSize);
      long field = Integer.toUnsignedLong(inode.blocks()[sent]);
      int takes = SquashFile.stored(field);
      long at = position;
      position += takes;
      sent++;
      add(
          takes == 0
              ? new Piece(null, true, 0, length, 0, HOLE)
              : new Piece(decode(at, field, length), true, 0, length, takes, blockSize));
    }

    private void add(Piece piece) {
      pieces.add(piece);
      inFlight += piece.charge();
    }

    /** Of what nobody has asked for. */
    void forget() {
      sent = node.inode().blocks().length;
      fragmentSent = true;
      for (Piece piece : pieces) {
        inFlight -= piece.charge();
        Future<Decoded> block = piece.block();
        if (block != null && piece.whole()) { // others may wait for a fragment
          block.cancel(false);
        }
      }
      pieces.clear();
    }
  }
}
