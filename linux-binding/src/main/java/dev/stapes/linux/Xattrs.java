package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Extended attributes of one file; see xattr(7). Names carry their class, such as {@code
 * security.capability}. A file system without them fails with EOPNOTSUPP.
 */
public final class Xattrs {
  private static final int FIRST_TRY = 256;

  private final Syscalls sys;
  private final Access access;
  private final Object subject;

  private Xattrs(Syscalls sys, Access access, Object subject) {
    this.sys = sys;
    this.access = access;
    this.subject = subject;
  }

  /** Those of what {@code path} leads to. */
  public static Xattrs of(Syscalls sys, Path path) {
    return new Xattrs(sys, new Followed(sys.libc(), CString.of(path)), path);
  }

  /** Those of {@code path} itself, be it a symbolic link. */
  public static Xattrs ofLink(Syscalls sys, Path path) {
    return ofLink(sys, CString.of(path), path);
  }

  static Xattrs ofLink(Syscalls sys, byte[] path, Object subject) {
    return new Xattrs(sys, new NotFollowed(sys.libc(), path), subject);
  }

  /** Those of an open file, which is not {@link OpenFlag#PATH_ONLY}. */
  public static Xattrs of(Syscalls sys, Fd fd) {
    return new Xattrs(sys, new Opened(sys.libc(), fd), fd);
  }

  /** The names of all that the caller may see. */
  public List<String> list() {
    byte[] names = sized(access::list, "listxattr", null);
    List<String> list = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < names.length; i++) {
      if (names[i] == 0) {
        list.add(CString.decode(names, start, i));
        start = i + 1;
      }
    }
    return list;
  }

  /** The value; empty if there is no such attribute. */
  public Optional<byte[]> get(String name) {
    byte[] key = CString.of(name);
    try {
      return Optional.of(sized((value, size) -> access.get(key, value, size), "getxattr", name));
    } catch (LinuxException e) {
      if (e.errno() == Errno.ENODATA) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Creates or replaces the attribute. */
  public void set(String name, byte[] value) {
    ByteBuffer bytes = Syscalls.buffer(value.length).put(value).flip();
    int result = access.set(CString.of(name), bytes, value.length);
    sys.check(result, "setxattr(" + name + ")", subject);
  }

  /**
   * Removes the attribute.
   *
   * @return false if there was none
   */
  public boolean remove(String name) {
    int result = access.remove(CString.of(name));
    return sys.checkUnless(result, "removexattr(" + name + ")", subject, Errno.ENODATA) >= 0;
  }

  private interface Sized {
    long call(@Nullable ByteBuffer buffer, long size);
  }

  /** Asks with a small buffer first; if that is short, asks how much it takes until it fits. */
  private byte[] sized(Sized call, String name, @Nullable String attribute) {
    ByteBuffer buffer = Syscalls.buffer(FIRST_TRY);
    String what = attribute == null ? name : name + "(" + attribute + ")";
    while (true) {
      long count = call.call(buffer, buffer.capacity());
      if (count >= 0) {
        byte[] bytes = new byte[(int) count];
        buffer.get(0, bytes);
        return bytes;
      }
      sys.checkUnless((int) count, what, subject, Errno.ERANGE);
      long needed = sys.check(call.call(null, 0), what, subject);
      buffer = Syscalls.buffer((int) Math.max(1, needed));
    }
  }

  /** The three families of calls. */
  private interface Access {
    long list(@Nullable ByteBuffer names, long size);

    long get(byte[] name, @Nullable ByteBuffer value, long size);

    int set(byte[] name, ByteBuffer value, long size);

    int remove(byte[] name);
  }

  private record Followed(LibC libc, byte[] path) implements Access {
    @Override
    public long list(@Nullable ByteBuffer names, long size) {
      return libc.listxattr(path, names, size);
    }

    @Override
    public long get(byte[] name, @Nullable ByteBuffer value, long size) {
      return libc.getxattr(path, name, value, size);
    }

    @Override
    public int set(byte[] name, ByteBuffer value, long size) {
      return libc.setxattr(path, name, value, size, 0);
    }

    @Override
    public int remove(byte[] name) {
      return libc.removexattr(path, name);
    }
  }

  private record NotFollowed(LibC libc, byte[] path) implements Access {
    @Override
    public long list(@Nullable ByteBuffer names, long size) {
      return libc.llistxattr(path, names, size);
    }

    @Override
    public long get(byte[] name, @Nullable ByteBuffer value, long size) {
      return libc.lgetxattr(path, name, value, size);
    }

    @Override
    public int set(byte[] name, ByteBuffer value, long size) {
      return libc.lsetxattr(path, name, value, size, 0);
    }

    @Override
    public int remove(byte[] name) {
      return libc.lremovexattr(path, name);
    }
  }

  private record Opened(LibC libc, Fd fd) implements Access {
    @Override
    public long list(@Nullable ByteBuffer names, long size) {
      return libc.flistxattr(fd.number(), names, size);
    }

    @Override
    public long get(byte[] name, @Nullable ByteBuffer value, long size) {
      return libc.fgetxattr(fd.number(), name, value, size);
    }

    @Override
    public int set(byte[] name, ByteBuffer value, long size) {
      return libc.fsetxattr(fd.number(), name, value, size, 0);
    }

    @Override
    public int remove(byte[] name) {
      return libc.fremovexattr(fd.number(), name);
    }
  }
}
