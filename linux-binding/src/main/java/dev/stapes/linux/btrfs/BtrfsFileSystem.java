package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** A mounted Btrfs as a whole. Needs CAP_SYS_ADMIN. */
public final class BtrfsFileSystem {
  private static final int POLL_MILLIS = 25;
  private static final int POLLS_PER_SYNC = 40;

  private final Syscalls sys;
  private final TreeSearch search;

  public BtrfsFileSystem(Syscalls sys) {
    this.sys = sys;
    this.search = new TreeSearch(sys);
  }

  /** Commits the running transaction and wakes the thread that frees removed subvolumes. */
  public void sync(Fd any) {
    sys.check(sys.libc().ioctl(any.number(), BTRFS_IOC_SYNC, 0L), "ioctl(BTRFS_IOC_SYNC)", any);
  }

  /**
   * Waits until the space of all subvolumes that are removed now has been freed. One that somebody
   * still uses is not: it is freed when its last file is closed and its last mount gone.
   *
   * @param patience how long to wait while none of them goes
   * @return how many of them are left
   * @throws InterruptedException if the thread is interrupted; the kernel goes on
   */
  public int awaitCleaned(Fd any, Duration patience) throws InterruptedException {
    sync(any);
    Set<Long> left = orphans(any);
    long since = System.nanoTime();
    for (int polls = 1; !left.isEmpty(); polls++) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      // There is nothing to wait on before Linux 6.13.
      int result = sys.libc().poll(Syscalls.buffer(Long.BYTES), 0, POLL_MILLIS);
      sys.checkUnless(result, "poll", any, Errno.EINTR);
      if (polls % POLLS_PER_SYNC == 0) {
        sync(any); // fails where an error made the file system read-only
      }
      if (left.retainAll(orphans(any))) {
        since = System.nanoTime();
      } else if (System.nanoTime() - since > patience.toNanos()) {
        break;
      }
    }
    sync(any); // what was freed can be used after the commit
    return left.size();
  }

  /** The numbers of the subvolumes that are removed but not freed. */
  private Set<Long> orphans(Fd any) {
    return search
        .items(any, BTRFS_ROOT_TREE_OBJECTID, BTRFS_ORPHAN_OBJECTID, BTRFS_ORPHAN_ITEM_KEY)
        .stream()
        .map(TreeSearch.Item::offset)
        .collect(Collectors.toCollection(HashSet::new));
  }

  /**
   * Makes the file system fill its (only) device.
   *
   * @throws dev.stapes.linux.ffi.LinuxException ENOSPC if it became smaller and has no room
   */
  public void fillDevice(Fd any) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_vol_args_SIZEOF);
    args.put(btrfs_ioctl_vol_args_name, "1:max".getBytes(StandardCharsets.US_ASCII));
    int result = sys.libc().ioctl(any.number(), BTRFS_IOC_RESIZE, args);
    sys.check(result, "ioctl(BTRFS_IOC_RESIZE)", any);
  }
}
