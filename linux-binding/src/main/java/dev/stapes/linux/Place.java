package dev.stapes.linux;

import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;

/** The directory that a thing is in, and its name there. */
final class Place implements AutoCloseable {
  final Fd directory;
  final byte[] name;
  private final Syscalls sys;
  private final String path;
  private final boolean owned;

  Place(Syscalls sys, Fd directory, byte[] name, String path, boolean owned) {
    this.sys = sys;
    this.directory = directory;
    this.name = name;
    this.path = path;
    this.owned = owned;
  }

  boolean isSelf() {
    return name.length == 1;
  }

  /** Through a descriptor of the very inode: chmod(2) by name would follow a link. */
  void chmod(int permissions) {
    if (isSelf()) {
      directory.chmod(permissions);
      return;
    }
    int number = sys.libc().openat(directory.number(), name, FileTree.PLACE_ITSELF, 0);
    try (Fd itself = Fd.adopt(sys, sys.check(number, "openat", path), path)) {
      itself.chmod(permissions);
    }
  }

  /** For what was made just now: it is not left behind with other permissions. */
  void chmodNew(int permissions, int removal) {
    try {
      chmod(permissions);
    } catch (RuntimeException e) {
      undo(removal, e);
      throw e;
    }
  }

  void undo(int removal, RuntimeException reason) {
    if (sys.libc().unlinkat(directory.number(), name, removal) < 0) {
      reason.addSuppressed(new LinuxException("unlinkat", path, sys.errno()));
    }
  }

  @Override
  public void close() {
    if (owned) {
      directory.close();
    }
  }
}
