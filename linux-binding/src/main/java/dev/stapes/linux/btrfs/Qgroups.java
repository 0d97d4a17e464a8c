package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Quota groups of level 0: each subvolume has one, of its own number, once quotas are on. A
 * subvolume that is made in another one has a group of its own, which no limit of the outer one
 * holds. Needs CAP_SYS_ADMIN.
 */
public final class Qgroups {
  private final Syscalls sys;
  private final TreeSearch search;

  public Qgroups(Syscalls sys) {
    this.sys = sys;
    this.search = new TreeSearch(sys);
  }

  /** Whether quotas are on. */
  public boolean areOn(Fd any) {
    return status(any).isPresent();
  }

  private Optional<TreeSearch.Item> status(Fd any) {
    List<TreeSearch.Item> items =
        search.items(any, BTRFS_QUOTA_TREE_OBJECTID, 0, BTRFS_QGROUP_STATUS_KEY);
    return items.stream().findFirst();
  }

  /**
   * Switches quotas on, and counts what there is; that takes as long as there is much. What is
   * under way to the disk at that moment is missed by the first count (seen with Linux 6.18), so it
   * is written out before, and counted a second time.
   */
  public void enable(Fd any) {
    BtrfsFileSystem fileSystem = new BtrfsFileSystem(sys);
    fileSystem.sync(any);
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_quota_ctl_args_SIZEOF);
    args.putLong(btrfs_ioctl_quota_ctl_args_cmd, BTRFS_QUOTA_CTL_ENABLE);
    ioctl(any, BTRFS_IOC_QUOTA_CTL, args, "BTRFS_IOC_QUOTA_CTL");
    awaitRescan(any);
    fileSystem.sync(any);
    rescan(any);
  }

  /** Counts again where the kernel says that its numbers are not right. */
  public void settle(Fd any) {
    awaitRescan(any);
    long flags =
        status(any).map(item -> item.content().getLong(btrfs_qgroup_status_item_flags)).orElse(0L);
    if ((flags & BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT) != 0) {
      rescan(any);
    }
  }

  private void rescan(Fd any) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_quota_rescan_args_SIZEOF);
    int result = sys.libc().ioctl(any.number(), BTRFS_IOC_QUOTA_RESCAN, args);
    sys.checkUnless(result, "ioctl(BTRFS_IOC_QUOTA_RESCAN)", any, Errno.EINPROGRESS);
    awaitRescan(any);
  }

  private void awaitRescan(Fd any) {
    int result;
    do {
      result = sys.libc().ioctl(any.number(), BTRFS_IOC_QUOTA_RESCAN_WAIT, 0L);
    } while (sys.interrupted(result));
    sys.check(result, "ioctl(BTRFS_IOC_QUOTA_RESCAN_WAIT)", any);
  }

  /**
   * Limits what a subvolume may refer to: who goes beyond it gets EDQUOT.
   *
   * @param bytes -1: no limit
   */
  public void limit(Fd any, long subvolume, long bytes) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_qgroup_limit_args_SIZEOF);
    args.putLong(btrfs_ioctl_qgroup_limit_args_qgroupid, subvolume);
    args.putLong(btrfs_ioctl_qgroup_limit_args_lim_flags, BTRFS_QGROUP_LIMIT_MAX_RFER);
    args.putLong(btrfs_ioctl_qgroup_limit_args_lim_max_rfer, bytes);
    ioctl(any, BTRFS_IOC_QGROUP_LIMIT, args, "BTRFS_IOC_QGROUP_LIMIT");
  }

  /** What a subvolume refers to, as of the last commit; empty where it has no group. */
  public Optional<Long> referenced(Fd any, long subvolume) {
    return search.items(any, BTRFS_QUOTA_TREE_OBJECTID, 0, BTRFS_QGROUP_INFO_KEY).stream()
        .filter(item -> item.offset() == subvolume)
        .map(item -> item.content().getLong(btrfs_qgroup_info_item_rfer))
        .findFirst();
  }

  /** Removes the groups of subvolumes that are gone; newer kernels do it by themselves. */
  public void sweep(Fd any) {
    for (TreeSearch.Item group :
        search.items(any, BTRFS_QUOTA_TREE_OBJECTID, 0, BTRFS_QGROUP_INFO_KEY)) {
      long id = group.offset();
      boolean ofSubvolume = id >= BTRFS_FIRST_FREE_OBJECTID && id >>> QGROUP_LEVEL_SHIFT == 0;
      if (ofSubvolume && !exists(any, id)) {
        remove(any, id);
      }
    }
  }

  private boolean exists(Fd any, long subvolume) {
    return !search.items(any, BTRFS_ROOT_TREE_OBJECTID, subvolume, BTRFS_ROOT_ITEM_KEY).isEmpty();
  }

  private void remove(Fd any, long group) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_qgroup_create_args_SIZEOF);
    args.putLong(btrfs_ioctl_qgroup_create_args_create, 0);
    args.putLong(btrfs_ioctl_qgroup_create_args_qgroupid, group);
    try {
      ioctl(any, BTRFS_IOC_QGROUP_CREATE, args, "BTRFS_IOC_QGROUP_CREATE");
    } catch (LinuxException e) {
      if (!e.is(Errno.ENOENT, Errno.EBUSY)) {
        throw e; // those two: the kernel removes it, or still counts it down
      }
    }
  }

  private void ioctl(Fd any, int request, ByteBuffer args, String name) {
    sys.check(sys.libc().ioctl(any.number(), request, args), "ioctl(" + name + ")", any);
  }
}
