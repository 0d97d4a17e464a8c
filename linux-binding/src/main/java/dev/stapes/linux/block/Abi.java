package dev.stapes.linux.block;

/**
 * Numbers of kernel interfaces under their C names (linux/loop.h, linux/fs.h, linux/quota.h); the
 * same on every architecture. A test compiles a C program that prints them and compares.
 */
final class Abi {
  static final int LOOP_SET_CAPACITY = 0x4c07;
  static final int LOOP_GET_STATUS64 = 0x4c05;
  static final int LOOP_CONFIGURE = 0x4c0a;
  static final int LOOP_CTL_GET_FREE = 0x4c82;
  static final int LO_FLAGS_READ_ONLY = 1;
  static final int LO_FLAGS_AUTOCLEAR = 4;
  static final int LO_FLAGS_DIRECT_IO = 16;
  static final int loop_config_SIZEOF = 304;
  static final int loop_config_fd = 0;
  static final int loop_config_info = 8;
  static final int loop_info64_SIZEOF = 232;
  static final int loop_info64_lo_device = 0;
  static final int loop_info64_lo_inode = 8;
  static final int loop_info64_lo_flags = 52;
  static final int loop_info64_lo_file_name = 56;
  static final int LO_NAME_SIZE = 64;

  static final int BLKGETSIZE64 = 0x80081272;
  static final int BLKZEROOUT = 0x127f;
  static final int FICLONE = 0x40049409;
  static final int FS_IOC_GETFLAGS = 0x80086601;
  static final int FS_IOC_SETFLAGS = 0x40086602;
  static final int FS_NOCOW_FL = 0x00800000;

  static final int FS_IOC_FSGETXATTR = 0x801c581f;
  static final int FS_IOC_FSSETXATTR = 0x401c5820;
  static final int FS_XFLAG_PROJINHERIT = 0x200;
  static final int fsxattr_SIZEOF = 28;
  static final int fsxattr_fsx_xflags = 0;
  static final int fsxattr_fsx_projid = 12;

  static final int PRJQUOTA = 2;
  static final int Q_GETQUOTA = 0x800007;
  static final int Q_SETQUOTA = 0x800008;
  static final int QIF_BLIMITS = 1;
  static final int QIF_DQBLKSIZE = 1024;
  static final int if_dqblk_SIZEOF = 72;
  static final int if_dqblk_dqb_bhardlimit = 0;
  static final int if_dqblk_dqb_curspace = 16;
  static final int if_dqblk_dqb_curinodes = 40;
  static final int if_dqblk_dqb_valid = 64;

  private Abi() {}
}
