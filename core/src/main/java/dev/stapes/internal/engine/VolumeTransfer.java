package dev.stapes.internal.engine;

import dev.stapes.internal.image.DiskTransfer;
import dev.stapes.internal.image.TreeTransfer;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.SendReceive;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Brings volumes from one pool to another: by the streams of their driver where both are of one
 * that has them, else file by file. What it makes on the way the caller has named in its intent.
 */
final class VolumeTransfer {
  private static final int PIPE = 1 << 20;

  private final VolumeContents contents;
  private final VolumeRecord result;
  private final String subject;
  private final StoragePool from;
  private final StoragePool to;
  private final Progress progress;

  /**
   * Of one volume with its snapshots.
   *
   * @param result what it will be
   */
  VolumeTransfer(
      VolumeContents contents,
      VolumeRecord result,
      StoragePool from,
      StoragePool to,
      Progress progress) {
    this.contents = contents;
    this.result = result;
    this.subject = result.subject();
    this.from = from;
    this.to = to;
    this.progress = progress;
  }

  /** Whether both pools speak one stream. */
  static boolean streams(StoragePool from, StoragePool to) {
    return from.sendReceive().isPresent()
        && to.sendReceive().isPresent()
        && from.info().driver().equals(to.info().driver());
  }

  /**
   * Makes a read-only volume.
   *
   * @param source a read-only volume
   * @param base a read-only volume that both pools have, by its ids here and there
   * @param target that is to be
   * @param passing an id for a volume in between, which is gone when this returns
   */
  void snapshot(VolumeId source, Optional<VolumeId> base, VolumeId target, VolumeId passing) {
    if (from == to) {
      to.copy(source, target, true);
    } else if (streams(from, to)) {
      stream(source, base, target);
    } else {
      files(source, passing);
      to.copy(passing, target, true);
      to.discard(passing);
    }
  }

  /** Makes a volume that can be written to. See {@link #snapshot}. */
  void volume(VolumeId source, Optional<VolumeId> base, VolumeId target, VolumeId passing) {
    if (from == to) {
      to.copy(source, target, false);
    } else if (streams(from, to)) {
      stream(source, base, passing);
      to.copy(passing, target, false);
      to.discard(passing);
      keepTime(source, target);
    } else {
      files(source, target);
    }
  }

  /** Receivers make new files in the root first, and move them to their places then. */
  private void keepTime(VolumeId source, VolumeId target) {
    try (Tree read = contents.tree(from, source);
        Tree write = contents.tree(to, target)) {
      read.stat("/").ifPresent(root -> write.setModified("/", root.modifiedAt()));
    }
  }

  private void files(VolumeId source, VolumeId target) {
    if (result.isDisk()) {
      Size size = contents.size(from, result, source); // which another pool may have rounded
      contents.createWithoutDisk(to, target, result, Optional.of(size));
    } else {
      to.create(target);
    }
    try (Tree read = contents.tree(from, source);
        Tree write = contents.tree(to, target)) {
      if (result.isDisk()) {
        DiskTransfer.copy(read, write, progress);
      } else {
        TreeTransfer.copy(read, write, progress);
      }
    } catch (StapesException e) {
      throw new StapesException(e.kind(), subject, "cannot be copied: " + e.getMessage(), e);
    }
  }

  private void stream(VolumeId source, Optional<VolumeId> base, VolumeId target) {
    SendReceive sender = from.sendReceive().orElseThrow();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    StapesException received = null;
    try (PipedInputStream in = new PipedInputStream(PIPE)) {
      Counted out = new Counted(new PipedOutputStream(in), progress);
      Thread thread = new Thread(() -> send(sender, source, base, out, failure), "stapes-send");
      thread.setDaemon(true);
      thread.start();
      try {
        to.sendReceive().orElseThrow().receive(target, in);
      } catch (StapesException e) {
        received = e;
      } finally {
        in.close(); // a sender that writes on is told so
        join(thread);
      }
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, subject, "cannot be copied: " + e, e);
    }
    if (has(InterruptedIOException.class, received)) {
      Thread.currentThread().interrupt(); // who waits for a pipe takes note of it himself
    }
    Work.checkInterrupt(subject);
    requireNone(failure.get(), received);
  }

  /** A receiver that fails makes the sender fail, and the other way round: who was first? */
  private void requireNone(@Nullable Throwable sent, @Nullable StapesException received) {
    if (received != null && (sent == null || has(Counted.Closed.class, sent))) {
      throw new StapesException(received.kind(), subject, why(received), received);
    }
    if (sent instanceof StapesException known) {
      throw new StapesException(known.kind(), subject, why(known), known);
    }
    if (sent != null) {
      throw new StapesException(Kind.INTERNAL, subject, "cannot be copied: " + sent, sent);
    }
  }

  private static String why(StapesException e) {
    return "cannot be copied: " + e.getMessage();
  }

  private static boolean has(Class<? extends IOException> type, @Nullable Throwable e) {
    for (Throwable at = e; at != null; at = at.getCause()) {
      if (type.isInstance(at)) {
        return true;
      }
    }
    return false;
  }

  private static void send(
      SendReceive sender,
      VolumeId source,
      Optional<VolumeId> base,
      OutputStream out,
      AtomicReference<@Nullable Throwable> failure) {
    try (out) {
      sender.send(source, base, out);
    } catch (IOException | RuntimeException | Error e) {
      failure.set(e);
    }
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Tells how much went through a pipe, and that nobody reads it any more. */
  private static final class Counted extends FilterOutputStream {
    private final Progress progress;
    private long sent;

    Counted(OutputStream out, Progress progress) {
      super(out);
      this.progress = progress;
    }

    /** Nobody reads any more. */
    static final class Closed extends IOException {
      private static final long serialVersionUID = 1L;

      Closed(IOException cause) {
        super("the receiver has ended: " + cause.getMessage(), cause);
      }
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
        out.flush(); // else the other side looks once a second
      } catch (IOException e) {
        throw new Closed(e);
      }
      sent += length;
      progress.update("send", sent, -1);
    }
  }
}
