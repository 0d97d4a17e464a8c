package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** The names in a directory as bytes that end with NUL, as calls want them; getdents64(2). */
final class Entries {
  private final Syscalls sys;
  private final ByteBuffer buffer = Syscalls.buffer(32 * 1024);

  Entries(Syscalls sys) {
    this.sys = sys;
  }

  /** All but {@code .} and {@code ..}. */
  Deque<byte[]> of(Fd directory) {
    Deque<byte[]> names = new ArrayDeque<>();
    sys.check(sys.libc().lseek(directory.number(), 0, Constants.SEEK_SET), "lseek", directory);
    while (true) {
      int length = sys.check(sys.getdents64(directory.number(), buffer), "getdents64", directory);
      if (length == 0) {
        return names;
      }
      for (int at = 0; at < length; ) {
        int size = buffer.getShort(at + Layout.dirent64_d_reclen) & 0xFFFF;
        byte[] name = terminated(at + Layout.dirent64_d_name, at + size);
        if (!isDots(name)) {
          names.add(name);
        }
        at += size;
      }
    }
  }

  private byte[] terminated(int from, int to) {
    byte[] bytes = new byte[to - from];
    buffer.get(from, bytes);
    int end = 0;
    while (bytes[end] != 0) {
      end++;
    }
    return Arrays.copyOf(bytes, end + 1);
  }

  private static boolean isDots(byte[] name) {
    return name[0] == '.' && (name.length == 2 || (name[1] == '.' && name.length == 3));
  }
}
