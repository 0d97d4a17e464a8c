package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One thread that lives as long as this does, in a mount namespace of its own if wanted. It starts
 * all child processes: a parent-death signal is tied to the thread that spawned, not to the process
 * (prctl(2), {@code PR_SET_PDEATHSIG}). What is mounted on it nobody else sees but its children,
 * and it is gone with the JVM, however the JVM ends.
 *
 * <p>Thread-safe. {@link #close} joins the threads and leaves child processes running, except those
 * that asked to die with the thread.
 */
public final class Spawner implements AutoCloseable {
  /** Work for the spawner's thread. */
  @FunctionalInterface
  public interface Task<T, X extends Exception> {
    T run() throws X;
  }

  private static final Runnable END = () -> {};
  private static final long RELEASE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long RELEASE_PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

  private final Syscalls sys;
  private final BlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
  private final Map<Integer, ChildProcess> children = new ConcurrentHashMap<>();
  private final Set<CompletableFuture<Pidfd>> watches = ConcurrentHashMap.newKeySet();
  private final Reaper reaper;
  private final Thread thread;
  private final Object gate = new Object();
  private boolean closed;
  private volatile int tid;

  private Spawner(Syscalls sys, String name) {
    this.sys = sys;
    this.reaper = Reaper.start(sys, name + "-reaper");
    this.thread = new Thread(this::work, name + "-spawner");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * A spawner whose thread shares the process's mounts.
   *
   * @param name the prefix of its threads' names
   */
  public static Spawner open(Syscalls sys, String name) {
    Spawner spawner = new Spawner(sys, name);
    spawner.begin(false);
    return spawner;
  }

  /**
   * A spawner whose thread has a mount namespace of its own. Mounts of the host arrive in it; none
   * of its mounts leave it.
   *
   * @throws LinuxException EPERM without CAP_SYS_ADMIN
   */
  public static Spawner openWithPrivateMounts(Syscalls sys, String name) {
    Spawner spawner = new Spawner(sys, name);
    try {
      spawner.begin(true);
      return spawner;
    } catch (RuntimeException e) {
      spawner.close();
      throw e;
    }
  }

  private void begin(boolean privateMounts) {
    Abandoned.reap(sys);
    tid =
        call(
            () -> {
              if (privateMounts) {
                leaveMountNamespace();
              }
              return sys.gettid();
            });
  }

  private void leaveMountNamespace() {
    sys.check(sys.libc().unshare(Constants.CLONE_NEWNS), "unshare", "mount namespace");
    long slave = Constants.MS_SLAVE | Constants.MS_REC;
    int result = sys.libc().mount(null, CString.of("/"), null, slave, null);
    sys.check(result, "mount", "propagation of /");
  }

  /** The kernel's number of the thread. */
  public int tid() {
    return tid;
  }

  /**
   * How the other threads of this process reach a path of the spawner's mount namespace. A symbolic
   * link to an absolute path on the way leads back into the caller's own namespace.
   *
   * @param path absolute
   */
  public Path view(Path path) {
    return Path.of("/proc/self/task/" + tid + "/root").resolve(path.toString().substring(1));
  }

  /**
   * Runs a task on the spawner's thread and returns what it returns. A task must be short: it holds
   * up all others. An interrupt neither drops nor shortens it, and stays set: who is interrupted
   * has to undo things here too.
   *
   * @throws X what the task throws
   * @throws IllegalStateException if this is closed
   */
  public <T, X extends Exception> T call(Task<T, X> task) throws X {
    if (Thread.currentThread() == thread) {
      return task.run();
    }
    FutureTask<T> future = new FutureTask<>(task::run);
    synchronized (gate) {
      if (closed) {
        throw new IllegalStateException(thread.getName() + " is closed");
      }
      queue.add(future);
    }
    return outcome(future);
  }

  // A task throws only what its type says, or unchecked: FutureTask forgets that.
  @SuppressWarnings("unchecked")
  private <T, X extends Exception> T outcome(FutureTask<T> future) throws X {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      cause.addSuppressed(new IllegalStateException("called from here"));
      if (cause instanceof Error error) {
        throw error;
      }
      throw (X) cause;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Starts a program. Returns when it has been executed, or could not be.
   *
   * @throws LinuxException of posix_spawn(3): ENOENT, EACCES, E2BIG, ENOMEM, ...; also for the
   *     working directory
   */
  public ChildProcess spawn(SpawnRequest request) {
    return call(() -> spawnHere(request));
  }

  private ChildProcess spawnHere(SpawnRequest request) {
    int pid;
    try (SpawnCall spawn = new SpawnCall(sys, request)) {
      pid = spawn.run();
    }
    Pidfd pidfd = null;
    try {
      pidfd = Pidfd.open(sys, pid);
      ChildProcess child = new ChildProcess(sys, pidfd, request.program().toString());
      children.put(pid, child);
      Abandoned.forget(pid);
      reaper.watch(pidfd.fd(), () -> ended(child));
      return child;
    } catch (RuntimeException e) {
      discard(pid, pidfd);
      throw e;
    }
  }

  private void ended(ChildProcess child) {
    children.remove(child.pid(), child);
    child.reap();
    Abandoned.reap(sys);
  }

  /** A child that cannot be watched must not go on unseen. */
  private void discard(int pid, @Nullable Pidfd pidfd) {
    children.remove(pid);
    sys.libc().kill(pid, Signal.KILL.number());
    sys.libc().waitid(Constants.P_PID, pid, null, Constants.WEXITED);
    if (pidfd != null) {
      pidfd.close();
    }
  }

  /**
   * Watches a process, be it a child or not, without a thread of its own.
   *
   * @return completes when the process has ended, on the thread that reaps; cancelling it ends the
   *     watch, and so does closing this, with an exception
   */
  public CompletableFuture<Pidfd> watch(Pidfd process) {
    Fd copy = process.fd().duplicate();
    CompletableFuture<Pidfd> ended = new CompletableFuture<>();
    watches.add(ended);
    try {
      long key =
          reaper.watch(
              copy,
              () -> {
                Abandoned.reap(sys);
                ended.complete(process);
              });
      var unused =
          ended.whenComplete(
              (done, failure) -> {
                watches.remove(ended);
                reaper.unwatch(key);
                copy.close();
              });
      return ended;
    } catch (RuntimeException e) {
      watches.remove(ended);
      copy.close();
      throw e;
    }
  }

  private void work() {
    try {
      while (true) {
        Runnable next = queue.take();
        if (next == END) {
          return;
        }
        next.run();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("only close() ends this thread", e);
    }
  }

  /** Finishes the tasks that wait, joins the threads, and leaves the children running. */
  @Override
  public void close() {
    synchronized (gate) {
      if (closed) {
        return;
      }
      closed = true;
      queue.add(END);
    }
    Joins.join(thread);
    awaitReleased();
    List.copyOf(watches)
        .forEach(watch -> watch.completeExceptionally(new IllegalStateException("closed")));
    reaper.close();
    children.values().forEach(ChildProcess::abandon);
  }

  /** A join ends before the kernel lets the namespaces of the thread go, with their mounts. */
  private void awaitReleased() {
    Path task = Path.of("/proc/self/task/" + tid);
    long deadline = System.nanoTime() + RELEASE_PATIENCE_NANOS; // a number may be used again
    boolean interrupted = Thread.interrupted(); // who is interrupted does not park
    while (tid != 0 && Files.exists(task) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(RELEASE_PAUSE_NANOS);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
