package dev.stapes.qemu.driver;

import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.ShellWords;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the spec of an instance means for QEMU.
 *
 * @param cpus how many, or which of the host
 * @param topology how it sees them, where somebody chose
 * @param memory a whole number of MiB
 * @param hugePages whether its memory is made of huge pages
 * @param firmware what it executes first
 * @param board QEMU's machine type, q35 or microvm
 * @param cpuModel as QEMU names it; empty: the best that the accelerator has
 * @param accelerator kvm, tcg or auto
 * @param clock of the host, of which a microvm is told
 * @param graphics its display; empty: it has none
 * @param watchdog what its watchdog does with it; empty: it has none
 * @param tpm whether it has a TPM
 * @param nics by device name; copied
 * @param slots for devices that come and go
 * @param boot from what it boots first
 * @param rootIo how it sees and uses its root disk
 * @param rootDevice whether its root disk is a block device of the host
 * @param vsockId by which the host knows its guest
 * @param raw arguments of the user; copied
 */
record VmPlan(
    CpuRequest cpus,
    Optional<CpuTopology> topology,
    Size memory,
    boolean hugePages,
    Firmware firmware,
    String board,
    Optional<String> cpuModel,
    String accelerator,
    HostClock clock,
    Optional<VmGraphics> graphics,
    Optional<String> watchdog,
    boolean tpm,
    SortedMap<String, Device.Nic> nics,
    int slots,
    BootOrder boot,
    Device.DiskIo rootIo,
    boolean rootDevice,
    OptionalLong vsockId,
    List<String> raw) {
  /** In the directory that is the root volume of a virtual machine: its disk, raw. */
  static final String DISK = Machine.Disk.IMAGE;

  /** Beside it: the variables of UEFI. */
  static final String NVRAM = "nvram.fd";

  private static final long MEBIBYTE = 1L << 20;
  private static final Size DEFAULT_MEMORY = Size.ofMebibytes(1024);
  private static final Size LEAST_MEMORY = Size.ofMebibytes(32);

  /** What a q35 can have without an IOMMU. */
  static final int MOST_CPUS = 255;

  /** More would leave no room on the first bus. */
  static final int MOST_NICS = 8;

  /** Limits that only a cgroup can hold a container to. */
  private static final List<String> OF_CONTAINERS =
      List.of(
          InstanceKeys.LIMITS_CPU_ALLOWANCE.name(),
          InstanceKeys.LIMITS_CPU_PRIORITY.name(),
          InstanceKeys.LIMITS_CPU_NODES.name(),
          InstanceKeys.LIMITS_DISK_PRIORITY.name(),
          InstanceKeys.LIMITS_MEMORY_ENFORCE.name(),
          InstanceKeys.LIMITS_MEMORY_SWAP.name(),
          InstanceKeys.LIMITS_MEMORY_SWAP_PRIORITY.name(),
          InstanceKeys.LIMITS_PROCESSES.name());

  /** Copies. */
  VmPlan {
    nics = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(nics));
    raw = List.copyOf(raw);
  }

  /**
   * Reads a spec.
   *
   * @param host memory of the host, for percentages
   * @param root where the kernel tells of the host
   * @throws StapesException INVALID or UNSUPPORTED, quoting the value
   */
  static VmPlan of(Machine.Spec spec, Size host, HostRoot root) {
    Config config = spec.config();
    refuseLimitsOfContainers(config);
    CpuRequest cpus = cpus(config);
    TreeMap<String, Device.Nic> nics = new TreeMap<>();
    spec.devices().forEach((name, device) -> add(nics, name, device, root));
    checkNics(nics, config.get(QemuKeys.MACHINE).orElseThrow());
    VmDevices.validate(spec, config.get(QemuKeys.MACHINE).orElseThrow());
    return new VmPlan(
        cpus,
        topology(config, count(cpus)),
        memory(config, host),
        config.isTrue(QemuKeys.HUGEPAGES),
        Firmware.of(config),
        config.get(QemuKeys.MACHINE).orElseThrow(),
        config.get(QemuKeys.CPU),
        config.get(QemuKeys.ACCELERATOR).orElseThrow(),
        new HostClock(root),
        VmGraphics.of(config, config.get(QemuKeys.MACHINE).orElseThrow()),
        watchdog(config),
        spec.devices().values().stream().anyMatch(each -> each instanceof Device.Tpm),
        nics,
        slots(spec, nics.size()),
        BootOrder.of(spec),
        rootIo(spec.root()),
        spec.root().device().isPresent(),
        VsockIds.of(config),
        config
            .get(QemuKeys.RAW_QEMU)
            .map(text -> words(QemuKeys.RAW_QEMU.name(), text))
            .orElse(List.of()));
  }

  /**
   * What a full pool refuses has to come back while the guest still has it. Of a file the host says
   * so with the write; of a device only when its cache is written out, and then it is lost.
   */
  private static Device.DiskIo rootIo(Machine.Disk root) {
    return root.device().isPresent() && root.io().cache().isEmpty()
        ? new Device.DiskIo(root.io().bus(), Optional.of(Device.DiskIo.Cache.NONE))
        : root.io();
  }

  private static Optional<String> watchdog(Config config) {
    String action = config.get(QemuKeys.WATCHDOG).orElseThrow();
    if (action.equals("none")) {
      return Optional.empty();
    }
    if (config.get(QemuKeys.MACHINE).orElseThrow().equals("microvm")) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          "config key " + QemuKeys.WATCHDOG.name(),
          "a machine of type microvm has no watchdog: \"" + action + "\"");
    }
    return Optional.of(action);
  }

  private static int slots(Machine.Spec spec, int nics) {
    boolean disks = spec.devices().values().stream().anyMatch(each -> each instanceof Device.Disk);
    int wanted =
        QemuArguments.FREE_SLOTS
            + nics
            + HostDevices.count(spec)
            + (disks ? VmDevices.MOST_DISKS : 0);
    return Math.min(wanted, QemuArguments.MOST_SLOTS);
  }

  private static List<String> words(String key, String text) {
    try {
      return ShellWords.split(text);
    } catch (StapesException e) {
      throw new StapesException(e.kind(), "config key " + key, String.valueOf(e.getMessage()), e);
    }
  }

  private static void refuseLimitsOfContainers(Config config) {
    for (String key : OF_CONTAINERS) {
      config
          .text(key)
          .ifPresent(
              value -> {
                throw new StapesException(
                    StapesException.Kind.UNSUPPORTED,
                    "config key " + key,
                    "a virtual machine cannot be held to it: \"" + value + "\"");
              });
    }
    config
        .family("limits.kernel.")
        .forEach(
            (name, value) -> {
              throw new StapesException(
                  StapesException.Kind.UNSUPPORTED,
                  "config key limits.kernel." + name,
                  "a virtual machine has a kernel of its own: \"" + value + "\"");
            });
  }

  private static CpuRequest cpus(Config config) {
    String text = config.get(InstanceKeys.LIMITS_CPU).orElse("1");
    CpuRequest request;
    try {
      request = CpuRequest.parse(text);
    } catch (IllegalArgumentException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "config key limits.cpu", String.valueOf(e.getMessage()), e);
    }
    if (count(request) > MOST_CPUS) {
      throw StapesException.invalid(
          "config key limits.cpu", "at most " + MOST_CPUS + " CPUs: \"" + text + "\"");
    }
    return request;
  }

  private static int count(CpuRequest request) {
    return request instanceof CpuRequest.Pinned pinned
        ? pinned.cpus().size()
        : ((CpuRequest.Count) request).count();
  }

  private static Optional<CpuTopology> topology(Config config, int cpus) {
    String key = QemuKeys.CPU_TOPOLOGY.name();
    Optional<CpuTopology> topology =
        config.get(QemuKeys.CPU_TOPOLOGY).map(text -> CpuTopology.parse(key, text));
    if (topology.isPresent() && topology.get().processors() < cpus) {
      throw StapesException.invalid(
          "config key " + key,
          "has fewer processors than limits.cpu, " + cpus + ": \"" + topology.get() + "\"");
    }
    return topology;
  }

  /** How many CPUs it sees. */
  int cpuCount() {
    return count(cpus);
  }

  private static Size memory(Config config, Size host) {
    Optional<String> text = config.get(InstanceKeys.LIMITS_MEMORY);
    long bytes =
        text.map(
                limit ->
                    limit.endsWith("%")
                        ? host.bytes()
                            / 100
                            * Integer.parseInt(limit.substring(0, limit.length() - 1))
                        : Size.parse(limit).bytes())
            .orElse(DEFAULT_MEMORY.bytes());
    if (bytes < LEAST_MEMORY.bytes()) {
      throw StapesException.invalid(
          "config key " + InstanceKeys.LIMITS_MEMORY.name(),
          "a virtual machine needs at least " + LEAST_MEMORY + ": \"" + text.orElse("") + "\"");
    }
    return new Size(bytes / MEBIBYTE * MEBIBYTE);
  }

  private static void add(
      SortedMap<String, Device.Nic> nics, String name, Device device, HostRoot root) {
    if (device instanceof Device.Nic nic) {
      nics.put(name, nic);
      return;
    }
    if (device instanceof Device.None
        || device instanceof Device.Disk
        || device instanceof Device.Tpm) {
      return;
    }
    if (HostDevices.isOne(device)) {
      new HostDevices(root.sys()).validate(name, device);
      return;
    }
    throw new StapesException(
        StapesException.Kind.UNSUPPORTED,
        "device " + name,
        "a virtual machine cannot have one of type \"" + device.type() + "\"");
  }

  private static void checkNics(SortedMap<String, Device.Nic> nics, String board) {
    nics.forEach(
        (name, nic) -> {
          if (nic.name().isPresent()) {
            throw refused(
                name, "a guest names its interfaces itself: \"" + nic.name().get() + "\"");
          }
          if (board.equals("microvm")) {
            throw refused(name, "a machine of type microvm takes no network interfaces");
          }
        });
    if (nics.size() > MOST_NICS) {
      throw refused(nics.lastKey(), "at most " + MOST_NICS + " network interfaces: " + nics.size());
    }
  }

  private static StapesException refused(String device, String why) {
    return new StapesException(StapesException.Kind.UNSUPPORTED, "device " + device, why);
  }

  /** The disk of a root volume: a file in it, or a block device beside it. */
  static Path disk(Machine.Spec spec) {
    return spec.root().image();
  }

  /** The variables of UEFI in a root volume. */
  static Path nvram(Machine.Spec spec) {
    return spec.root().path().resolve(NVRAM);
  }
}
