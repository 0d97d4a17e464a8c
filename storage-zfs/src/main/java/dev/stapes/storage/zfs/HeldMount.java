package dev.stapes.storage.zfs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file system that a thread holds until it is told to let it go. The last one that lets go of a
 * file system waits until all that was written to it is on its disk.
 *
 * <p>The thread holds it by its working directory, which is its alone (unshare(2), CLONE_FS). A
 * descriptor would be copied by each program that is started meanwhile, and whoever starts it would
 * let go last and wait.
 */
final class HeldMount {
  private static final Logger LOG = LoggerFactory.getLogger(HeldMount.class);

  private final PoolContext pool;
  private final Path path;
  private final CompletableFuture<Boolean> held = new CompletableFuture<>();
  private final CountDownLatch over = new CountDownLatch(1);
  private final OwnThread<Boolean> work;

  /**
   * Has one held as soon as {@link #awaitHeld} returns.
   *
   * @param path in the host's mount namespace; where nothing is there nothing is held
   */
  HeldMount(PoolContext pool, Path path) {
    this.pool = pool;
    this.path = path;
    this.work = OwnThread.begin(pool.subject(), "stapes-zfs-unmount", this::hold);
  }

  private boolean hold() throws InterruptedException {
    Syscalls sys = Syscalls.system();
    try (Fd root = Fd.open(sys, Path.of("/"), Set.of(OpenFlag.PATH_ONLY))) {
      if (isAlone(sys, root)) {
        enter(sys);
        over.await();
        sys.check(sys.libc().fchdir(root.number()), "fchdir", root);
      }
      return true;
    } finally {
      held.complete(true);
    }
  }

  /** Whether the working directory is this thread's own: else it is that of the whole process. */
  private boolean isAlone(Syscalls sys, Fd root) {
    try {
      sys.check(sys.libc().unshare(Constants.CLONE_FS), "unshare(CLONE_FS)", root);
      return true;
    } catch (LinuxException e) {
      LOG.warn("{}: not held while it is unmounted: {}", pool.subject(), e.getMessage());
      return false;
    }
  }

  private void enter(Syscalls sys) {
    try (Fd directory = Fd.open(sys, pool.local(path), Set.of(OpenFlag.PATH_ONLY))) {
      sys.check(sys.libc().fchdir(directory.number()), "fchdir", directory);
    } catch (LinuxException e) {
      LOG.info("{}: not held while it is unmounted: {}", pool.subject(), e.getMessage());
    } finally {
      held.complete(true);
    }
  }

  /**
   * Waits until it is held, also for somebody who is interrupted.
   *
   * @param look as for {@link OwnThread#await}
   */
  void awaitHeld(Runnable look) {
    work.awaitThough(held, look);
  }

  /** Has its thread let it go, and does not wait for that. */
  void letGo() {
    over.countDown();
  }

  /**
   * Waits until it was let go, also for somebody who is interrupted.
   *
   * @param look as for {@link OwnThread#await}
   */
  void awaitEnd(Runnable look) {
    work.awaitThough(look);
  }
}
