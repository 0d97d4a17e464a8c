package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.qemu.Migrate;
import dev.stapes.qmp.qemu.MigrateContinue;
import dev.stapes.qmp.qemu.MigrationEvent;
import dev.stapes.qmp.qemu.MigrationStatus;
import dev.stapes.qmp.qemu.QueryKvm;
import dev.stapes.qmp.qemu.QueryMigrate;
import dev.stapes.qmp.qemu.QueryStatus;
import dev.stapes.qmp.qemu.ResumeEvent;
import dev.stapes.qmp.qemu.RunState;
import dev.stapes.qmp.qemu.Stop;
import dev.stapes.spi.Migrations;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a running machine to another QEMU. Its disk is mirrored while it runs, then its memory
 * goes; it stands still at the latest before the last of that goes, and then the mirror is brought
 * to its end. It can be taken back at any time until somebody lets the other one go on.
 */
final class Departure {
  private static final Logger LOG = LoggerFactory.getLogger(Departure.class);
  private static final String FD = "stapes-departure";
  private static final Duration BETWEEN = Duration.ofMillis(250);
  private static final Duration SOON = Duration.ofMillis(50);
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration LONGEST = Duration.ofHours(12);

  private final String subject;
  private final Monitor monitor;
  private final DiskMirror mirror;
  private final TlsEnd tls;

  Departure(String subject, Monitor monitor, VmFiles files, Syscalls sys) {
    this.subject = subject;
    this.monitor = monitor;
    this.tls = new TlsEnd(subject, monitor, files, sys);
    this.mirror = new DiskMirror(subject, monitor);
  }

  /** Sends it; see {@link Migrations#send}. */
  void send(Migrations.Arrival arrival, ArrivalSockets sockets, Progress progress) {
    sockets.key().ifPresent(key -> tls.begin(TlsEnd.Side.CLIENT, key));
    pass(sockets::connectDisk, DiskMirror.FD);
    mirror.fill(sockets.key().isPresent(), progress);
    monitor.execute(Migration.capabilities(true));
    holdStill();
    pass(sockets::connectMemory, FD);
    try (QmpExpectation<MigrationEvent> still =
        expect(status -> status == MigrationStatus.PRE_SWITCHOVER || Migration.isOver(status))) {
      monitor.execute(Migrate.builder().uri("fd:" + FD).build());
      require(MigrationStatus.PRE_SWITCHOVER, await(still, progress));
    }
    mirror.finish();
    arrival.diskIsWhole();
    try (QmpExpectation<MigrationEvent> over = expect(Migration::isOver)) {
      monitor.execute(MigrateContinue.of(MigrationStatus.PRE_SWITCHOVER));
      require(MigrationStatus.COMPLETED, await(over, progress));
    }
    arrival.awaitWhole();
  }

  /**
   * One that is emulated does not run while its memory goes: until version 9.0 QEMU does not hear
   * of each write of emulated processors, and what it does not hear of is lost on the way.
   */
  private void holdStill() {
    if (!monitor.execute(QueryKvm.of()).enabled()) {
      monitor.execute(Stop.of());
    }
  }

  /** Which it could not open by itself: it is another user's. */
  private void pass(Supplier<Fd> socket, String name) {
    try (Fd connected = socket.get()) {
      monitor.give(name, connected);
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "the machine that it moves to cannot be reached: " + e.getMessage(),
          e);
    }
  }

  private QmpExpectation<MigrationEvent> expect(Predicate<MigrationStatus> wanted) {
    return monitor.client().expect(MigrationEvent.class, event -> wanted.test(event.status()));
  }

  private MigrationStatus await(QmpExpectation<MigrationEvent> expected, Progress progress) {
    long deadline = System.nanoTime() + LONGEST.toNanos();
    while (true) {
      monitor
          .execute(QueryMigrate.of())
          .ram()
          .ifPresent(ram -> progress.update("memory", ram.total() - ram.remaining(), ram.total()));
      try {
        return expected.await(BETWEEN).status();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
      } catch (QmpTimeoutException e) {
        if (System.nanoTime() > deadline) {
          throw Monitor.failed(subject, "migrate", e);
        }
      } catch (QmpException e) {
        throw Monitor.failed(subject, "migrate", e);
      }
    }
  }

  private void require(MigrationStatus wanted, MigrationStatus found) {
    if (found != wanted) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "its memory does not arrive: " + found.text() + ": " + Migration.why(monitor));
    }
  }

  /**
   * What became of a move that was given up.
   *
   * @param state of the machine: it may stand still
   * @param failure what could not be taken back
   */
  record Abandoned(RunState state, Optional<StapesException> failure) {}

  /**
   * Gives up what is under way, maybe since an earlier JVM. Does nothing where nothing is. What
   * fails on the way keeps nobody from letting the machine go on.
   *
   * @throws StapesException where the emulator does not say what it does
   */
  Abandoned abandon() {
    Optional<StapesException> failure =
        Settlement.failureOf(
            List.of(
                () -> new Migration(subject, monitor).cancel(),
                mirror::abandon,
                () -> monitor.execute(Migration.capabilities(false)),
                () -> monitor.closeFd(FD),
                () -> monitor.closeFd(DiskMirror.FD)));
    RunState state;
    try {
      state = awaitFinished();
    } catch (StapesException e) {
      failure.ifPresent(e::addSuppressed);
      throw e;
    }
    forgetKey();
    return new Abandoned(state, failure);
  }

  /** The next move would find it, and remove it. */
  private void forgetKey() {
    try {
      tls.forget();
    } catch (StapesException e) {
      LOG.warn("{}: the key of its move is left: {}", subject, e.getMessage());
    }
  }

  /** One whose migration has ended comes to rest, or goes on, a moment after it says so. */
  private RunState awaitFinished() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try (QmpExpectation<ResumeEvent> resumed =
        monitor.client().expect(ResumeEvent.class, event -> true)) {
      RunState state = state();
      while (state == RunState.FINISH_MIGRATE && System.nanoTime() < deadline) {
        pause(resumed);
        state = state();
      }
      return state;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "its migration does not end", e);
    }
  }

  /** It tells when it goes on, but not when it comes to rest. */
  private static void pause(QmpExpectation<ResumeEvent> resumed)
      throws InterruptedException, QmpException {
    try {
      ResumeEvent unusedGoing = resumed.await(SOON);
    } catch (QmpTimeoutException e) {
      return; // it may have come to rest
    }
  }

  private RunState state() {
    return monitor.execute(QueryStatus.of()).status();
  }
}
