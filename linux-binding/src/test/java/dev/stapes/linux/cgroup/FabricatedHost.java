package dev.stapes.linux.cgroup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A machine made of plain files: /proc, /sys/fs/cgroup and groups with the files that a kernel
 * would give them.
 */
final class FabricatedHost {
  private final Path root;
  private final StringBuilder mountinfo = new StringBuilder("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
  private final StringBuilder initCgroup = new StringBuilder();

  private FabricatedHost(Path root) {
    this.root = root;
  }

  static FabricatedHost at(Path root) {
    return new FabricatedHost(root);
  }

  /** As Debian with systemd on v1: cpu and cpuacct together, controllers on v1, an empty v2. */
  static FabricatedHost hybrid(Path root) {
    return v1(root).v2("/sys/fs/cgroup/unified", "", "/init.scope");
  }

  static FabricatedHost v1(Path root) {
    return at(root)
        .v1("cpu,cpuacct", "/init.scope")
        .v1("cpuset", "/")
        .v1("memory", "/init.scope")
        .v1("pids", "/init.scope")
        .v1("blkio", "/init.scope")
        .v1("devices", "/init.scope")
        .v1("freezer", "/")
        .v1("name=systemd", "/init.scope");
  }

  static FabricatedHost v2(Path root) {
    return at(root)
        .v2("/sys/fs/cgroup", "cpuset cpu io memory hugetlb pids rdma misc", "/init.scope")
        .file("proc/swaps", "Filename\n");
  }

  FabricatedHost v1(String controllers, String initGroup) {
    String directory = controllers.replace("name=", "");
    mount("/sys/fs/cgroup/" + directory, "cgroup", "cgroup", controllers);
    initCgroup.append("3:").append(controllers).append(':').append(initGroup).append('\n');
    return this;
  }

  FabricatedHost v2(String mountPoint, String controllers, String initGroup) {
    mount(mountPoint, "cgroup2", "cgroup2", "nsdelegate,memory_recursiveprot");
    initCgroup.append("0::").append(initGroup).append('\n');
    return file(mountPoint.substring(1) + "/cgroup.controllers", controllers + "\n")
        .file(mountPoint.substring(1) + "/cgroup.subtree_control", "");
  }

  FabricatedHost mount(String mountPoint, String type, String source, String options) {
    return mount("/", mountPoint, type, source, options);
  }

  FabricatedHost mount(
      String mountRoot, String mountPoint, String type, String source, String options) {
    mountinfo
        .append(mountinfo.length())
        .append(" 25 0:22 ")
        .append(mountRoot)
        .append(' ')
        .append(mountPoint)
        .append(" rw,nosuid shared:9 - ")
        .append(type + " " + source + " rw,")
        .append(options)
        .append('\n');
    directory(mountPoint.substring(1).replace("\\040", " "));
    return this;
  }

  FabricatedHost directory(String path) {
    try {
      Files.createDirectories(root.resolve(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  FabricatedHost file(String path, String content) {
    try {
      Files.createDirectories(root.resolve(path).resolveSibling("."));
      Files.writeString(root.resolve(path), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Makes files in a group below /sys/fs/cgroup: names and contents in turn. */
  FabricatedHost group(String path, String... namesAndContents) {
    directory("sys/fs/cgroup/" + path);
    for (int i = 0; i < namesAndContents.length; i += 2) {
      file("sys/fs/cgroup/" + path + "/" + namesAndContents[i], namesAndContents[i + 1] + "\n");
    }
    return this;
  }

  String read(String path) {
    return CgroupFiles.read(root.resolve("sys/fs/cgroup").resolve(path));
  }

  Path path(String path) {
    return root.resolve("sys/fs/cgroup").resolve(path);
  }

  CgroupLayout layout() {
    file("proc/self/mountinfo", mountinfo.toString());
    file("proc/1/cgroup", initCgroup.toString());
    return CgroupLayout.detect(root);
  }
}
