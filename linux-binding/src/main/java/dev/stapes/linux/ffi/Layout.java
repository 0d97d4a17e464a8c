package dev.stapes.linux.ffi;

/**
 * Sizes of C structures and offsets of their members, in bytes, named {@code struct_member} and
 * {@code struct_SIZEOF}. A test compiles a C program that prints them and compares.
 */
public final class Layout {
  private static final Arch ARCH = Arch.current();

  public static final int open_how_SIZEOF = 24;
  public static final int open_how_flags = 0;
  public static final int open_how_mode = 8;
  public static final int open_how_resolve = 16;

  public static final int statx_SIZEOF = 256;
  public static final int statx_stx_mask = 0;
  public static final int statx_stx_nlink = 16;
  public static final int statx_stx_uid = 20;
  public static final int statx_stx_gid = 24;
  public static final int statx_stx_mode = 28;
  public static final int statx_stx_ino = 32;
  public static final int statx_stx_size = 40;
  public static final int statx_stx_blocks = 48;
  public static final int statx_stx_atime = 64;
  public static final int statx_stx_btime = 80;
  public static final int statx_stx_ctime = 96;
  public static final int statx_stx_mtime = 112;
  public static final int statx_stx_rdev_major = 128;
  public static final int statx_stx_rdev_minor = 132;
  public static final int statx_stx_dev_major = 136;
  public static final int statx_stx_dev_minor = 140;
  public static final int statx_timestamp_tv_sec = 0;
  public static final int statx_timestamp_tv_nsec = 8;

  public static final int timespec_SIZEOF = 16;
  public static final int timespec_tv_sec = 0;
  public static final int timespec_tv_nsec = 8;

  public static final int statfs_SIZEOF = 120;
  public static final int statfs_f_type = 0;
  public static final int statfs_f_bsize = 8;
  public static final int statfs_f_blocks = 16;
  public static final int statfs_f_bfree = 24;
  public static final int statfs_f_bavail = 32;
  public static final int statfs_f_files = 40;
  public static final int statfs_f_ffree = 48;
  public static final int statfs_f_fsid = 56;

  public static final int dirent64_d_ino = 0;
  public static final int dirent64_d_reclen = 16;
  public static final int dirent64_d_type = 18;
  public static final int dirent64_d_name = 19;

  public static final int file_handle_handle_bytes = 0;
  public static final int file_handle_handle_type = 4;
  public static final int file_handle_f_handle = 8;

  public static final int pollfd_SIZEOF = 8;
  public static final int pollfd_fd = 0;
  public static final int pollfd_events = 4;
  public static final int pollfd_revents = 6;

  /** Packed on x86_64 only. */
  public static final int epoll_event_SIZEOF = ARCH.pick(12, 16);

  public static final int epoll_event_events = 0;
  public static final int epoll_event_data = ARCH.pick(4, 8);

  public static final int sockaddr_un_SIZEOF = 110;
  public static final int sockaddr_un_sun_family = 0;
  public static final int sockaddr_un_sun_path = 2;

  public static final int iovec_SIZEOF = 16;
  public static final int iovec_iov_base = 0;
  public static final int iovec_iov_len = 8;

  public static final int msghdr_SIZEOF = 56;
  public static final int msghdr_msg_iov = 16;
  public static final int msghdr_msg_iovlen = 24;
  public static final int msghdr_msg_control = 32;
  public static final int msghdr_msg_controllen = 40;
  public static final int msghdr_msg_flags = 48;

  public static final int cmsghdr_SIZEOF = 16;
  public static final int cmsghdr_cmsg_len = 0;
  public static final int cmsghdr_cmsg_level = 8;
  public static final int cmsghdr_cmsg_type = 12;

  public static final int mount_attr_SIZEOF = 32;
  public static final int mount_attr_attr_set = 0;
  public static final int mount_attr_attr_clr = 8;
  public static final int mount_attr_propagation = 16;
  public static final int mount_attr_userns_fd = 24;

  public static final int siginfo_t_SIZEOF = 128;
  public static final int siginfo_t_si_code = 8;
  public static final int siginfo_t_si_pid = 16;
  public static final int siginfo_t_si_status = 24;

  public static final int winsize_SIZEOF = 8;
  public static final int winsize_ws_row = 0;
  public static final int winsize_ws_col = 2;

  public static final int __user_cap_header_struct_SIZEOF = 8;
  public static final int __user_cap_data_struct_SIZEOF = 12;

  /** The next three are upper bounds: opaque structures, glibc's and musl's are smaller. */
  public static final int posix_spawn_file_actions_t_ATMOST = 256;

  public static final int posix_spawnattr_t_ATMOST = 512;
  public static final int sigset_t_ATMOST = 256;

  private Layout() {}
}
