package dev.stapes.storage.lvm;

import dev.stapes.linux.Joins;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Undo;
import dev.stapes.storage.lvm.ThinMap.Range;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks into the metadata of a thin pool in use, by a snapshot of it that the kernel keeps
 * meanwhile; see thin-provisioning.rst of the kernel. There is one at a time.
 */
final class ThinMetadata {
  private static final Logger LOG = LoggerFactory.getLogger(ThinMetadata.class);

  /** Of a look into all of the metadata, which may be on a slow disk. */
  private static final Duration LIMIT = Duration.ofHours(1);

  private final Host host;
  private final String subject;
  private final PoolVolumes thin;
  private final ReentrantLock turn = new ReentrantLock();

  ThinMetadata(Host host, String subject, PoolVolumes thin) {
    this.host = host;
    this.subject = subject;
    this.thin = thin;
  }

  /**
   * Parts of a volume.
   *
   * @param size of the whole, in bytes
   */
  record Parts(long size, List<Range> ranges) {
    /** Copies. */
    Parts {
      ranges = List.copyOf(ranges);
    }
  }

  private record Row(String id, long size) {}

  /** What of a volume is mapped: the rest reads as zeros. */
  Parts mapped(String volume, Holding stream) {
    return inTurn(
        stream,
        () -> {
          Row row = row(volume);
          return parts(row, stream, "thin_dump", metadata(), "--dev-id", row.id(), "-m");
        });
  }

  /** What of a volume is not the same as in another one. */
  Parts changed(String base, String volume, Holding stream) {
    return inTurn(
        stream,
        () -> {
          String old = row(base).id();
          Row row = row(volume);
          return parts(
              row, stream, "thin_delta", metadata(), "--snap1", old, "--snap2", row.id(), "-m");
        });
  }

  /** May take long: an hour, for each who came before. */
  private Parts inTurn(Holding stream, Supplier<Parts> look) {
    try {
      turn.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    }
    try {
      stream.ensureGoing();
      return look.get();
    } finally {
      turn.unlock();
    }
  }

  /** Waits until nobody looks any more: those who did have ended, and others do not begin. */
  void awaitEnd() {
    turn.lock();
    try {
      LOG.debug("{}: nobody looks into its metadata", subject);
    } finally {
      turn.unlock();
    }
  }

  private Row row(String name) {
    List<LvmRow> rows = thin.lvm().volumes("thin_id,lv_size", thin.path(name));
    return thin.lvm()
        .read(
            () -> {
              LvmRow row = LvmReport.only(rows);
              return new Row(Long.toString(row.number("thin_id")), row.number("lv_size"));
            });
  }

  private Parts parts(Row row, Holding stream, String... command) {
    Optional<String> text = written(stream, command);
    Optional<List<Range>> ranges =
        text.isPresent()
            ? thin.lvm().read(() -> ThinMap.ranges(text.get(), row.size()))
            : Optional.empty();
    return new Parts(row.size(), ranges.orElseGet(() -> List.of(new Range(0, row.size()))));
  }

  /**
   * What a program writes about the metadata; empty where that is more than a program may write:
   * then all of the volume is looked at.
   */
  private Optional<String> written(Holding stream, String... command) {
    String text;
    try {
      reserve();
      text = run(stream, Command.of(command).timeout(LIMIT));
    } catch (StapesException e) {
      Undo.after(e, this::release);
      if (e.kind() == Kind.EXHAUSTED) {
        LOG.info("{}: all of a volume is read: {}", subject, e.getMessage(), e);
        return Optional.empty();
      }
      throw LvmErrors.of(e, subject, command[0] + " failed");
    }
    release();
    return Optional.of(text);
  }

  /** It reads, and may be killed: by this thread's interruption, or by the end of the stream. */
  private String run(Holding stream, Command command) {
    FutureTask<String> task = new FutureTask<>(() -> host.programs().run(command).stdout());
    Thread thread = new Thread(task, "stapes-lvm-metadata");
    thread.setDaemon(true);
    return stream.interruptible(
        () -> task.cancel(true),
        () -> {
          thread.start();
          try {
            return result(task);
          } finally {
            task.cancel(true);
            Joins.join(thread);
          }
        });
  }

  private String result(FutureTask<String> task) {
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (CancellationException e) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "closed", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StapesException refused) {
        throw refused;
      }
      throw new StapesException(Kind.INTERNAL, subject, "cannot be run: " + e.getCause(), e);
    }
  }

  /** One that a killed JVM left is let go before. */
  private void reserve() {
    try {
      message("reserve_metadata_snap");
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      Undo.after(e, () -> message("release_metadata_snap"));
      message("reserve_metadata_snap");
    }
  }

  private void release() {
    boolean interrupted = Thread.interrupted();
    try {
      message("release_metadata_snap");
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void message(String text) {
    try {
      host.programs().run(Command.of("dmsetup", "message", device("-tpool"), "0", text));
    } catch (StapesException e) {
      throw LvmErrors.of(e, subject, text + " failed");
    }
  }

  private String metadata() {
    return device("_tmeta");
  }

  private String device(String layer) {
    return "/dev/mapper/" + thin.mapped(layer);
  }
}
