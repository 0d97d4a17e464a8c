package dev.stapes.linux.cgroup;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A group that liblxc is yet to make. Which files it will have is seen on a group that exists
 * already, and where there is none, on signs in the root group: a root group lacks most of the
 * files.
 */
final class NewGroupView implements GroupView {
  private static final Pattern HUGE_PAGES =
      Pattern.compile("hugetlb\\.(\\d+)([KMG])B(\\.rsvd)?\\.(max|limit_in_bytes)");
  private static final Map<String, Long> KIBIBYTES = Map.of("K", 1L, "M", 1L << 10, "G", 1L << 20);

  private final CgroupLayout layout;
  private final Path hostRoot;

  NewGroupView(CgroupLayout layout, Path hostRoot) {
    this.layout = layout;
    this.hostRoot = hostRoot;
  }

  @Override
  public Place place(Limit limit) {
    Controller controller = limit.controller();
    if (controller == Controller.DEVICES && layout.kind() == CgroupLayout.Kind.V2) {
      return layout.unified().map(Place::of).orElseThrow();
    }
    Optional<Hierarchy> hierarchy = layout.hierarchy(controller);
    if (hierarchy.isEmpty()) {
      return Place.none("the machine has no such controller");
    }
    if (hierarchy.get().isV2() && layout.kind() == CgroupLayout.Kind.HYBRID) {
      return Place.none("it is on v2 of a hybrid layout, where liblxc ignores lxc.cgroup2 items");
    }
    return Place.of(hierarchy.get());
  }

  @Override
  public boolean has(Hierarchy hierarchy, String file) {
    if (file.startsWith("devices.") || Files.exists(hierarchy.base().resolve(file))) {
      return true;
    }
    return layout.knows(hierarchy.base().resolve("*").resolve(file), () -> look(hierarchy, file));
  }

  private boolean look(Hierarchy hierarchy, String file) {
    String controller = file.substring(0, file.indexOf('.'));
    boolean missing = false;
    for (Path child : CgroupFiles.children(hierarchy.base())) {
      if (!hierarchy.isV2() || isOn(child, controller)) {
        if (Files.exists(child.resolve(file))) {
          return true;
        }
        // Or it is on its way out, and lacks it for that reason.
        missing |= Files.exists(child.resolve("cgroup.procs"));
      }
    }
    return !missing && expected(hierarchy, file);
  }

  private static boolean isOn(Path group, String controller) {
    String listed = CgroupFiles.readIfThere(group.resolve("cgroup.controllers")).orElse("");
    return List.of(listed.split("\\s+")).contains(controller);
  }

  /**
   * Tells whether a first group will have the file. What is not optional in the kernel comes with
   * its controller.
   */
  private boolean expected(Hierarchy hierarchy, String file) {
    Matcher pages = HUGE_PAGES.matcher(file);
    if (pages.matches()) {
      long size =
          Long.parseLong(pages.group(1)) * KIBIBYTES.getOrDefault(pages.group(2), Long.MAX_VALUE);
      // Counting reservations is younger than v1 and nearly as old as hugetlb on v2.
      return (pages.group(3) == null || hierarchy.isV2())
          && Files.exists(hostRoot.resolve("sys/kernel/mm/hugepages/hugepages-" + size + "kB"));
    }
    Path base = hierarchy.base();
    return switch (file) {
      case "memory.swap.max" -> Files.exists(hostRoot.resolve("proc/swaps"));
      case "io.weight" -> Files.exists(base.resolve("io.cost.qos"));
      case "blkio.bfq.weight" -> Files.exists(base.resolve("blkio.bfq.io_service_bytes"));
      case "blkio.weight", "io.bfq.weight", "memory.memsw.limit_in_bytes" -> false;
      case "cpu.cfs_period_us", "cpu.cfs_quota_us" -> false;
      default -> hierarchy.isV2() || !file.startsWith("blkio.throttle.");
    };
  }

  @Override
  public Optional<String> read(Hierarchy hierarchy, String file) {
    return Optional.empty();
  }

  @Override
  public Optional<String> readParent(Hierarchy hierarchy, String file) {
    return CgroupFiles.readIfThere(hierarchy.base().resolve(file));
  }

  @Override
  public boolean running() {
    return false;
  }

  @Override
  public List<String> descendants(Hierarchy hierarchy) {
    return List.of();
  }

  @Override
  public GroupView descendant(String name) {
    throw new IllegalStateException("a new group has no group \"" + name + "\" within");
  }

  @Override
  public Setting setting(Limit limit, Hierarchy hierarchy, String file, String value) {
    return new Setting(limit, hierarchy, hierarchy.base(), file, value);
  }
}
