package dev.stapes.linux.block;

import static dev.stapes.linux.block.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/**
 * Project quotas of ext4, XFS and others: a limit on how much the files of one project take
 * together; see quotactl(2) and {@code FS_IOC_FSSETXATTR}. What is made in a directory of a project
 * belongs to it too. Needs quotactl_fd(2), Linux 5.14.
 */
public final class ProjectQuota {
  private static final int SUBCOMMAND_SHIFT = 8;
  private static final int OPEN =
      Constants.O_RDONLY | Constants.O_NOFOLLOW | Constants.O_NONBLOCK | Constants.O_CLOEXEC;

  private final Syscalls sys;

  public ProjectQuota(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * What a project takes and may take.
   *
   * @param limit bytes; 0: no limit
   * @param space bytes
   * @param files how many
   */
  public record Usage(long limit, long space, long files) {}

  /** Whether project quotas are kept for a file system. */
  public boolean isOn(Fd any) {
    int result = get(any, 0, Syscalls.buffer(if_dqblk_SIZEOF));
    return result >= 0 || sys.errno() == Errno.ENOENT; // on, and nothing is known of project 0
  }

  /** What is known of a project. */
  public Usage usage(Fd any, int project) {
    ByteBuffer block = Syscalls.buffer(if_dqblk_SIZEOF);
    sys.checkUnless(get(any, project, block), "quotactl_fd(Q_GETQUOTA)", any, Errno.ENOENT);
    return new Usage(
        block.getLong(if_dqblk_dqb_bhardlimit) * QIF_DQBLKSIZE,
        block.getLong(if_dqblk_dqb_curspace),
        block.getLong(if_dqblk_dqb_curinodes));
  }

  private int get(Fd any, int project, ByteBuffer block) {
    int command = Q_GETQUOTA << SUBCOMMAND_SHIFT | PRJQUOTA;
    return sys.quotactlFd(any.number(), command, project, block);
  }

  /**
   * Limits a project: who goes beyond it gets EDQUOT.
   *
   * @param bytes rounded up to 1,024; 0: no limit
   */
  public void limit(Fd any, int project, long bytes) {
    ByteBuffer block = Syscalls.buffer(if_dqblk_SIZEOF);
    block.putLong(if_dqblk_dqb_bhardlimit, (bytes + QIF_DQBLKSIZE - 1) / QIF_DQBLKSIZE);
    block.putInt(if_dqblk_dqb_valid, QIF_BLIMITS);
    int command = Q_SETQUOTA << SUBCOMMAND_SHIFT | PRJQUOTA;
    int result = sys.quotactlFd(any.number(), command, project, block);
    sys.check(result, "quotactl_fd(Q_SETQUOTA)", any);
  }

  /** The project of a file or directory; 0 where it has none. */
  public int projectOf(Fd file) {
    return attributes(file).getInt(fsxattr_fsx_projid);
  }

  private ByteBuffer attributes(Fd file) {
    ByteBuffer attributes = Syscalls.buffer(fsxattr_SIZEOF);
    int result = sys.libc().ioctl(file.number(), FS_IOC_FSGETXATTR, attributes);
    sys.check(result, "ioctl(FS_IOC_FSGETXATTR)", file);
    return attributes;
  }

  /** Puts a directory and all below it into a project. */
  public void assign(Fd directory, int project) {
    new TreeWalk(sys)
        .run(
            directory,
            new TreeWalk.Visitor() {
              @Override
              public void file(Fd parent, byte[] name, FileStat stat) {
                if (stat.kind() == FileKind.FILE) { // devices and the like cannot be opened for it
                  assignFile(parent, name, project);
                }
              }

              @Override
              public void enter(Fd parent, byte[] name, Fd entered, FileStat stat) {
                assignOne(entered, project, true);
              }

              @Override
              public void leave(Fd left, FileStat stat) {
                // assigned when it was entered
              }
            });
    assignOne(directory, project, true);
  }

  private void assignFile(Fd parent, byte[] name, int project) {
    String text = CString.decode(name, 0, name.length - 1);
    int number = sys.libc().openat(parent.number(), name, OPEN, 0);
    int opened = sys.checkUnless(number, "openat", text, Errno.ENOENT, Errno.ELOOP);
    if (opened >= 0) {
      try (Fd file = Fd.adopt(sys, opened, text)) {
        assignOne(file, project, false);
      }
    }
  }

  private void assignOne(Fd file, int project, boolean inherited) {
    ByteBuffer attributes = attributes(file);
    attributes.putInt(fsxattr_fsx_projid, project);
    if (inherited) {
      int flags = attributes.getInt(fsxattr_fsx_xflags);
      attributes.putInt(fsxattr_fsx_xflags, flags | FS_XFLAG_PROJINHERIT);
    }
    int result = sys.libc().ioctl(file.number(), FS_IOC_FSSETXATTR, attributes);
    sys.check(result, "ioctl(FS_IOC_FSSETXATTR)", file);
  }
}
