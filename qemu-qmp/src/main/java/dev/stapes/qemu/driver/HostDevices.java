package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Devices of the host that somebody wants in a virtual machine: {@code pci} and {@code usb}, with
 * Incus's keys. A {@code gpu} is refused, with what is wrong with its keys or what the host lacks.
 */
final class HostDevices {
  private static final Set<String> TYPES = Set.of("pci", "usb", "gpu");
  private static final Set<String> OF_CONTAINERS = Set.of("uid", "gid", "mode");
  private static final String ADDRESS_KEY = "address";
  private static final long KIBIBYTE = 1L << 10;

  /** What the registers of devices, and buffers, may take. */
  private static final long BESIDE = 1L << 30;

  private static final Pattern ADDRESS =
      Pattern.compile("([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\\.[0-7]");
  private static final Predicate<String> HEX = matching("[0-9a-fA-F]{4}");
  private static final Predicate<String> FLAG = matching("(?i)(true|false|1|0|yes|no|on|off)");
  private static final Predicate<String> NUMBER = matching("[1-9]\\d{0,2}");

  private static final Map<String, Predicate<String>> PCI_KEYS =
      Map.of(ADDRESS_KEY, ADDRESS.asMatchPredicate(), "firmware", FLAG);

  private static final Map<String, Predicate<String>> USB_KEYS =
      Map.of(
          "vendorid",
          HEX,
          "productid",
          HEX,
          "serial",
          matching("[\\x20-\\x7e]+"),
          "busnum",
          NUMBER,
          "devnum",
          NUMBER,
          "required",
          FLAG,
          "attached",
          FLAG);

  private static final Map<String, Predicate<String>> GPU_KEYS =
      Map.of(
          "gputype",
          matching("physical|mdev|sriov|native-context|mig"),
          "pci",
          ADDRESS.asMatchPredicate(),
          "id",
          matching("\\d{1,3}"),
          "vendorid",
          HEX,
          "productid",
          HEX,
          "mdev",
          matching("[A-Za-z0-9_.-]+"),
          "blob.size",
          matching("[1-9]\\d*[A-Za-z]*"));

  private final Path sys;

  /**
   * Those of a machine.
   *
   * @param sys where sysfs is
   */
  HostDevices(Path sys) {
    this.sys = sys;
  }

  private static Predicate<String> matching(String pattern) {
    return Pattern.compile(pattern).asMatchPredicate();
  }

  /** Whether a device is one of the host. */
  static boolean isOne(Device device) {
    return TYPES.contains(device.type());
  }

  /**
   * Fails where a machine cannot have one, whatever the host has by then.
   *
   * @param name of the device
   * @throws StapesException INVALID where its keys are wrong; UNSUPPORTED
   */
  void validate(String name, Device device) {
    String subject = "device " + name;
    SortedMap<String, String> values = values(device);
    switch (device.type()) {
      case "pci" -> {
        check(subject, values, PCI_KEYS);
        need(subject, values, ADDRESS_KEY);
      }
      case "usb" -> {
        check(subject, values, USB_KEYS);
        if (usbOf(device).isEmpty()) {
          throw StapesException.invalid(
              subject, "needs one of vendorid, productid, serial, busnum and devnum");
        }
      }
      default -> throw new StapesException(Kind.UNSUPPORTED, subject, gpu(subject, values));
    }
  }

  private static SortedMap<String, String> values(Device device) {
    SortedMap<String, String> values = new TreeMap<>(device.toConfig());
    values.remove("type");
    values.values().removeIf(String::isEmpty);
    return values;
  }

  /**
   * Fails where the board has no place for those of a spec.
   *
   * @param board QEMU's machine type
   * @throws StapesException UNSUPPORTED
   */
  static void requireBoard(Machine.Spec spec, String board) {
    if (board.equals("microvm")) {
      first(spec)
          .ifPresent(
              name -> {
                throw new StapesException(
                    Kind.UNSUPPORTED,
                    "device " + name,
                    "a machine of type microvm has no devices of the host");
              });
    }
  }

  /**
   * Fails where a machine has one: QEMU does not know what such a device is doing.
   *
   * @throws StapesException CONFLICT, naming it
   */
  static void requireNone(Machine.Spec spec) {
    first(spec)
        .ifPresent(
            name -> {
              throw new StapesException(
                  Kind.CONFLICT,
                  "instance " + spec.name(),
                  "its memory cannot be saved, nor can it move: device "
                      + name
                      + " is one of the host");
            });
  }

  private static Optional<String> first(Machine.Spec spec) {
    return spec.devices().entrySet().stream()
        .filter(each -> isOne(each.getValue()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** How many of them a spec has. */
  static int count(Machine.Spec spec) {
    return (int) spec.devices().values().stream().filter(HostDevices::isOne).count();
  }

  /**
   * How much memory QEMU must be allowed to lock, in KiB: with a PCI device all that the guest can
   * have, and some that is none of it.
   *
   * @param most memory of the guest, in bytes
   */
  static OptionalLong locked(Machine.Spec spec, long most) {
    boolean pci = spec.devices().values().stream().anyMatch(each -> each.type().equals("pci"));
    return pci ? OptionalLong.of((most + BESIDE) / KIBIBYTE) : OptionalLong.empty();
  }

  /** The address of a PCI device, as sysfs writes it. */
  static String address(Device device) {
    return full(values(device).getOrDefault(ADDRESS_KEY, ""));
  }

  private static String full(String wanted) {
    String text = wanted.toLowerCase(Locale.ROOT);
    return text.indexOf(':') == text.lastIndexOf(':') ? "0000:" + text : text;
  }

  /** Whether the guest sees the ROM of a PCI device. */
  static boolean hasFirmware(Device device) {
    return isTrue(values(device).getOrDefault("firmware", "true"));
  }

  /** Whether a machine does not start without a USB device. */
  static boolean isRequired(Device device) {
    return isTrue(values(device).getOrDefault("required", "false"));
  }

  private static boolean isTrue(String flag) {
    return Set.of("true", "1", "yes", "on").contains(flag.toLowerCase(Locale.ROOT));
  }

  /** What a USB device must have. */
  static SortedMap<String, String> usbOf(Device device) {
    SortedMap<String, String> wanted = values(device);
    wanted.remove("required");
    wanted.remove("attached");
    return wanted;
  }

  private static void check(
      String subject, Map<String, String> values, Map<String, Predicate<String>> keys) {
    values.forEach(
        (key, value) -> {
          Predicate<String> form = keys.get(key);
          if (form == null) {
            throw StapesException.invalid(
                subject,
                OF_CONTAINERS.contains(key)
                    ? key + " is for containers: \"" + value + "\""
                    : "unknown key \"" + key + "\"");
          }
          if (!form.test(value)) {
            throw StapesException.invalid(subject, "not a value of " + key + ": \"" + value + "\"");
          }
        });
  }

  private static String need(String subject, Map<String, String> values, String key) {
    return Optional.ofNullable(values.get(key))
        .orElseThrow(() -> StapesException.invalid(subject, "needs " + key));
  }

  private static String asPci(String what) {
    return "a virtual machine has it as a device of type pci, with its address: \"" + what + "\"";
  }

  private String gpu(String subject, SortedMap<String, String> values) {
    check(subject, values, GPU_KEYS);
    String type = values.getOrDefault("gputype", "physical");
    switch (type) {
      case "mig" -> throw StapesException.invalid(subject, "gputype mig is for containers");
      case "mdev" -> need(subject, values, "mdev");
      default -> refuse(subject, values, "mdev", "gputype " + type);
    }
    if (!type.equals("native-context")) {
      refuse(subject, values, "blob.size", "gputype " + type);
    }
    String address = values.get("pci");
    if (address != null) {
      List.of("id", "vendorid", "productid").forEach(key -> refuse(subject, values, key, "pci"));
      String full = full(address);
      return Files.exists(sys.resolve("bus/pci/devices").resolve(full))
          ? asPci(full)
          : "the host has no PCI device \"" + full + "\"";
    }
    if (values.containsKey("id")) {
      List.of("vendorid", "productid").forEach(key -> refuse(subject, values, key, "id"));
    }
    List<Path> cards = HostSysfs.children(sys.resolve("class/drm"), "card[0-9]+");
    List<Path> found = cards.stream().filter(card -> isGpu(card, values)).toList();
    if (found.size() == 1) {
      return asPci(HostSysfs.name(found.get(0)));
    }
    return found.isEmpty()
        ? "the host has no such GPU: " + values
        : "a virtual machine has one GPU by a device, and the host has more: " + found.size();
  }

  private static void refuse(
      String subject, Map<String, String> values, String key, String because) {
    if (values.containsKey(key)) {
      throw StapesException.invalid(
          subject, key + " cannot go with " + because + ": \"" + values.get(key) + "\"");
    }
  }

  private static boolean isGpu(Path card, Map<String, String> values) {
    return isSame(values.get("id"), HostSysfs.name(card).substring("card".length()))
        && isSame(values.get("vendorid"), hex(card.resolve("device/vendor")))
        && isSame(values.get("productid"), hex(card.resolve("device/device")));
  }

  private static boolean isSame(@Nullable String wanted, String found) {
    return wanted == null || wanted.equalsIgnoreCase(found);
  }

  private static String hex(Path file) {
    return HostSysfs.text(file).replaceFirst("^0x", "");
  }
}
