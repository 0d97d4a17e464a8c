package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Removes a tree of any depth with a handful of descriptors: it walks down and comes back up
 * through {@code ..}, and goes on only if what it comes back to is the directory it left.
 */
final class Removal {
  private static final int OPEN =
      Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;
  private static final byte[] UP = CString.of("..");
  private static final int RACES = 1000;

  private final Syscalls sys;
  private final String subject;

  /** A directory on the way down: which one it is, its name in its parent, what is left in it. */
  private record Level(FileStat self, byte[] name, Deque<byte[]> directories) {}

  Removal(Syscalls sys, String subject) {
    this.sys = sys;
    this.subject = subject;
  }

  void run(Fd parent, byte[] name) {
    for (int i = 0; i < RACES; i++) {
      if (unlinked(parent, name)) {
        return;
      }
      Fd top = enter(parent, name);
      if (top != null) {
        empty(top, name);
      }
      int flags = Constants.AT_REMOVEDIR;
      int result = sys.libc().unlinkat(parent.number(), name, flags);
      int gone = check(result, Errno.ENOENT, Errno.ENOTEMPTY, Errno.ENOTDIR);
      if (gone >= 0 || gone == -Errno.ENOENT) {
        return;
      }
    }
    throw new LinuxException("unlinkat(AT_REMOVEDIR)", subject, Errno.ENOTEMPTY);
  }

  /** Whether it was no directory and is gone. */
  private boolean unlinked(Fd parent, byte[] name) {
    int result = sys.libc().unlinkat(parent.number(), name, 0);
    int gone = check(result, Errno.ENOENT, Errno.EISDIR);
    return gone >= 0 || gone == -Errno.ENOENT;
  }

  /** Empties a directory, and closes it. */
  private void empty(Fd top, byte[] name) {
    Deque<Level> path = new ArrayDeque<>();
    Fd at = top;
    try {
      path.push(clear(at, name));
      while (true) {
        Level level = path.element();
        byte[] next = level.directories().poll();
        if (next != null) {
          Fd below = enter(at, next);
          if (below != null) {
            at.close();
            at = below;
            path.push(clear(at, next));
          }
        } else if (path.size() == 1) {
          return;
        } else {
          path.pop();
          at = up(at, path.element().self());
          remove(at, level.name(), path.element());
        }
      }
    } finally {
      at.close();
    }
  }

  /** Unlinks what is no directory, and notes the directories. */
  private Level clear(Fd directory, byte[] name) {
    Deque<byte[]> directories = new ArrayDeque<>();
    for (Listing.Entry entry : Listing.of(sys, directory)) {
      byte[] entryName = CString.of(entry.name());
      if (entry.type() == Constants.DT_DIR || !unlinked(directory, entryName)) {
        directories.add(entryName);
      }
    }
    return new Level(directory.stat(), name, directories);
  }

  /** A directory that somebody fills while it is emptied is gone through again. */
  private void remove(Fd parent, byte[] name, Level level) {
    int result = sys.libc().unlinkat(parent.number(), name, Constants.AT_REMOVEDIR);
    int gone = check(result, Errno.ENOENT, Errno.ENOTEMPTY);
    if (gone == -Errno.ENOTEMPTY) {
      level.directories().push(name);
    }
  }

  /** Opens a directory, unless it is gone; another mount is not entered. */
  private @Nullable Fd enter(Fd parent, byte[] name) {
    ByteBuffer how = Syscalls.buffer(Layout.open_how_SIZEOF);
    how.putLong(Layout.open_how_flags, OPEN & 0xFFFFFFFFL);
    how.putLong(Layout.open_how_resolve, Constants.RESOLVE_NO_XDEV | Constants.RESOLVE_BENEATH);
    int result = sys.openat2(parent.number(), name, how);
    int number = sys.checkUnless(result, "openat2", subject, Errno.ENOENT);
    return number < 0 ? null : Fd.adopt(sys, number, subject);
  }

  private Fd up(Fd from, FileStat expected) {
    int number = sys.libc().openat(from.number(), UP, OPEN, 0);
    Fd parent = Fd.adopt(sys, sys.check(number, "openat", subject), subject);
    try {
      if (!parent.stat().sameFileAs(expected)) {
        throw new LinuxException("openat(..): the tree was moved meanwhile", subject, Errno.EBUSY);
      }
    } catch (RuntimeException e) {
      parent.close();
      throw e;
    }
    from.close();
    return parent;
  }

  private int check(int result, int... expected) {
    return sys.checkUnless(result, "unlinkat", subject, expected);
  }
}
