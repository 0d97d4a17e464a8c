package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.MountTable;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HostFactsTest {
  @Test
  void lists_of_cpus_are_read() {
    assertEquals(Set.of(0), HostFacts.cpus("0"));
    assertEquals(Set.of(0, 1, 2, 3, 8, 10, 11), HostFacts.cpus("0-3,8,10-11"));
    StapesException e = assertThrows(StapesException.class, () -> HostFacts.cpus("0-x"));
    assertEquals("Cpus_allowed_list: not a list of CPUs: \"0-x\"", e.getMessage());
  }

  @Test
  void memory_is_read_in_kib() {
    assertEquals(Size.ofKibibytes(24684096), HostFacts.memory("24684096 kB"));
    assertThrows(StapesException.class, () -> HostFacts.memory("24684096"));
    assertEquals("24 kB", HostFacts.field("A: 1\nMemTotal:       24 kB\n", "MemTotal"));
    assertThrows(StapesException.class, () -> HostFacts.field("A: 1", "MemTotal"));
  }

  @Test
  void errors_of_the_kernel_become_what_a_caller_can_act_on() {
    Map<Integer, Kind> kinds =
        Map.of(
            Errno.ENOENT, Kind.NOT_FOUND,
            Errno.EEXIST, Kind.CONFLICT,
            Errno.EXDEV, Kind.INVALID,
            Errno.ELOOP, Kind.INVALID,
            Errno.EBUSY, Kind.BUSY,
            Errno.EPERM, Kind.DENIED,
            Errno.ENOSPC, Kind.EXHAUSTED,
            Errno.EOPNOTSUPP, Kind.UNSUPPORTED,
            Errno.EIO, Kind.INTERNAL);
    kinds.forEach(
        (errno, kind) ->
            assertEquals(kind, Failures.of(new LinuxException("c", "s", errno)).kind()));
    StapesException e = Failures.of(new LinuxException("mount", "/x", Errno.EBUSY), "tmpfs at /x");
    assertEquals("tmpfs at /x: mount: EBUSY (device or resource busy)", e.getMessage());
  }

  @Test
  void the_groups_of_a_process_are_looked_for_in_all_hierarchies() {
    String mountinfo =
        """
        30 1 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
        31 1 0:31 /part /mnt/part rw - cgroup cgroup rw,pids
        32 1 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
        33 1 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        """;
    String groups =
        """
        4:pids:/part/x
        3:cpu,cpuacct:/a b
        2:name=systemd:/
        1:memory:/m
        0::/../outside
        0::/in
        nonsense
        """;
    assertEquals(
        List.of(
            Path.of("/sys/fs/cgroup/cpu/a b/cgroup.procs"),
            Path.of("/sys/fs/cgroup/systemd/cgroup.procs"),
            Path.of("/sys/fs/cgroup/unified/in/cgroup.procs")),
        CgroupProcs.candidates(
            MountTable.parse(mountinfo.getBytes(StandardCharsets.UTF_8)), groups));
  }
}
