package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;

/** What a directory entry is; see inode(7). */
public enum FileKind {
  FILE(Constants.S_IFREG),
  DIRECTORY(Constants.S_IFDIR),
  SYMLINK(Constants.S_IFLNK),
  FIFO(Constants.S_IFIFO),
  SOCKET(Constants.S_IFSOCK),
  CHARACTER_DEVICE(Constants.S_IFCHR),
  BLOCK_DEVICE(Constants.S_IFBLK);

  final int bits;

  FileKind(int bits) {
    this.bits = bits;
  }

  static FileKind ofMode(int mode) {
    for (FileKind kind : values()) {
      if (kind.bits == (mode & Constants.S_IFMT)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("no such kind of file: mode " + Integer.toOctalString(mode));
  }
}
