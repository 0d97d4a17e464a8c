package dev.stapes.linux.block;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.Xattrs;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Copies a tree with everything that a root file system may hold: owners, permissions, times to the
 * nanosecond, extended attributes (thus ACLs and file capabilities), links hard and symbolic,
 * holes, devices, FIFOs, sockets. Data is shared where the file system can (ioctl_ficlone(2)), else
 * copied within the kernel. Nothing outside of the two directories is touched, whatever links there
 * are and however deep they are. Needs root.
 */
public final class TreeCopy {
  private static final int ITSELF = Constants.O_PATH | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;
  private static final int READ =
      Constants.O_RDONLY | Constants.O_NOFOLLOW | Constants.O_NONBLOCK | Constants.O_CLOEXEC;
  private static final int CREATE =
      Constants.O_WRONLY | Constants.O_CREAT | Constants.O_EXCL | Constants.O_CLOEXEC;
  private static final int LINK_SIZE = 4096; // PATH_MAX: no link is longer

  private final Syscalls sys;
  private final Predicate<String> attributes;
  private final BooleanSupplier cancelled;
  private final Contents contents;

  /**
   * A way of copying.
   *
   * @param attributes which extended attributes are copied, by name
   * @param cancelled asked before each file; once it is true, the copy ends with ECANCELED
   */
  public TreeCopy(Syscalls sys, Predicate<String> attributes, BooleanSupplier cancelled) {
    this.sys = sys;
    this.attributes = attributes;
    this.cancelled = cancelled;
    this.contents = new Contents(sys);
  }

  /** Copies all that is below a directory, and its own attributes, into an empty directory. */
  public void run(Fd source, Fd target) {
    Copying copying = new Copying(target.duplicate());
    try {
      new TreeWalk(sys).run(source, copying);
    } finally {
      copying.at.close();
      copying.top.close();
    }
    attributes(source, target, source.stat());
  }

  /** Copies the owner, permissions, extended attributes and times of one directory or file. */
  public void attributes(Fd source, Fd target, FileStat stat) {
    target.chown(stat.uid(), stat.gid());
    if (stat.kind() != FileKind.SYMLINK) {
      target.chmod(stat.permissions());
    }
    xattrs(source.path(), target.path());
    target.times(stat.accessed(), stat.modified());
  }

  private void xattrs(Path source, Path target) {
    Xattrs from = Xattrs.of(sys, source);
    List<String> names;
    try {
      names = from.list();
    } catch (LinuxException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return;
      }
      throw e;
    }
    for (String name : names) {
      if (attributes.test(name)) {
        from.get(name).ifPresent(value -> Xattrs.of(sys, target).set(name, value));
      }
    }
  }

  /**
   * Where one of several names of a file is: the names of directories from the top, and its own.
   */
  private record FirstName(List<byte[]> directories, byte[] name) {}

  private final class Copying implements TreeWalk.Visitor {
    private final Fd top;
    private Fd at;
    private final Deque<byte[]> path = new ArrayDeque<>();
    private final Deque<FileStat> stats = new ArrayDeque<>();
    private final Map<InodeKey, FirstName> firstNames = new HashMap<>();

    Copying(Fd target) {
      this.top = target;
      this.at = target;
    }

    @Override
    public void enter(Fd parent, byte[] name, Fd directory, FileStat stat) {
      cancel();
      sys.check(sys.libc().mkdirat(at.number(), name, 0700), "mkdirat", text(name));
      Fd made = openTarget(at, name, TreeWalk.OPEN);
      stats.push(at.stat());
      path.addLast(name);
      replace(made);
    }

    @Override
    public void leave(Fd directory, FileStat stat) {
      attributes(directory, at, stat);
      path.removeLast();
      at = TreeWalk.up(sys, at, stats.pop());
    }

    private void replace(Fd with) {
      if (at != top) {
        at.close();
      }
      at = with;
    }

    @Override
    public void file(Fd directory, byte[] name, FileStat stat) {
      cancel();
      if (stat.links() > 1) {
        FirstName first = firstNames.get(InodeKey.of(stat));
        if (first != null) {
          link(first, name);
          return;
        }
        firstNames.put(InodeKey.of(stat), new FirstName(new ArrayList<>(path), name));
      }
      try {
        copyFile(directory, name, stat);
      } catch (LinuxException e) {
        if (!e.is(Errno.ENOENT)) {
          throw e;
        }
        firstNames.remove(InodeKey.of(stat)); // it disappeared
      }
    }

    private void copyFile(Fd directory, byte[] name, FileStat stat) {
      switch (stat.kind()) {
        case FILE -> regular(directory, name);
        case SYMLINK -> symlink(directory, name);
        default -> special(directory, name, stat);
      }
    }

    private void regular(Fd directory, byte[] name) {
      try (Fd from = open(directory, name, READ)) {
        FileStat stat = from.stat();
        if (stat.kind() != FileKind.FILE) {
          throw new LinuxException("openat", text(name), Errno.ENOENT); // replaced meanwhile
        }
        try (Fd to = openTarget(at, name, CREATE)) {
          contents.copy(from, to, stat);
          attributes(from, to, stat);
        }
      }
    }

    private void symlink(Fd directory, byte[] name) {
      ByteBuffer text = Syscalls.buffer(LINK_SIZE);
      long length = sys.libc().readlinkat(directory.number(), name, text, LINK_SIZE);
      byte[] target = new byte[(int) sys.check(length, "readlinkat", text(name)) + 1];
      text.get(target, 0, target.length - 1);
      sys.check(sys.libc().symlinkat(target, at.number(), name), "symlinkat", text(name));
      attributesOfName(directory, name);
    }

    private void special(Fd directory, byte[] name, FileStat stat) {
      int mode = modeBits(stat.kind()) | 0600;
      long device = encoded(stat.special());
      sys.check(sys.mknodat(at.number(), name, mode, device), "mknodat", text(name));
      attributesOfName(directory, name);
    }

    private void attributesOfName(Fd directory, byte[] name) {
      try (Fd from = open(directory, name, ITSELF);
          Fd to = open(at, name, ITSELF)) {
        FileStat stat = from.stat();
        to.chown(stat.uid(), stat.gid());
        if (stat.kind() != FileKind.SYMLINK) {
          to.chmod(stat.permissions());
        }
        xattrs(from.path(), to.path());
        times(name, stat);
      }
    }

    /** futimens(3) takes no descriptor that is a place only. */
    private void times(byte[] name, FileStat stat) {
      ByteBuffer times = FileTimes.of(stat);
      int result = sys.libc().utimensat(at.number(), name, times, Constants.AT_SYMLINK_NOFOLLOW);
      sys.check(result, "utimensat", text(name));
    }

    private void link(FirstName first, byte[] name) {
      Fd place = top.duplicate();
      try {
        for (byte[] directory : first.directories()) {
          Fd below = openTarget(place, directory, TreeWalk.OPEN);
          place.close();
          place = below;
        }
        int result = sys.libc().linkat(place.number(), first.name(), at.number(), name, 0);
        sys.check(result, "linkat", text(name));
      } finally {
        place.close();
      }
    }

    private void cancel() {
      if (cancelled.getAsBoolean()) {
        throw new LinuxException("copy", "tree", Errno.ECANCELED);
      }
    }
  }

  private Fd openTarget(Fd directory, byte[] name, int flags) {
    return open(directory, name, flags | Constants.O_NOFOLLOW);
  }

  private Fd open(Fd directory, byte[] name, int flags) {
    int number;
    do {
      number = sys.libc().openat(directory.number(), name, flags, 0600);
    } while (sys.interrupted(number));
    return Fd.adopt(sys, sys.check(number, "openat", text(name)), text(name));
  }

  private static String text(byte[] name) {
    return CString.decode(name, 0, name.length - 1);
  }

  private static int modeBits(FileKind kind) {
    return switch (kind) {
      case FIFO -> Constants.S_IFIFO;
      case SOCKET -> Constants.S_IFSOCK;
      case CHARACTER_DEVICE -> Constants.S_IFCHR;
      case BLOCK_DEVICE -> Constants.S_IFBLK;
      default -> throw new IllegalArgumentException(kind.toString());
    };
  }

  /** As {@code dev_t} of mknod(2) has it. */
  private static long encoded(DeviceNumber device) {
    return (device.minor() & 0xFF)
        | ((long) device.major() << 8)
        | ((device.minor() & 0xFFF00L) << 12);
  }
}
