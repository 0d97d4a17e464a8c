package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;

/** Kinds of file system that are told apart; see statfs(2). */
public enum FileSystemType {
  BTRFS(Constants.BTRFS_SUPER_MAGIC),
  /** ext2 and ext3 too: they share its number. */
  EXT4(Constants.EXT4_SUPER_MAGIC),
  XFS(Constants.XFS_SUPER_MAGIC),
  TMPFS(Constants.TMPFS_MAGIC),
  RAMFS(Constants.RAMFS_MAGIC),
  OVERLAY(Constants.OVERLAYFS_SUPER_MAGIC),
  SQUASHFS(Constants.SQUASHFS_MAGIC),
  EROFS(Constants.EROFS_SUPER_MAGIC_V1),
  F2FS(Constants.F2FS_SUPER_MAGIC),
  /** OpenZFS; its number is not in the kernel's headers. */
  ZFS(0x2fc12fc1L),
  NFS(Constants.NFS_SUPER_MAGIC),
  FUSE(Constants.FUSE_SUPER_MAGIC),
  PROC(Constants.PROC_SUPER_MAGIC),
  SYSFS(Constants.SYSFS_MAGIC),
  CGROUP(Constants.CGROUP_SUPER_MAGIC),
  CGROUP2(Constants.CGROUP2_SUPER_MAGIC),
  DEVPTS(Constants.DEVPTS_SUPER_MAGIC),
  /** Any other. */
  OTHER(-1);

  private final long magic;

  FileSystemType(long magic) {
    this.magic = magic;
  }

  static FileSystemType ofMagic(long magic) {
    for (FileSystemType type : values()) {
      if (type.magic == magic) {
        return type;
      }
    }
    return OTHER;
  }
}
