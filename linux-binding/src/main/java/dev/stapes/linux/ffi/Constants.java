package dev.stapes.linux.ffi;

/**
 * Constants of the kernel and the C library under their C names. A test compiles a C program that
 * prints every one of them and compares.
 */
public final class Constants {
  private static final Arch ARCH = Arch.current();

  // open(2), openat2(2), fcntl(2)
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_NOCTTY = 0x100;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_DIRECT = ARCH.pick(0x4000, 0x10000);
  public static final int O_DIRECTORY = ARCH.pick(0x10000, 0x4000);
  public static final int O_NOFOLLOW = ARCH.pick(0x20000, 0x8000);
  public static final int O_CLOEXEC = 0x80000;
  public static final int O_PATH = 0x200000;
  public static final int O_TMPFILE = 0x400000 | O_DIRECTORY;
  public static final int RESOLVE_NO_XDEV = 0x01;
  public static final int RESOLVE_NO_MAGICLINKS = 0x02;
  public static final int RESOLVE_NO_SYMLINKS = 0x04;
  public static final int RESOLVE_BENEATH = 0x08;
  public static final int RESOLVE_IN_ROOT = 0x10;
  public static final int AT_FDCWD = -100;
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;
  public static final int AT_REMOVEDIR = 0x200;
  public static final int AT_SYMLINK_FOLLOW = 0x400;
  public static final int AT_EMPTY_PATH = 0x1000;
  public static final int AT_RECURSIVE = 0x8000;
  public static final int F_GETFD = 1;
  public static final int F_SETFD = 2;
  public static final int F_GETFL = 3;
  public static final int F_SETFL = 4;
  public static final int F_DUPFD_CLOEXEC = 1030;
  public static final int FD_CLOEXEC = 1;
  public static final int SEEK_SET = 0;
  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;
  public static final int FALLOC_FL_KEEP_SIZE = 1;
  public static final int FALLOC_FL_PUNCH_HOLE = 2;
  public static final int LOCK_SH = 1;
  public static final int LOCK_EX = 2;
  public static final int LOCK_NB = 4;
  public static final int LOCK_UN = 8;
  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;

  // inode(7), statx(2), utimensat(2)
  public static final int S_IFMT = 0xF000;
  public static final int S_IFIFO = 0x1000;
  public static final int S_IFCHR = 0x2000;
  public static final int S_IFDIR = 0x4000;
  public static final int S_IFBLK = 0x6000;
  public static final int S_IFREG = 0x8000;
  public static final int S_IFLNK = 0xA000;
  public static final int S_IFSOCK = 0xC000;
  public static final int DT_UNKNOWN = 0;
  public static final int DT_DIR = 4;
  public static final int STATX_BASIC_STATS = 0x7ff;
  public static final int STATX_BTIME = 0x800;
  public static final int UTIME_OMIT = 0x3ffffffe;
  public static final int XATTR_CREATE = 1;
  public static final int XATTR_REPLACE = 2;

  // ioctl_ficlone(2), ioctl_tty(2)
  public static final int FICLONE = 0x40049409;
  public static final int TIOCGWINSZ = 0x5413;
  public static final int TIOCSWINSZ = 0x5414;
  public static final long TIOCGPTN = 0x80045430L;
  public static final int TIOCSPTLCK = 0x40045431;
  public static final int TIOCGPTPEER = 0x5441;

  // poll(2), epoll(7), eventfd(2)
  public static final int POLLIN = 1;
  public static final int POLLOUT = 4;
  public static final int POLLERR = 8;
  public static final int POLLHUP = 16;
  public static final int EPOLLIN = 1;
  public static final int EPOLLOUT = 4;
  public static final int EPOLL_CTL_ADD = 1;
  public static final int EPOLL_CTL_DEL = 2;
  public static final int EPOLL_CTL_MOD = 3;
  public static final int EPOLL_CLOEXEC = 0x80000;
  public static final int EFD_CLOEXEC = 0x80000;
  public static final int EFD_NONBLOCK = 0x800;

  // unix(7), send(2), recv(2), cmsg(3)
  public static final int AF_UNIX = 1;
  public static final int SOCK_STREAM = 1;
  public static final int SOCK_NONBLOCK = 0x800;
  public static final int SOCK_CLOEXEC = 0x80000;
  public static final int SOL_SOCKET = 1;
  public static final int SCM_RIGHTS = 1;
  public static final int SHUT_WR = 1;
  public static final int SHUT_RDWR = 2;
  public static final int MSG_DONTWAIT = 0x40;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CTRUNC = 8;
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;

  // mount(2), umount2(2), mount_setattr(2), open_tree(2), move_mount(2)
  public static final int MS_RDONLY = 1;
  public static final int MS_NOSUID = 2;
  public static final int MS_NODEV = 4;
  public static final int MS_NOEXEC = 8;
  public static final int MS_SYNCHRONOUS = 16;
  public static final int MS_REMOUNT = 32;
  public static final int MS_NOATIME = 1024;
  public static final int MS_NODIRATIME = 2048;
  public static final int MS_BIND = 4096;
  public static final int MS_MOVE = 8192;
  public static final int MS_REC = 16384;
  public static final int MS_UNBINDABLE = 1 << 17;
  public static final int MS_PRIVATE = 1 << 18;
  public static final int MS_SLAVE = 1 << 19;
  public static final int MS_SHARED = 1 << 20;
  public static final int MS_RELATIME = 1 << 21;
  public static final int MS_STRICTATIME = 1 << 24;
  public static final int MS_LAZYTIME = 1 << 25;
  public static final int MNT_DETACH = 2;
  public static final int UMOUNT_NOFOLLOW = 8;
  public static final int OPEN_TREE_CLONE = 1;
  public static final int OPEN_TREE_CLOEXEC = 0x80000;
  public static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
  public static final int MOVE_MOUNT_T_EMPTY_PATH = 0x40;
  public static final int MOUNT_ATTR_RDONLY = 1;
  public static final int MOUNT_ATTR_NOSUID = 2;
  public static final int MOUNT_ATTR_NODEV = 4;
  public static final int MOUNT_ATTR_NOEXEC = 8;
  public static final int MOUNT_ATTR__ATIME = 0x70;
  public static final int MOUNT_ATTR_NOATIME = 0x10;
  public static final int MOUNT_ATTR_IDMAP = 0x100000;

  // statfs(2)
  public static final long BTRFS_SUPER_MAGIC = 0x9123683EL;
  public static final long EXT4_SUPER_MAGIC = 0xEF53L;
  public static final long XFS_SUPER_MAGIC = 0x58465342L;
  public static final long TMPFS_MAGIC = 0x01021994L;
  public static final long RAMFS_MAGIC = 0x858458f6L;
  public static final long OVERLAYFS_SUPER_MAGIC = 0x794c7630L;
  public static final long SQUASHFS_MAGIC = 0x73717368L;
  public static final long EROFS_SUPER_MAGIC_V1 = 0xE0F5E1E2L;
  public static final long F2FS_SUPER_MAGIC = 0xF2F52010L;
  public static final long NFS_SUPER_MAGIC = 0x6969L;
  public static final long FUSE_SUPER_MAGIC = 0x65735546L;
  public static final long PROC_SUPER_MAGIC = 0x9fa0L;
  public static final long SYSFS_MAGIC = 0x62656572L;
  public static final long CGROUP_SUPER_MAGIC = 0x27e0ebL;
  public static final long CGROUP2_SUPER_MAGIC = 0x63677270L;
  public static final long DEVPTS_SUPER_MAGIC = 0x1cd1L;

  // namespaces(7)
  public static final int CLONE_FS = 0x00000200;
  public static final int CLONE_NEWNS = 0x00020000;
  public static final int CLONE_NEWCGROUP = 0x02000000;
  public static final int CLONE_NEWUTS = 0x04000000;
  public static final int CLONE_NEWIPC = 0x08000000;
  public static final int CLONE_NEWUSER = 0x10000000;
  public static final int CLONE_NEWPID = 0x20000000;
  public static final int CLONE_NEWNET = 0x40000000;

  // waitid(2), posix_spawn(3), prctl(2)
  public static final int P_PID = 1;
  public static final int P_PIDFD = 3;
  public static final int WNOHANG = 1;
  public static final int WEXITED = 4;
  public static final int WNOWAIT = 0x01000000;
  public static final int CLD_EXITED = 1;
  public static final int CLD_KILLED = 2;
  public static final int CLD_DUMPED = 3;
  public static final int POSIX_SPAWN_SETSIGDEF = 0x04;
  public static final int POSIX_SPAWN_SETSIGMASK = 0x08;
  public static final int POSIX_SPAWN_SETSID = 0x80;
  public static final int PR_SET_PDEATHSIG = 1;
  public static final int PR_GET_DUMPABLE = 3;
  public static final int PR_SET_DUMPABLE = 4;
  public static final int _LINUX_CAPABILITY_VERSION_3 = 0x20080522;
  public static final int CLOSE_RANGE_CLOEXEC = 4;

  // System calls without a C library wrapper, or with a young one.
  public static final int SYS_mknodat = ARCH.pick(259, 33);
  public static final int SYS_getdents64 = ARCH.pick(217, 61);
  public static final int SYS_gettid = ARCH.pick(186, 178);
  public static final int SYS_pivot_root = ARCH.pick(155, 41);
  public static final int SYS_renameat2 = ARCH.pick(316, 276);
  public static final int SYS_statx = ARCH.pick(332, 291);
  public static final int SYS_pidfd_send_signal = 424;
  public static final int SYS_open_tree = 428;
  public static final int SYS_move_mount = 429;
  public static final int SYS_pidfd_open = 434;
  public static final int SYS_close_range = 436;
  public static final int SYS_openat2 = 437;
  public static final int SYS_mount_setattr = 442;
  public static final int SYS_quotactl_fd = 443;

  private Constants() {}
}
