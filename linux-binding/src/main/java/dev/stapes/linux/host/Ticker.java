package dev.stapes.linux.host;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Host;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps moving processes between cgroups fast while an operation is in flight. The first write to a
 * {@code cgroup.procs} after 20 ms of quiet waits for an RCU grace period, 6 to 16 ms, in the
 * kernel's {@code cgroup_threadgroup_rwsem}; those soon after it do not. So while somebody is busy,
 * and a moment longer, the number of a child that does nothing is written every 8 ms into the group
 * that it is in anyway. Off when idle: it makes forks of the whole machine a little slower.
 */
final class Ticker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ticker.class);
  private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(8);
  private static final long TAIL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final Path IDLER = Path.of("/bin/cat");
  private static final Host.Busy NOTHING = () -> {};

  private final Syscalls sys;
  private final Spawner spawner;
  private final Thread thread;

  // All below are guarded by this.
  private boolean enabled;
  private boolean started;
  private int busy;
  private long idleSince;
  private long ticks;

  Ticker(Syscalls sys, Spawner spawner, String name, boolean enabled) {
    this.sys = sys;
    this.spawner = spawner;
    this.enabled = enabled;
    this.thread = new Thread(this::run, name + "-ticker");
    thread.setDaemon(true);
  }

  /** Ticks from now on until the answer is closed, and a moment more. */
  synchronized Host.Busy busy() {
    if (!enabled) {
      return NOTHING;
    }
    busy++;
    if (!started) {
      started = true;
      thread.start();
    }
    LockSupport.unpark(thread);
    AtomicBoolean done = new AtomicBoolean();
    return () -> {
      if (done.compareAndSet(false, true)) {
        idle();
      }
    };
  }

  private synchronized void idle() {
    busy--;
    idleSince = System.nanoTime();
  }

  private void run() {
    try (Target target = Target.open(sys, spawner)) {
      while (isEnabled()) {
        if (isWanted()) {
          target.touch();
          count();
          LockSupport.parkNanos(this, PERIOD_NANOS);
        } else {
          LockSupport.park(this);
        }
      }
    } catch (RuntimeException e) {
      LOG.info("cgroups are not kept warm: {}", e.getMessage());
      disable();
    }
  }

  /** Whether it writes: somebody is busy or was a moment ago. */
  synchronized boolean isWanted() {
    return enabled && isBusy();
  }

  private boolean isBusy() {
    return busy > 0 || (ticks > 0 && System.nanoTime() - idleSince < TAIL_NANOS);
  }

  /** False when it is switched off or closed, or the machine cannot or need not be kept warm. */
  synchronized boolean isEnabled() {
    return enabled;
  }

  private synchronized void disable() {
    enabled = false;
  }

  private synchronized void count() {
    ticks++;
  }

  /** How often it has written. */
  synchronized long ticks() {
    return ticks;
  }

  /** Joins the thread. */
  @Override
  public void close() {
    boolean running;
    synchronized (this) {
      enabled = false;
      running = started;
    }
    if (running) {
      LockSupport.unpark(thread);
      join();
    }
  }

  private void join() {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true; // it ends within a tick
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A child that does nothing, and the file that its number is written to. */
  private static final class Target implements AutoCloseable {
    private final ChildProcess child;
    private final Fd hold;
    private final Fd procs;
    private final ByteBuffer number;

    private Target(ChildProcess child, Fd hold, Fd procs) {
      this.child = child;
      this.hold = hold;
      this.procs = procs;
      byte[] text = Integer.toString(child.pid()).getBytes(StandardCharsets.US_ASCII);
      this.number = Syscalls.buffer(text.length).put(text);
    }

    /** The child reads a pipe of ours, and so ends with the JVM, however that ends. */
    static Target open(Syscalls sys, Spawner spawner) {
      Pipe pipe = Pipe.open(sys);
      ChildProcess child;
      try (Fd stdin = pipe.read()) {
        child = spawner.spawn(SpawnRequest.of(IDLER).stdin(stdin).build());
      } catch (RuntimeException e) {
        pipe.write().close();
        throw e;
      }
      try {
        Path file = CgroupProcs.of(child.pid());
        return new Target(child, pipe.write(), Fd.open(sys, file, Set.of(OpenFlag.WRITE)));
      } catch (RuntimeException e) {
        pipe.write().close();
        child.signal(Signal.KILL);
        throw e;
      }
    }

    void touch() {
      procs.write(number.rewind());
    }

    @Override
    public void close() {
      child.signal(Signal.KILL);
      try (procs) {
        hold.close();
      }
    }
  }
}
