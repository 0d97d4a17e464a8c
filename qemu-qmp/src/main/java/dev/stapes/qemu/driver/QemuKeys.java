package dev.stapes.qemu.driver;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigType;
import java.util.List;

/**
 * The config keys that only virtual machines have. Names and meanings are Incus's, but for those
 * that begin with {@code qemu.}, which Incus has nothing for.
 */
final class QemuKeys {
  /** Only what is signed boots. */
  static final ConfigKey<Boolean> SECUREBOOT =
      ConfigKey.of(
          "security.secureboot",
          ConfigType.BOOL,
          "true",
          false,
          "Whether UEFI starts only what is signed with a key that it knows");

  /** The firmware of old. */
  static final ConfigKey<Boolean> CSM =
      ConfigKey.of(
          "security.csm",
          ConfigType.BOOL,
          "false",
          false,
          "Boot with a BIOS instead of UEFI; needs security.secureboot=false");

  /** Huge pages. */
  static final ConfigKey<Boolean> HUGEPAGES =
      ConfigKey.of(
          "limits.memory.hugepages",
          ConfigType.BOOL,
          "false",
          false,
          "Whether its memory is made of huge pages");

  /** Arguments for QEMU. */
  static final ConfigKey<String> RAW_QEMU =
      ConfigKey.of("raw.qemu", ConfigType.BLOB, false, "Arguments to add to QEMU's command line");

  /** Which board. */
  static final ConfigKey<String> MACHINE =
      ConfigKey.of(
          "qemu.machine",
          ConfigType.oneOf("q35", "microvm"),
          "q35",
          false,
          "Machine type: q35, or microvm, which boots a kernel directly and has no hotplug");

  /** What executes its instructions. */
  static final ConfigKey<String> ACCELERATOR =
      ConfigKey.of(
          "qemu.accelerator",
          ConfigType.oneOf("auto", "kvm", "tcg"),
          "auto",
          false,
          "kvm, tcg (emulation), or auto: kvm where it was seen to work, else tcg");

  /** Which CPU it sees. */
  static final ConfigKey<String> CPU =
      ConfigKey.of(
          "qemu.cpu",
          ConfigType.STRING,
          false,
          "CPU model as QEMU names it; by default the host's with kvm, and all that can be "
              + "emulated with tcg");

  /** How it sees its processors. */
  static final ConfigKey<String> CPU_TOPOLOGY =
      ConfigKey.of(
          "qemu.cpu_topology",
          ConfigType.STRING,
          false,
          "sockets=S,cores=C,threads=T: how its guest sees the processors that it can have at most,"
              + " of which limits.cpu says how many it has; by default that of the pinned CPUs of"
              + " the host, and for a number one socket of cores");

  /** A kernel of the host. */
  static final ConfigKey<String> KERNEL =
      ConfigKey.of(
          "qemu.kernel",
          ConfigType.STRING,
          false,
          "Path of a kernel on the host that is booted directly, without firmware");

  /** Its initramfs. */
  static final ConfigKey<String> INITRD =
      ConfigKey.of("qemu.initrd", ConfigType.STRING, false, "Path of the initramfs of qemu.kernel");

  /** What it is told. */
  static final ConfigKey<String> KERNEL_ARGUMENTS =
      ConfigKey.of(
          "qemu.kernel_arguments", ConfigType.STRING, "", false, "Arguments of qemu.kernel");

  /** Graphics. */
  static final ConfigKey<String> DISPLAY =
      ConfigKey.of(
          "qemu.display",
          ConfigType.oneOf("none", "vnc", "spice"),
          "none",
          false,
          "Whether it has a display, which VNC or SPICE shows on a socket of its own");

  /** What draws it. */
  static final ConfigKey<String> GPU =
      ConfigKey.of(
          "qemu.gpu",
          ConfigType.oneOf("vga", "virtio"),
          "vga",
          false,
          "What draws its display: vga, which every guest knows, or virtio (virtio-gpu), which is a"
              + " VGA until its guest has the driver");

  /** Who sees that it hangs. */
  static final ConfigKey<String> WATCHDOG =
      ConfigKey.of(
          "qemu.watchdog",
          ConfigType.oneOf("none", "reset", "shutdown", "poweroff", "pause"),
          "none",
          false,
          "What a watchdog (i6300esb) does with a guest that has opened it and feeds it no more;"
              + " none: it has no watchdog");

  /** Memory in files. */
  static final ConfigKey<Boolean> MIGRATION_STATEFUL =
      ConfigKey.of(
          "migration.stateful",
          ConfigType.BOOL,
          "false",
          true,
          "Whether it may be stopped and snapshotted with its memory");

  /** All of them. */
  static final List<ConfigKey<?>> ALL =
      List.of(
          SECUREBOOT,
          CSM,
          HUGEPAGES,
          RAW_QEMU,
          MACHINE,
          ACCELERATOR,
          CPU,
          CPU_TOPOLOGY,
          KERNEL,
          INITRD,
          KERNEL_ARGUMENTS,
          DISPLAY,
          GPU,
          WATCHDOG,
          MIGRATION_STATEFUL);

  private QemuKeys() {}
}
