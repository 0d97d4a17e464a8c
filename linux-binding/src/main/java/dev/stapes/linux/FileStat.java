package dev.stapes.linux;

import static dev.stapes.linux.ffi.Layout.statx_stx_atime;
import static dev.stapes.linux.ffi.Layout.statx_stx_blocks;
import static dev.stapes.linux.ffi.Layout.statx_stx_btime;
import static dev.stapes.linux.ffi.Layout.statx_stx_ctime;
import static dev.stapes.linux.ffi.Layout.statx_stx_dev_major;
import static dev.stapes.linux.ffi.Layout.statx_stx_dev_minor;
import static dev.stapes.linux.ffi.Layout.statx_stx_gid;
import static dev.stapes.linux.ffi.Layout.statx_stx_ino;
import static dev.stapes.linux.ffi.Layout.statx_stx_mask;
import static dev.stapes.linux.ffi.Layout.statx_stx_mode;
import static dev.stapes.linux.ffi.Layout.statx_stx_mtime;
import static dev.stapes.linux.ffi.Layout.statx_stx_nlink;
import static dev.stapes.linux.ffi.Layout.statx_stx_rdev_major;
import static dev.stapes.linux.ffi.Layout.statx_stx_rdev_minor;
import static dev.stapes.linux.ffi.Layout.statx_stx_size;
import static dev.stapes.linux.ffi.Layout.statx_stx_uid;
import static dev.stapes.linux.ffi.Layout.statx_timestamp_tv_nsec;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;

/**
 * What an inode says of itself; see statx(2).
 *
 * @param kind what it is
 * @param permissions the low twelve bits of its mode, set-uid, set-gid and sticky included
 * @param uid the owner, a 32-bit number
 * @param gid the group, a 32-bit number
 * @param size in bytes
 * @param links how many names it has
 * @param allocated bytes on disk
 * @param inode its number within {@code device}
 * @param device the file system it is on
 * @param special the device that a device file stands for; 0:0 for all others
 * @param accessed last access
 * @param modified last change of content
 * @param changed last change of the inode
 * @param created birth, where the file system keeps it
 */
public record FileStat(
    FileKind kind,
    int permissions,
    long uid,
    long gid,
    long size,
    long links,
    long allocated,
    long inode,
    DeviceNumber device,
    DeviceNumber special,
    Instant accessed,
    Instant modified,
    Instant changed,
    Optional<Instant> created) {

  /**
   * What is in a directory under a name, links not followed.
   *
   * @param name ends with NUL; a single path component
   */
  public static FileStat at(Syscalls sys, Fd directory, byte[] name) {
    return of(sys, directory.number(), name, Constants.AT_SYMLINK_NOFOLLOW, directory);
  }

  /** Asks for {@code path} below {@code dirfd}. */
  static FileStat of(Syscalls sys, int dirfd, byte[] path, int flags, Object subject) {
    return read(raw(sys, dirfd, path, flags, subject));
  }

  private static ByteBuffer raw(Syscalls sys, int dirfd, byte[] path, int flags, Object subject) {
    ByteBuffer statx = Syscalls.buffer(Layout.statx_SIZEOF);
    int mask = Constants.STATX_BASIC_STATS | Constants.STATX_BTIME;
    sys.check(sys.statx(dirfd, path, flags, mask, statx), "statx", subject);
    return statx;
  }

  private static FileStat read(ByteBuffer statx) {
    int mode = statx.getShort(statx_stx_mode) & 0xFFFF;
    boolean birth = (statx.getInt(statx_stx_mask) & Constants.STATX_BTIME) != 0;
    return new FileStat(
        FileKind.ofMode(mode),
        mode & 07777,
        statx.getInt(statx_stx_uid) & 0xFFFFFFFFL,
        statx.getInt(statx_stx_gid) & 0xFFFFFFFFL,
        statx.getLong(statx_stx_size),
        statx.getInt(statx_stx_nlink) & 0xFFFFFFFFL,
        statx.getLong(statx_stx_blocks) * 512,
        statx.getLong(statx_stx_ino),
        new DeviceNumber(statx.getInt(statx_stx_dev_major), statx.getInt(statx_stx_dev_minor)),
        new DeviceNumber(statx.getInt(statx_stx_rdev_major), statx.getInt(statx_stx_rdev_minor)),
        instant(statx, statx_stx_atime),
        instant(statx, statx_stx_mtime),
        instant(statx, statx_stx_ctime),
        birth ? Optional.of(instant(statx, statx_stx_btime)) : Optional.empty());
  }

  private static Instant instant(ByteBuffer statx, int at) {
    return Instant.ofEpochSecond(statx.getLong(at), statx.getInt(at + statx_timestamp_tv_nsec));
  }

  /** Whether both are the same inode. */
  public boolean sameFileAs(FileStat other) {
    return inode == other.inode && device.equals(other.device);
  }
}
