package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.DeviceRule;
import dev.stapes.linux.cgroup.LxcCgroupConfig;
import dev.stapes.lxc.ContainerConfig;
import dev.stapes.lxc.LxcConfig;
import dev.stapes.lxc.MountEntry;
import dev.stapes.lxc.RawLxc;
import dev.stapes.lxc.SeccompPolicy;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.ShellWords;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What an instance's spec means for liblxc. */
final class ContainerPlan {
  private static final long CONSOLE_SIZE = 1 << 20;
  static final String ENVIRONMENT = "environment.";
  private static final String BLANK = "blank";
  private static final String RLIMITS = "limits.kernel.";

  /** Devices that every container may use; making nodes is allowed, using others is not. */
  private static final List<DeviceRule> DEVICES =
      List.of(
          DeviceRule.DENY_ALL,
          new DeviceRule(true, 'c', null, null, "m"),
          new DeviceRule(true, 'b', null, null, "m"),
          DeviceRule.allowChar(1, 3, "rwm"), // null
          DeviceRule.allowChar(1, 5, "rwm"), // zero
          DeviceRule.allowChar(1, 7, "rwm"), // full
          DeviceRule.allowChar(1, 8, "rwm"), // random
          DeviceRule.allowChar(1, 9, "rwm"), // urandom
          DeviceRule.allowChar(5, 0, "rwm"), // tty
          DeviceRule.allowChar(5, 1, "rwm"), // console
          DeviceRule.allowChar(5, 2, "rwm"), // ptmx
          new DeviceRule(true, 'c', 136, null, "rwm"), // pts
          DeviceRule.allowChar(10, 200, "rwm"), // tun
          DeviceRule.allowChar(10, 229, "rwm")); // fuse

  private final Machine.Spec spec;
  private final Optional<IdMapping> mapping;
  private final RunFiles files;
  private final Path busybox;
  private final Optional<Path> init;
  private final UnaryOperator<Path> local;

  /**
   * Prepares.
   *
   * @param busybox the host's
   * @param init the host's tini, for an {@link Application}
   * @param local makes paths of the host's mount namespace ones of this JVM's
   */
  ContainerPlan(
      Machine.Spec spec,
      Optional<IdMapping> mapping,
      RunFiles files,
      Path busybox,
      Optional<Path> init,
      UnaryOperator<Path> local) {
    this.spec = spec;
    this.mapping = mapping;
    this.files = files;
    this.busybox = busybox;
    this.init = init;
    this.local = local;
  }

  /** Checks all that can be checked without the machine. */
  static void validate(Machine.Spec spec) {
    seccomp(spec.config());
    Application.validate(spec.config());
    spec.config().get(LxcKeys.RAW_LXC).ifPresent(RawLxc::parse);
    LimitReader.cpus(spec.config());
    spec.config().family(RLIMITS).forEach(ContainerPlan::validateLimit);
    requireUsual("root disk of instance " + spec.name(), spec.root().io());
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Disk disk) {
                requireUsual("device " + name, disk.io());
              }
              String path = path(device);
              if (path.equals("/dev")
                  || (path + "/").startsWith("/" + AgentDirectory.INSIDE + "/")) {
                throw StapesException.invalid(
                    "device " + name, "would hide what the driver needs: \"" + path + "\"");
              }
              if (device instanceof Device.Raw || device instanceof Device.Tpm) {
                throw new StapesException(
                    StapesException.Kind.UNSUPPORTED,
                    "device " + name,
                    "containers have no devices of type \"" + device.type() + "\"");
              }
            });
  }

  private static void requireUsual(String subject, Device.DiskIo io) {
    if (!io.equals(Device.DiskIo.USUAL)) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          subject,
          "io.bus and io.cache are for virtual machines: a container has no disks, but mounts");
    }
  }

  private static void validateLimit(String resource, String value) {
    if (!ContainerConfig.isResource(resource)) {
      throw StapesException.invalid(
          "config key " + RLIMITS + resource, "no resource of setrlimit(2): \"" + resource + "\"");
    }
    InstanceKeys.LIMITS_KERNEL.parse(value);
  }

  private static String path(Device device) {
    if (device instanceof Device.Disk disk) {
      return disk.path();
    }
    return device instanceof Device.UnixChar node ? node.path() : "";
  }

  /** The system calls that an instance may use. */
  static SeccompPolicy seccomp(Config config) {
    Optional<String> raw = config.get(LxcKeys.RAW_SECCOMP);
    if (raw.isPresent()) {
      return SeccompPolicy.raw(raw.get());
    }
    Optional<String> allow = config.get(LxcKeys.ALLOW);
    if (allow.isPresent()) {
      return SeccompPolicy.allow(lines(allow.get()));
    }
    boolean standard = config.isTrue(LxcKeys.DENY_DEFAULT);
    SeccompPolicy policy = SeccompPolicy.deny(standard, lines(config.get(LxcKeys.DENY).orElse("")));
    return standard && !config.isTrue(LxcKeys.NESTING) ? policy.withoutSubvolumes() : policy;
  }

  private static List<String> lines(String text) {
    return text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
  }

  /**
   * The rules for devices, with those of the instance's own.
   *
   * @param nodes numbers of its character devices, by device name
   */
  static List<DeviceRule> deviceRules(Map<String, CharacterDevices.Node> nodes) {
    List<DeviceRule> rules = new ArrayList<>(DEVICES);
    nodes
        .values()
        .forEach(node -> rules.add(DeviceRule.allowChar(node.major(), node.minor(), "rwm")));
    return rules;
  }

  /** Limits with rules for devices. */
  static CgroupLimits withDevices(CgroupLimits limits, List<DeviceRule> rules) {
    return new CgroupLimits(
        limits.cpus(),
        limits.memoryNodes(),
        limits.cpu(),
        limits.memoryHard(),
        limits.memorySoft(),
        limits.swap(),
        limits.swappiness(),
        limits.processes(),
        limits.ioWeight(),
        limits.ioThrottles(),
        limits.hugePages(),
        rules,
        limits.cleared());
  }

  /**
   * The configuration.
   *
   * @param layout where the limits go
   * @param limits with rules for devices
   * @param systemd whether the image's init is systemd, which wants to see cgroups on v1
   * @param nodes its character devices, by device name
   */
  LxcConfig config(
      CgroupLayout layout,
      CgroupLimits limits,
      boolean systemd,
      Map<String, CharacterDevices.Node> nodes) {
    ContainerConfig.Builder config = ContainerConfig.of(spec.name(), spec.root().path());
    mapping.ifPresent(map -> config.idMapping(map, spec.root().mapped().isEmpty()));
    boolean early = AgentDirectory.mayComeLate(spec.lifetime());
    Map<String, String> variables = variables();
    config.init(AgentDirectory.boot(early, variables.keySet()).toArray(new String[0]));
    variables.forEach(config::environment);
    return common(config, layout, limits, systemd, nodes);
  }

  /**
   * That of a container like this one without what is the instance's alone: its root file system,
   * name, devices, limits and variables.
   *
   * @param limits the rules for devices
   */
  LxcConfig blank(CgroupLayout layout, CgroupLimits limits, boolean systemd) {
    ContainerConfig.Builder config = ContainerConfig.of(BLANK, files.blank());
    mapping.ifPresent(map -> config.idMapping(map, false));
    config.init(AgentDirectory.waiting().toArray(new String[0]));
    return common(config, layout, limits, systemd, Map.of());
  }

  /** What is put into its environment. */
  Map<String, String> variables() {
    return spec.config().family(ENVIRONMENT);
  }

  private LxcConfig common(
      ContainerConfig.Builder config,
      CgroupLayout layout,
      CgroupLimits limits,
      boolean systemd,
      Map<String, CharacterDevices.Node> nodes) {
    boolean force = systemd && layout.kind() != CgroupLayout.Kind.V2;
    config.automaticMounts("proc:mixed sys:mixed cgroup:mixed" + (force ? ":force" : ""));
    mounts(config);
    devices(config, nodes);
    config.seccomp(files.seccomp());
    config.cgroupNames(files.name());
    LxcCgroupConfig items = layout.lxcConfig(limits);
    if (!items.unsupported().isEmpty()) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          "instance " + spec.name(),
          "this machine does not have the limits: " + items.unsupported());
    }
    items.items().forEach(item -> config.cgroup(item.key(), item.value()));
    spec.config().family(RLIMITS).forEach(config::rlimit);
    config.stopHook(ShellWords.quote(List.of(busybox.toString(), "sh", files.hook().toString())));
    config.console(files.console(), CONSOLE_SIZE);
    // With what it says at INFO its end can be told, see RunFiles#exitCode.
    config.log(files.log(), init.isPresent() ? "INFO" : "WARN");
    spec.config().get(LxcKeys.RAW_LXC).ifPresent(text -> config.raw(RawLxc.parse(text)));
    return config.build();
  }

  /** What the monitor runs at the end: liblxc would start a rebooting container by itself. */
  String hookText() {
    return "[ \"$LXC_TARGET\" = reboot ] || exit 0\n: >"
        + ShellWords.quote(files.reboot().toString())
        + "\nkill -KILL \"$PPID\"\n";
  }

  private void mounts(ContainerConfig.Builder config) {
    config.mount(
        new MountEntry(
            "tmpfs",
            "dev/shm",
            "tmpfs",
            List.of("rw", "nosuid", "nodev", "mode=1777", "create=dir")));
    config.mount(
        new MountEntry(
            "mqueue", "dev/mqueue", "mqueue", List.of("rw", "relatime", "create=dir", "optional")));
    config.mount(MountEntry.bind("/dev/fuse", "dev/fuse", "create=file", "optional"));
    config.mount(MountEntry.bind("/dev/net/tun", "dev/net/tun", "create=file", "optional"));
    config.mount(
        MountEntry.bind("/sys/fs/fuse/connections", "sys/fs/fuse/connections", "optional"));
    config.mount(
        new MountEntry(
            "/sys/kernel/debug", "sys/kernel/debug", "none", List.of("rbind", "optional")));
    if (spec.config().isTrue(LxcKeys.NESTING)) {
      config.mount(
          new MountEntry("proc", "dev/.lxc/proc", "proc", List.of("create=dir", "optional")));
      config.mount(
          new MountEntry("sys", "dev/.lxc/sys", "sysfs", List.of("create=dir", "optional")));
    }
    config.mount(
        MountEntry.bind(
            files.agent().toString(),
            AgentDirectory.INSIDE,
            "ro",
            "nosuid",
            "nodev",
            "create=dir"));
    config.mount(
        MountEntry.bind(
            busybox.toString(), AgentDirectory.INSIDE + "/busybox", "ro", "nosuid", "nodev"));
    init.ifPresent(
        program ->
            config.mount(
                MountEntry.bind(program.toString(), Application.INIT, "ro", "nosuid", "nodev")));
  }

  private void devices(ContainerConfig.Builder config, Map<String, CharacterDevices.Node> nodes) {
    int nics = 0;
    for (Map.Entry<String, Device> entry : spec.devices().entrySet()) {
      String name = entry.getKey();
      if (entry.getValue() instanceof Device.Disk disk && !disk.isRoot()) {
        Machine.Disk attached = spec.disks().get(name);
        if (attached != null) {
          config.mount(disk(disk, attached));
        }
      } else if (entry.getValue() instanceof Device.Nic nic) {
        String inside = nic.name().orElse("eth" + nics);
        nics++;
        config.net(new ContainerConfig.Net.Veth(inside, nic.hostName(), nic.address(), nic.mtu()));
      } else if (entry.getValue() instanceof Device.UnixChar device) {
        CharacterDevices.Node node = nodes.get(name);
        if (node != null) {
          config.mount(
              MountEntry.bind(node.path().toString(), device.path().substring(1), "create=file"));
        }
      }
    }
  }

  private MountEntry disk(Device.Disk disk, Machine.Disk attached) {
    List<String> options = new ArrayList<>();
    options.add(disk.recursive() ? "rbind" : "bind");
    if (disk.readOnly()) {
      options.add("ro");
    }
    if (mapping.isPresent() && attached.mapped().isEmpty()) {
      options.add("idmap=container");
    }
    options.add(Files.isDirectory(local.apply(attached.path())) ? "create=dir" : "create=file");
    return new MountEntry(attached.path().toString(), disk.path().substring(1), "none", options);
  }
}
