package dev.stapes.linux.block;

import static dev.stapes.linux.block.Abi.*;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A file as a block device; see loop(4). The device goes by itself with its last user (a mount, an
 * open descriptor): this one counts as a user until it is closed.
 */
public final class LoopDevice implements AutoCloseable {
  private static final Path CONTROL = Path.of("/dev/loop-control");
  private static final Path BLOCK = Path.of("/sys/block");
  private static final Set<OpenFlag> READ_WRITE = Set.of(OpenFlag.READ, OpenFlag.WRITE);
  private static final int RACES = 64;

  private final Syscalls sys;
  private final Fd device;
  private final Path path;

  private LoopDevice(Syscalls sys, Fd device, Path path) {
    this.sys = sys;
    this.device = device;
    this.path = path;
  }

  /**
   * The device of a file: the one that it is attached to, else a new one. Two devices of one file
   * would be two caches of the same blocks, so callers that may race for a file lock it first.
   *
   * @param directIo whether a new device goes past the page cache, so that blocks are not cached
   *     twice; the kernel drops the wish by itself where the file system below cannot do it
   * @throws LinuxException ENOENT without the file, or without {@code /dev/loop-control}
   */
  public static LoopDevice of(Syscalls sys, Path backing, boolean directIo) {
    try (Fd file = Fd.open(sys, backing, READ_WRITE)) {
      Optional<LoopDevice> attached = find(sys, file.stat());
      return attached.isPresent()
          ? attached.get()
          : attach(sys, file, backing, directIo ? LO_FLAGS_DIRECT_IO : 0);
    }
  }

  /**
   * A new device of a file that cannot be written through.
   *
   * @throws LinuxException ENOENT without the file, or without {@code /dev/loop-control}
   */
  public static LoopDevice readOnly(Syscalls sys, Path backing) {
    try (Fd file = Fd.open(sys, backing, Set.of(OpenFlag.READ))) {
      return attach(sys, file, backing, LO_FLAGS_READ_ONLY);
    }
  }

  /** The device that a file is attached to, by its inode and not its name. */
  public static Optional<LoopDevice> find(Syscalls sys, FileStat backing) {
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(BLOCK, "loop*")) {
      for (Path entry : devices) {
        if (Files.exists(entry.resolve("loop/backing_file"))) {
          Optional<LoopDevice> device =
              openIf(sys, Path.of("/dev").resolve(entry.getFileName()), backing);
          if (device.isPresent()) {
            return device;
          }
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(BLOCK + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** While it is open here it stays attached: what is seen after the open stays true. */
  private static Optional<LoopDevice> openIf(Syscalls sys, Path path, FileStat backing) {
    Fd device;
    try {
      device = Fd.open(sys, path, Set.of());
    } catch (LinuxException e) {
      if (e.is(Errno.ENXIO, Errno.ENOENT, Errno.ENODEV, Errno.EBUSY)) {
        return Optional.empty(); // it was detached meanwhile
      }
      throw e;
    }
    ByteBuffer info = Syscalls.buffer(loop_info64_SIZEOF);
    int result = sys.libc().ioctl(device.number(), LOOP_GET_STATUS64, info);
    if (result >= 0
        && info.getLong(loop_info64_lo_inode) == backing.inode()
        && number(info.getLong(loop_info64_lo_device)).equals(backing.device())) {
      return Optional.of(new LoopDevice(sys, device, path));
    }
    device.close();
    return Optional.empty();
  }

  /** {@code lo_device} has the encoding of stat(2) of old ({@code huge_encode_dev}). */
  private static DeviceNumber number(long encoded) {
    int major = (int) ((encoded >> 8) & 0xFFF);
    int minor = (int) ((encoded & 0xFF) | ((encoded >> 12) & 0xFFF00));
    return new DeviceNumber(major, minor);
  }

  private static LoopDevice attach(Syscalls sys, Fd file, Path backing, int flags) {
    try (Fd control = Fd.open(sys, CONTROL, READ_WRITE)) {
      for (int i = 0; i < RACES; i++) {
        int free = sys.libc().ioctl(control.number(), LOOP_CTL_GET_FREE, 0L);
        sys.check(free, "ioctl(LOOP_CTL_GET_FREE)", CONTROL);
        Path path = Path.of("/dev/loop" + free);
        Fd device = Fd.open(sys, path, READ_WRITE);
        try {
          if (configured(sys, device, file, backing, flags)) {
            return new LoopDevice(sys, device, path);
          }
          device.close(); // somebody else took it between the two calls
        } catch (RuntimeException e) {
          device.close();
          throw e;
        }
      }
    }
    throw new LinuxException("ioctl(LOOP_CONFIGURE)", backing, Errno.EBUSY);
  }

  private static boolean configured(Syscalls sys, Fd device, Fd file, Path backing, int flags) {
    ByteBuffer config = Syscalls.buffer(loop_config_SIZEOF);
    config.putInt(loop_config_fd, file.number());
    config.putInt(loop_config_info + loop_info64_lo_flags, LO_FLAGS_AUTOCLEAR | flags);
    byte[] name = CString.encode(backing.toString());
    int length = Math.min(name.length, LO_NAME_SIZE - 1);
    config.put(loop_config_info + loop_info64_lo_file_name, name, 0, length);
    int result = sys.libc().ioctl(device.number(), LOOP_CONFIGURE, config);
    return sys.checkUnless(result, "ioctl(LOOP_CONFIGURE)", backing, Errno.EBUSY) >= 0;
  }

  /** The device node. */
  public Path path() {
    return path;
  }

  /** Takes over a new size of the file. */
  public void refreshSize() {
    int result = sys.libc().ioctl(device.number(), LOOP_SET_CAPACITY, 0L);
    sys.check(result, "ioctl(LOOP_SET_CAPACITY)", path);
  }

  /** Its size in bytes. */
  public long size() {
    return sizeOf(sys, device);
  }

  /** The size of a block device in bytes. */
  public static long sizeOf(Syscalls sys, Fd blockDevice) {
    ByteBuffer size = Syscalls.buffer(Long.BYTES);
    int result = sys.libc().ioctl(blockDevice.number(), BLKGETSIZE64, size);
    sys.check(result, "ioctl(BLKGETSIZE64)", blockDevice);
    return size.getLong(0);
  }

  /** Is no user of it any more. */
  @Override
  public void close() {
    device.close();
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
