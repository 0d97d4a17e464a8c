package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.RawCommand;
import dev.stapes.qmp.qemu.BlockJobCancel;
import dev.stapes.qmp.qemu.BlockJobCancelledEvent;
import dev.stapes.qmp.qemu.BlockJobCompletedEvent;
import dev.stapes.qmp.qemu.BlockJobReadyEvent;
import dev.stapes.qmp.qemu.BlockdevDel;
import dev.stapes.qmp.qemu.BlockdevMirror;
import dev.stapes.qmp.qemu.JobInfo;
import dev.stapes.qmp.qemu.MirrorSyncMode;
import dev.stapes.qmp.qemu.QueryJobs;
import java.time.Duration;
import java.util.Optional;

/** Writes the root disk of a running machine to another QEMU, and all changes of it after that. */
final class DiskMirror {
  /** Name of the connected socket that QEMU was given before. */
  static final String FD = "stapes-mirror";

  private static final String NODE = "departure-disk";
  private static final String JOB = "departure";
  private static final Duration BETWEEN = Duration.ofMillis(250);
  private static final Duration LONGEST = Duration.ofHours(12);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final String subject;
  private final Monitor monitor;

  DiskMirror(String subject, Monitor monitor) {
    this.subject = subject;
    this.monitor = monitor;
  }

  /**
   * Begins, and returns when the other one has all but what changes now.
   *
   * @param encrypted whether by {@link TlsEnd}
   */
  void fill(boolean encrypted, Progress progress) {
    monitor.execute(new RawCommand("blockdev-add", node(encrypted)));
    try (QmpExpectation<QmpEvent> ready =
        monitor.client().expect(QmpEvent.class, event -> isReady(event) || isOver(event))) {
      monitor.execute(
          BlockdevMirror.builder(QemuArguments.ROOT_NODE, NODE, MirrorSyncMode.FULL)
              .jobId(JOB)
              .build());
      QmpEvent event = await(ready, progress);
      if (!isReady(event)) {
        throw failed(Optional.of(event));
      }
    }
  }

  /** Holes stay holes. */
  static ObjectNode node(boolean encrypted) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("driver", "nbd").put("node-name", NODE).put("export", Arriving.EXPORT);
    node.put("discard", "unmap");
    if (encrypted) {
      node.put("tls-creds", TlsEnd.ID);
    }
    node.putObject("server").put("type", "fd").put("str", FD);
    return node;
  }

  /** Brings over the last, of a machine that stands still, and lets go of the other one. */
  void finish() {
    Optional<QmpEvent> end = end(false);
    boolean whole =
        end.isPresent()
            && end.get() instanceof BlockJobCompletedEvent completed
            && completed.error().isEmpty();
    if (!whole) {
      throw failed(end);
    }
    monitor.execute(BlockdevDel.of(NODE));
  }

  /** Gives up, if there is a mirror, or the beginning of one. */
  void abandon() {
    if (job().isPresent()) {
      Optional<QmpEvent> unusedAnyEnd = end(true);
    }
    try {
      monitor.client().execute(BlockdevDel.of(NODE));
    } catch (QmpCommandException e) {
      return; // there is none
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "blockdev-del", e);
    }
  }

  private Optional<JobInfo> job() {
    return monitor.execute(QueryJobs.of()).stream().filter(job -> job.id().equals(JOB)).findFirst();
  }

  /**
   * Ends it. One that is ready makes the other disk as this one is now first, unless by force.
   *
   * @return empty where it had ended already
   */
  private Optional<QmpEvent> end(boolean force) {
    try (QmpExpectation<QmpEvent> over =
        monitor.client().expect(QmpEvent.class, DiskMirror::isOver)) {
      try {
        monitor.client().execute(BlockJobCancel.builder(JOB).force(force).build());
      } catch (QmpCommandException e) {
        if (job().isPresent()) {
          throw e;
        }
        return Optional.empty();
      }
      return Optional.of(over.await(PATIENCE));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "block-job-cancel", e);
    }
  }

  private QmpEvent await(QmpExpectation<QmpEvent> expected, Progress progress) {
    long deadline = System.nanoTime() + LONGEST.toNanos();
    while (true) {
      job().ifPresent(job -> progress.update("disk", job.currentProgress(), job.totalProgress()));
      try {
        return expected.await(BETWEEN);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
      } catch (QmpTimeoutException e) {
        if (System.nanoTime() > deadline) {
          throw Monitor.failed(subject, "blockdev-mirror", e);
        }
      } catch (QmpException e) {
        throw Monitor.failed(subject, "blockdev-mirror", e);
      }
    }
  }

  private static boolean isReady(QmpEvent event) {
    return event instanceof BlockJobReadyEvent ready && ready.device().equals(JOB);
  }

  private static boolean isOver(QmpEvent event) {
    return (event instanceof BlockJobCompletedEvent completed && completed.device().equals(JOB))
        || (event instanceof BlockJobCancelledEvent cancelled && cancelled.device().equals(JOB));
  }

  private StapesException failed(Optional<QmpEvent> end) {
    String why =
        end.isPresent() && end.get() instanceof BlockJobCompletedEvent completed
            ? completed.error().orElse("QEMU does not say why")
            : "its mirror has ended";
    return new StapesException(Kind.UNAVAILABLE, subject, "its disk does not arrive: " + why);
  }
}
