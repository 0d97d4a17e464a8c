package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Limit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The configuration of a container for {@code lxc-start}, as somebody writes it who knows LXC. */
final class LxcFiles {
  private static final Path V2_ONLY = Path.of("/sys/fs/cgroup/cgroup.controllers");

  private LxcFiles() {}

  /**
   * The text.
   *
   * @param mapped whether the owners of the root's files are still to be mapped
   */
  static String config(String name, Path rootfs, boolean mapped, Path log, List<String> more) {
    StringBuilder text = new StringBuilder();
    line(text, "lxc.uts.name", name);
    line(text, "lxc.rootfs.path", "dir:" + rootfs);
    if (mapped) {
      line(text, "lxc.rootfs.options", "idmap=container");
    }
    for (String kind : List.of("u", "g")) {
      line(text, "lxc.idmap", kind + " 0 " + Limit.FIRST_ID + " " + Limit.IDS);
    }
    line(text, "lxc.net.0.type", "empty");
    line(text, "lxc.mount.auto", "proc:mixed sys:mixed cgroup:mixed");
    line(text, "lxc.apparmor.profile", "unconfined");
    line(text, "lxc.seccomp.profile", "/usr/share/lxc/config/common.seccomp");
    line(text, "lxc.cap.drop", "mac_admin mac_override sys_module sys_rawio sys_time");
    line(text, "lxc.log.file", log.toString());
    line(text, "lxc.log.level", "WARN");
    if (Files.exists(V2_ONLY)) {
      line(text, "lxc.cgroup2.memory.max", Long.toString(Limit.MEMORY));
      line(text, "lxc.cgroup2.pids.max", Integer.toString(Limit.PROCESSES));
    } else {
      line(text, "lxc.cgroup.memory.limit_in_bytes", Long.toString(Limit.MEMORY));
      line(text, "lxc.cgroup.pids.max", Integer.toString(Limit.PROCESSES));
    }
    more.forEach(extra -> text.append(extra).append('\n'));
    return text.toString();
  }

  private static void line(StringBuilder text, String key, String value) {
    text.append(key).append(" = ").append(value).append('\n');
  }

  /** Removes a directory of files. */
  static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (var files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
