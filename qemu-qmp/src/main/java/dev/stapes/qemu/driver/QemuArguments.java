package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The command line of QEMU for a virtual machine, qemu(1). Paths of sockets are relative to the
 * directory in which it is started.
 */
final class QemuArguments {
  /** Node of the root disk, that devices use. */
  static final String ROOT_NODE = "root";

  /** Device of the root disk. */
  static final String ROOT_DEVICE = "dev-root";

  /** The port of the guest agent, as QEMU knows it. */
  static final String AGENT_DEVICE = "agent0";

  /** Name of the guest agent's port, as guests look for it. */
  private static final String AGENT_PORT = "org.qemu.guest_agent.0";

  /** Slots for what is plugged in while it runs; each costs a boot some hundredths of its time. */
  static final int FREE_SLOTS = 4;

  /** More have no place on the root bus, beside what is always there. */
  static final int MOST_SLOTS = 20;

  private static final String SEED = "seed";

  /** Behind {@code dev-}, as interfaces have their names. */
  static final List<String> OWN_NAMES = List.of("root", SEED);

  private static final String MORE_MEMORY = "memory-more";
  private static final long MEBIBYTE = 1L << 20;

  private final VmPlan plan;
  private final List<String> all = new ArrayList<>();
  private final VmRoom room;

  private QemuArguments(VmPlan plan, VmRoom room) {
    this.plan = plan;
    this.room = room;
  }

  /**
   * What QEMU is started with.
   *
   * @param name of the process
   * @param disk the root disk
   * @param firmware files of UEFI, where the plan has it
   * @param kvm whether it is not emulated
   * @param room for what it gets while it runs
   * @param limits of the root disk
   * @param consoleLog file to which the console's output is appended
   * @param seed for cloud-init, where there is one
   * @param incoming whether it waits for a state that was saved
   */
  record Start(
      String name,
      Path disk,
      UefiFiles firmware,
      boolean kvm,
      VmRoom room,
      Device.IoLimits limits,
      Path consoleLog,
      Optional<Path> seed,
      boolean incoming) {}

  /**
   * Files of UEFI.
   *
   * @param code the firmware itself
   * @param variables of this instance
   */
  record UefiFiles(Path code, Path variables) {
    /** Of a machine without UEFI. */
    static final UefiFiles NONE = new UefiFiles(Path.of("/"), Path.of("/"));
  }

  /** The arguments, without the program. */
  static List<String> of(VmPlan plan, Start start) {
    QemuArguments arguments = new QemuArguments(plan, start.room());
    arguments.general(start);
    arguments.processor(start.kvm());
    arguments.memory();
    arguments.firmware(start.firmware(), start.kvm());
    arguments.channels(start.consoleLog());
    arguments.all.addAll(RootDisk.arguments(plan, start.disk(), start.limits()));
    arguments.slots();
    arguments.watchdog();
    arguments.tpm();
    arguments.memoryDevice();
    arguments.vsock();
    start.seed().ifPresent(arguments::seed);
    if (start.incoming()) {
      arguments.add("-incoming", "defer");
    }
    arguments.all.addAll(plan.raw());
    return arguments.all;
  }

  private boolean isMicrovm() {
    return Microvm.isOne(plan);
  }

  private void general(Start start) {
    // The first is how the process is found again.
    add("-name", "guest=" + start.name() + ",debug-threads=on");
    add("-S", "-nodefaults", "-no-user-config");
    all.addAll(plan.graphics().map(VmGraphics::display).orElse(List.of("-display", "none")));
    add("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    add("-rtc", "base=utc,driftfix=" + (isMicrovm() ? "none" : "slew"));
    add("-msg", "timestamp=on");
    add("-action", "panic=none"); // its kernel knows what to do, and we hear of it
  }

  private void processor(boolean kvm) {
    String memory = "memory-backend=memory";
    add(
        "-machine",
        isMicrovm()
            ? Microvm.machine() + memory
            : "q35,vmport=off,usb=off,smm=" + (secure() ? "on," : "off,") + memory);
    add("-accel", kvm ? "kvm" : "tcg,thread=multi");
    int cpus = plan.cpuCount();
    CpuTopology most = room.cpus().processors() < cpus ? CpuTopology.ofCores(cpus) : room.cpus();
    add("-cpu", CpuModel.of(plan, most, kvm));
    add("-smp", "cpus=" + cpus + ",maxcpus=" + most.processors() + "," + most);
  }

  private void memory() {
    ObjectNode backend = object("memory-backend-memfd", "memory");
    backend.put("size", plan.memory().bytes()).put("share", true);
    if (plan.hugePages()) {
      backend.put("hugetlb", true);
    }
    add("-object", backend.toString());
    String size = "size=" + plan.memory().bytes() / MEBIBYTE + "M";
    long growth = room.growth();
    if (growth == 0) {
      add("-m", size);
      return;
    }
    add("-m", size + ",maxmem=" + (plan.memory().bytes() + growth) / MEBIBYTE + "M");
    ObjectNode more = object("memory-backend-memfd", MORE_MEMORY);
    add("-object", more.put("size", growth).put("share", true).put("reserve", false).toString());
  }

  private boolean secure() {
    return plan.firmware() instanceof Firmware.Uefi uefi && uefi.secure();
  }

  private void firmware(UefiFiles files, boolean kvm) {
    if (plan.firmware() instanceof Firmware.Kernel kernel) {
      add("-kernel", kernel.kernel().toString());
      kernel.initrd().ifPresent(initrd -> add("-initrd", initrd.toString()));
      String words = Microvm.kernelArguments(plan, kernel.arguments(), kvm);
      if (!words.isEmpty()) {
        add("-append", words);
      }
    } else if (plan.firmware() instanceof Firmware.Uefi) {
      flash("code", files.code(), true);
      flash("vars", files.variables(), false);
      add("-machine", "pflash0=code,pflash1=vars");
      if (secure()) {
        add("-global", "driver=cfi.pflash01,property=secure,value=on");
      }
    }
    if (!isMicrovm()) {
      add("-global", "ICH9-LPC.disable_s3=1"); // no guest wakes up from it
    }
  }

  private void flash(String node, Path file, boolean readOnly) {
    ObjectNode storage = JsonNodeFactory.instance.objectNode();
    storage.put("driver", "file").put("filename", file.toString());
    ObjectNode block = JsonNodeFactory.instance.objectNode();
    block.put("driver", "raw").put("node-name", node).put("read-only", readOnly);
    block.set("file", storage);
    add("-blockdev", block.toString());
  }

  private void channels(Path consoleLog) {
    socket("monitor", VmFiles.MONITOR, "");
    add("-mon", "chardev=monitor,mode=control");
    socket(
        "console", VmFiles.CONSOLE, ",logfile=" + escape(consoleLog.toString()) + ",logappend=on");
    add("-serial", "chardev:console");
    device("virtio-serial", "channels", Map.of());
    socket("agent", VmFiles.AGENT, "");
    ObjectNode port = JsonNodeFactory.instance.objectNode();
    port.put("driver", "virtserialport").put("id", AGENT_DEVICE).put("chardev", "agent");
    port.put("bus", "channels.0").put("name", AGENT_PORT);
    add("-device", port.toString());
    for (int slot = 0; slot < ExecPorts.SLOTS; slot++) {
      for (ExecPorts.Role role : ExecPorts.Role.values()) {
        execPort(slot, role);
      }
    }
    device("virtio-rng", "rng", Map.of());
    device(
        "virtio-balloon", "balloon", Map.of("deflate-on-oom", true, "free-page-reporting", true));
    if (!isMicrovm()) {
      add("-device", "{\"driver\":\"pvpanic-pci\",\"id\":\"panic\"}");
    }
    plan.graphics()
        .map(VmGraphics::device)
        .ifPresent(
            gpu ->
                add("-device", "{\"driver\":\"" + gpu + "\",\"id\":\"" + VmScreen.DEVICE + "\"}"));
  }

  private void execPort(int slot, ExecPorts.Role role) {
    String name = role.socket(slot);
    socket(role.chardev(slot), name, "");
    ObjectNode port = JsonNodeFactory.instance.objectNode();
    port.put("driver", "virtserialport").put("id", "exec-port-" + name);
    port.put("chardev", role.chardev(slot)).put("bus", "channels.0").put("name", role.port(slot));
    add("-device", port.toString());
  }

  private void socket(String id, String path, String options) {
    add("-chardev", "socket,id=" + id + ",path=" + path + ",server=on,wait=off" + options);
  }

  /** Network interfaces are plugged in before it goes, and leave as many slots free. */
  private void slots() {
    for (int i = 0; i < room.slots(); i++) {
      ObjectNode port = JsonNodeFactory.instance.objectNode();
      port.put("driver", "pcie-root-port").put("id", PciSlots.NAME + i).put("chassis", i + 1);
      add("-device", port.toString());
    }
  }

  /** It does nothing until the guest starts it. */
  private void watchdog() {
    plan.watchdog()
        .ifPresent(
            action -> {
              add("-action", "watchdog=" + action);
              add("-device", "{\"driver\":\"i6300esb\",\"id\":\"watchdog\"}");
            });
  }

  private void tpm() {
    if (plan.tpm()) {
      add("-chardev", "socket,id=tpm,path=" + TpmDaemon.SOCKET);
      add("-tpmdev", "emulator,id=tpm-emulator,chardev=tpm");
      add("-device", "{\"driver\":\"tpm-crb\",\"id\":\"tpm\",\"tpmdev\":\"tpm-emulator\"}");
    }
  }

  /** Last, so that no other device is at another place because of it. */
  private void memoryDevice() {
    if (room.growth() > 0) {
      device(
          "virtio-mem",
          VmMemory.DEVICE,
          Map.of("memdev", MORE_MEMORY, "requested-size", 0, "block-size", VmMemory.BLOCK));
    }
  }

  /** Its descriptor is that of vhost itself, not one of a file. */
  private void vsock() {
    if (room.vsock()) {
      plan.vsockId()
          .ifPresent(
              id ->
                  device(
                      "vhost-vsock",
                      Vsock.ID,
                      Map.of("guest-cid", id, "vhostfd", Integer.toString(QemuLauncher.VSOCK))));
    }
  }

  /** Behind all others, whose places are the same with and without it. */
  private void seed(Path image) {
    ObjectNode file = JsonNodeFactory.instance.objectNode();
    file.put("driver", "file").put("filename", image.toString()).put("read-only", true);
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("driver", "raw").put("node-name", SEED).put("read-only", true);
    node.set("file", file);
    add("-blockdev", node.toString());
    device("virtio-blk", "dev-" + SEED, Map.of("drive", SEED, "serial", CloudInitSeed.LABEL));
  }

  /** A device of virtio, on the bus that the board has. */
  private void device(String kind, String id, Map<String, Object> options) {
    ObjectNode device = JsonNodeFactory.instance.objectNode();
    device.put("driver", kind + (isMicrovm() ? "-device" : "-pci")).put("id", id);
    new TreeMap<>(options).forEach(device::putPOJO); // in the same order with each JVM
    add("-device", device.toString());
  }

  private static ObjectNode object(String type, String id) {
    return JsonNodeFactory.instance.objectNode().put("qom-type", type).put("id", id);
  }

  /** In an option list a comma ends an option, but two are one. */
  static String escape(String text) {
    return text.replace(",", ",,");
  }

  private void add(String... arguments) {
    all.addAll(List.of(arguments));
  }
}
