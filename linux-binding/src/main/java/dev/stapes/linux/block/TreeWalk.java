package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Goes through a directory and all below it, whatever its depth with one descriptor at a time: down
 * by name without following links, up by {@code ..}, and on only if that is the directory that it
 * came from. What disappears meanwhile is passed over.
 */
final class TreeWalk {
  static final int OPEN =
      Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;
  static final byte[] UP = CString.of("..");

  private final Syscalls sys;
  private final Entries entries;

  /** What is done on the way. */
  interface Visitor {
    /** Something that is no directory. */
    void file(Fd directory, byte[] name, FileStat stat);

    /** A directory, before what is in it. */
    void enter(Fd parent, byte[] name, Fd directory, FileStat stat);

    /** A directory, after what is in it, once for each {@link #enter}. */
    void leave(Fd directory, FileStat stat);
  }

  private record Level(FileStat stat, Deque<byte[]> names) {}

  TreeWalk(Syscalls sys) {
    this.sys = sys;
    this.entries = new Entries(sys);
  }

  /** Visits all that is below a directory, but not itself. */
  void run(Fd top, Visitor visitor) {
    Deque<Level> path = new ArrayDeque<>();
    Fd at = top.duplicate();
    try {
      path.push(new Level(at.stat(), entries.of(at)));
      while (true) {
        byte[] name = path.element().names().poll();
        if (name != null) {
          at = step(at, name, path, visitor);
        } else if (path.size() == 1) {
          return;
        } else {
          visitor.leave(at, path.pop().stat());
          at = up(sys, at, path.element().stat());
        }
      }
    } finally {
      at.close();
    }
  }

  /** Answers with the directory to go on in. */
  private Fd step(Fd at, byte[] name, Deque<Level> path, Visitor visitor) {
    FileStat stat;
    Fd below = null;
    try {
      stat = FileStat.at(sys, at, name);
      if (stat.kind() == FileKind.DIRECTORY) {
        int number = sys.libc().openat(at.number(), name, OPEN, 0);
        below = Fd.adopt(sys, sys.check(number, "openat", at), "a directory in " + at);
        stat = below.stat();
      }
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
        return at; // gone, or something else by now
      }
      throw e;
    }
    if (below == null) {
      visitor.file(at, name, stat);
      return at;
    }
    try {
      Deque<byte[]> names = entries.of(below);
      visitor.enter(at, name, below, stat);
      path.push(new Level(stat, names));
    } catch (RuntimeException e) {
      below.close();
      throw e;
    }
    at.close();
    return below;
  }

  /** The parent of a directory, in exchange for it. */
  static Fd up(Syscalls sys, Fd from, FileStat expected) {
    int number = sys.libc().openat(from.number(), UP, OPEN, 0);
    Fd parent = Fd.adopt(sys, sys.check(number, "openat(..)", from), from.toString());
    if (!parent.stat().sameFileAs(expected)) {
      parent.close();
      throw new LinuxException("openat(..): the tree was moved meanwhile", from, Errno.EBUSY);
    }
    from.close();
    return parent;
  }
}
