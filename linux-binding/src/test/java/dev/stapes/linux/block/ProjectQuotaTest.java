package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The calls, over a kernel that plays a file system with project quotas. */
class ProjectQuotaTest {
  private static final int GET = 0x800007 << 8 | 2;
  private static final int SET = 0x800008 << 8 | 2;

  private final Syscalls real = Syscalls.system();
  private final Map<Integer, Long> limits = new TreeMap<>();
  private final Map<Integer, byte[]> attributes = new HashMap<>();
  private int errno;

  private final Syscalls sys =
      Syscalls.over(
          (LibC)
              Proxy.newProxyInstance(
                  LibC.class.getClassLoader(),
                  new Class<?>[] {LibC.class},
                  (proxy, method, arguments) -> {
                    if (method.getName().equals("ioctl")) {
                      return ioctl(
                          (int) arguments[0], (long) arguments[1], (ByteBuffer) arguments[2]);
                    }
                    if (method.getName().equals("syscall")
                        && (long) arguments[0] == Constants.SYS_quotactl_fd) {
                      return quotactl(
                          (int) arguments[2], (int) arguments[3], (ByteBuffer) arguments[4]);
                    }
                    try {
                      return method.invoke(real.libc(), arguments);
                    } catch (InvocationTargetException e) {
                      throw e.getCause() == null ? e : e.getCause();
                    }
                  }));

  private int ioctl(int fd, long request, ByteBuffer argument) {
    int inode = (int) inode(fd);
    byte[] bytes = attributes.computeIfAbsent(inode, unused -> new byte[28]);
    if ((int) request == 0x801c581f) {
      argument.put(0, bytes);
    } else {
      assertEquals(0x401c5820, (int) request);
      argument.get(0, bytes);
    }
    return 0;
  }

  private long inode(int fd) {
    ByteBuffer statx = Syscalls.buffer(256);
    int result = real.statx(fd, new byte[1], Constants.AT_EMPTY_PATH, 0x7ff, statx);
    assertEquals(0, result);
    return statx.getLong(32);
  }

  private long quotactl(int command, int project, ByteBuffer block) {
    if (errno != 0) {
      Syscalls.errno(errno);
      return -1;
    }
    if (command == SET) {
      assertEquals(1, block.getInt(64)); // QIF_BLIMITS: block limits only
      limits.put(project, block.getLong(0));
    } else {
      assertEquals(GET, command);
      block.putLong(0, limits.getOrDefault(project, 0L));
      block.putLong(16, 12_345);
      block.putLong(40, 3);
    }
    return 0;
  }

  private int project(Path path) {
    try (Fd fd = Fd.open(sys, path, Set.of(OpenFlag.READ))) {
      return new ProjectQuota(sys).projectOf(fd);
    }
  }

  @Test
  void a_limit_is_given_in_kibibytes_and_read_in_bytes(@TempDir Path directory) {
    ProjectQuota quota = new ProjectQuota(sys);
    try (Fd fd = Fd.open(sys, directory, Set.of(OpenFlag.READ))) {
      quota.limit(fd, 77, 1_000_001);
      assertEquals(Map.of(77, 977L), limits);
      assertEquals(new ProjectQuota.Usage(977 * 1024, 12_345, 3), quota.usage(fd, 77));
      quota.limit(fd, 77, 0);
      assertEquals(0, quota.usage(fd, 77).limit());
    }
  }

  @Test
  void all_of_a_tree_belongs_to_the_project_and_directories_pass_it_on(@TempDir Path directory)
      throws Exception {
    Path below = Files.createDirectories(directory.resolve("a/b"));
    Path file = Files.writeString(below.resolve("file"), "");
    Files.createSymbolicLink(below.resolve("link"), Path.of("/"));
    try (Fd fd = Fd.open(sys, directory, Set.of(OpenFlag.READ))) {
      new ProjectQuota(sys).assign(fd, 0x2000_0001);
    }
    for (Path path : new Path[] {directory, below, file}) {
      assertEquals(0x2000_0001, project(path), path.toString());
    }
    assertEquals(0, project(Path.of("/")));
    try (Fd fd = Fd.open(sys, below, Set.of(OpenFlag.READ))) {
      byte[] bytes = attributes.get((int) inode(fd.number()));
      assertEquals(0x200, ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.nativeOrder()).getInt(0));
    }
  }

  @Test
  void a_file_system_without_project_quotas_is_recognised(@TempDir Path directory) {
    ProjectQuota quota = new ProjectQuota(sys);
    try (Fd fd = Fd.open(sys, directory, Set.of(OpenFlag.READ))) {
      assertTrue(quota.isOn(fd));
      errno = Errno.ENOENT; // XFS, of a project that nothing belongs to
      assertTrue(quota.isOn(fd));
      for (int missing : new int[] {Errno.ESRCH, Errno.ENOSYS, Errno.EOPNOTSUPP, Errno.EINVAL}) {
        errno = missing;
        assertFalse(quota.isOn(fd), Errno.name(missing));
      }
      assertThrows(LinuxException.class, () -> quota.limit(fd, 1, 1));
    }
  }
}
