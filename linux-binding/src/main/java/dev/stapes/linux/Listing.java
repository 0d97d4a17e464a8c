package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The entries of an open directory; getdents64(2). */
final class Listing {
  private static final int BUFFER = 32 * 1024;

  /** A name and {@code d_type}, which is DT_UNKNOWN on some file systems. */
  record Entry(String name, int type) {}

  private Listing() {}

  static List<Entry> of(Syscalls sys, Fd directory) {
    List<Entry> entries = new ArrayList<>();
    ByteBuffer buffer = Syscalls.buffer(BUFFER);
    sys.check(sys.libc().lseek(directory.number(), 0, Constants.SEEK_SET), "lseek", directory);
    while (true) {
      int length = sys.getdents64(directory.number(), buffer);
      if (sys.check(length, "getdents64", directory) == 0) {
        return entries;
      }
      for (int at = 0; at < length; ) {
        int size = buffer.getShort(at + Layout.dirent64_d_reclen) & 0xFFFF;
        String name = name(buffer, at + Layout.dirent64_d_name, at + size);
        if (!name.equals(".") && !name.equals("..")) {
          entries.add(new Entry(name, buffer.get(at + Layout.dirent64_d_type)));
        }
        at += size;
      }
    }
  }

  private static String name(ByteBuffer buffer, int from, int to) {
    byte[] bytes = new byte[to - from];
    buffer.get(from, bytes);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return CString.decode(bytes, 0, end);
  }
}
