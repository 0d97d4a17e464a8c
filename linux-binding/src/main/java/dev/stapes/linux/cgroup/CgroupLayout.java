package dev.stapes.linux.cgroup;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * Which cgroup hierarchies a machine has and what is on each. Immutable; what is mounted later is
 * not seen.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/cgroups.7.html">cgroups(7)</a>
 */
public final class CgroupLayout {

  /** How the machine is set up. */
  public enum Kind {
    /** No cgroup file system is mounted. */
    NONE,
    /** v1 hierarchies alone. */
    V1,
    /** The unified hierarchy alone. */
    V2,
    /** v1 hierarchies, and a unified one beside them, often without controllers. */
    HYBRID
  }

  private final Path hostRoot;
  private final Kind kind;
  private final List<Hierarchy> hierarchies;

  /** Files that new groups have: the kernel does not change its mind. */
  private final Set<Path> known = ConcurrentHashMap.newKeySet();

  private CgroupLayout(Path hostRoot, List<Hierarchy> hierarchies) {
    this.hostRoot = hostRoot;
    this.hierarchies = List.copyOf(hierarchies);
    boolean v1 = hierarchies.stream().anyMatch(hierarchy -> !hierarchy.isV2());
    boolean v2 = hierarchies.stream().anyMatch(Hierarchy::isV2);
    this.kind = v1 ? (v2 ? Kind.HYBRID : Kind.V1) : v2 ? Kind.V2 : Kind.NONE;
  }

  /**
   * Detects the layout of this machine.
   *
   * @throws CgroupException if /proc cannot be read
   */
  public static CgroupLayout detect() {
    return detect(Path.of("/"));
  }

  /**
   * Detects the layout of the machine whose root directory is {@code hostRoot}, by its {@code
   * proc/self/mountinfo} and {@code proc/1/cgroup}.
   *
   * @throws CgroupException if they cannot be read
   */
  public static CgroupLayout detect(Path hostRoot) {
    return detect(
        hostRoot, hostRoot.resolve("proc/self/mountinfo"), hostRoot.resolve("proc/1/cgroup"));
  }

  /**
   * Detects the layout from these files, with the mount points below {@code hostRoot}.
   *
   * @param mountinfo in the format of {@code /proc/self/mountinfo}
   * @param initCgroup in the format of {@code /proc/1/cgroup}: new groups are made beside the
   *     groups it names
   * @throws CgroupException if a file cannot be read
   */
  public static CgroupLayout detect(Path hostRoot, Path mountinfo, Path initCgroup) {
    Map<Set<String>, String> groups = MountTable.parseProcCgroup(CgroupFiles.read(initCgroup));
    List<Hierarchy> hierarchies = new ArrayList<>();
    for (MountTable.Mount mount : MountTable.parseMountinfo(CgroupFiles.read(mountinfo))) {
      hierarchies.add(hierarchy(hostRoot, mount, groups.getOrDefault(mount.identity(), "/")));
    }
    return new CgroupLayout(hostRoot, hierarchies);
  }

  private static Hierarchy hierarchy(Path hostRoot, MountTable.Mount mount, String initGroup) {
    Path mountPoint = hostRoot.resolve(mount.mountPoint().substring(1));
    Path base = mountPoint.resolve(relative(mount.root(), initGroup));
    EnumSet<Controller> controllers = EnumSet.noneOf(Controller.class);
    String name = "";
    if (mount.v2()) {
      String listed = CgroupFiles.readIfThere(base.resolve("cgroup.controllers")).orElse("");
      for (String controller : listed.split("\\s+")) {
        Controller.ofV2(controller).ifPresent(controllers::add);
      }
    } else {
      for (String option : mount.options()) {
        Controller.ofV1(option).ifPresent(controllers::add);
        name = option.startsWith("name=") ? option.substring("name=".length()) : name;
      }
    }
    return new Hierarchy(
        mount.v2() ? Hierarchy.Version.V2 : Hierarchy.Version.V1,
        mountPoint,
        base,
        controllers,
        name,
        mount.options().contains("favordynmods"));
  }

  /**
   * Returns the group that new ones are made in, relative to the mount. liblxc leaves out
   * init.scope likewise.
   */
  private static String relative(String root, String initGroup) {
    String group = initGroup;
    if (!root.equals("/") && (group.equals(root) || group.startsWith(root + "/"))) {
      group = group.substring(root.length());
    }
    if (group.equals("/init.scope") || group.endsWith("/init.scope")) {
      group = group.substring(0, group.length() - "/init.scope".length());
    }
    // "/../x" is a group outside of this cgroup namespace: nothing can be made there.
    return group.isEmpty() || group.startsWith("/..") ? "" : group.substring(1);
  }

  /** Returns how the machine is set up. */
  public Kind kind() {
    return kind;
  }

  /** Returns all hierarchies, in the order in which they are mounted. */
  public List<Hierarchy> hierarchies() {
    return hierarchies;
  }

  /** Returns the unified hierarchy, if it is mounted. */
  public Optional<Hierarchy> unified() {
    return hierarchies.stream().filter(Hierarchy::isV2).findFirst();
  }

  /**
   * Returns the hierarchy that a controller lives on; nothing where the machine does not have it.
   * What v1 has as controllers and v2 has in its core, {@link Controller#CPUACCT} and {@link
   * Controller#FREEZER}, is on the unified hierarchy if not on v1.
   */
  public Optional<Hierarchy> hierarchy(Controller controller) {
    Optional<Hierarchy> holder =
        hierarchies.stream().filter(each -> each.controllers().contains(controller)).findFirst();
    boolean core = controller == Controller.CPUACCT || controller == Controller.FREEZER;
    return holder.isEmpty() && core ? unified() : holder;
  }

  /**
   * Returns the group of this name, whether it exists or not.
   *
   * @param name relative, such as {@code lxc.payload.web} or {@code shop/web}
   * @throws IllegalArgumentException if it is empty, absolute, or has an empty, {@code .} or {@code
   *     ..} part
   */
  public Cgroup group(String name) {
    return new Cgroup(this, name);
  }

  /**
   * Returns the groups directly in the base whose names start with {@code prefix}, in any
   * hierarchy, sorted.
   */
  public List<String> groups(String prefix) {
    TreeSet<String> names = new TreeSet<>();
    for (Hierarchy hierarchy : hierarchies) {
      for (Path child : CgroupFiles.children(hierarchy.base())) {
        String name = child.getFileName().toString();
        if (name.startsWith(prefix)) {
          names.add(name);
        }
      }
    }
    return List.copyOf(names);
  }

  /**
   * Returns limits as items of an LXC configuration, with the keys that liblxc heeds on this
   * layout: {@code lxc.cgroup.*} where the controllers are on v1, {@code lxc.cgroup2.*} on pure v2.
   * Device rules are among them on v2 too: liblxc makes a BPF program of them. What is only cleared
   * gives no item.
   */
  public LxcCgroupConfig lxcConfig(CgroupLimits limits) {
    LimitPlan plan = LimitTranslation.translate(new NewGroupView(this, hostRoot), limits);
    List<LxcCgroupConfig.Item> items = new ArrayList<>();
    for (Setting setting : plan.settings()) {
      String prefix = setting.hierarchy().isV2() ? "lxc.cgroup2." : "lxc.cgroup.";
      items.add(new LxcCgroupConfig.Item(prefix + setting.file(), setting.value()));
    }
    return new LxcCgroupConfig(items, plan.unsupported());
  }

  /** Whether new groups have a file, looked up until it was seen. */
  boolean knows(Path file, BooleanSupplier look) {
    if (known.contains(file)) {
      return true;
    }
    boolean seen = look.getAsBoolean();
    if (seen) {
      known.add(file);
    }
    return seen;
  }

  /** Returns the kind and where each controller is, for people and logs. */
  @Override
  public String toString() {
    return kind + " " + hierarchies;
  }
}
