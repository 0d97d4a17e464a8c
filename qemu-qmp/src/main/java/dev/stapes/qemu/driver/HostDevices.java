package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Devices of the host that somebody wants in a virtual machine: {@code pci}, {@code usb} and {@code
 * gpu}, with Incus's keys. None is passed through yet; what is said is what is wrong with the keys,
 * then what the host lacks.
 */
final class HostDevices {
  private static final Set<String> TYPES = Set.of("pci", "usb", "gpu");
  private static final Set<String> OF_CONTAINERS = Set.of("uid", "gid", "mode");
  private static final Pattern ADDRESS =
      Pattern.compile("([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\\.[0-7]");
  private static final Predicate<String> HEX = matching("[0-9a-fA-F]{4}");
  private static final Predicate<String> FLAG = matching("(?i)(true|false|1|0|yes|no|on|off)");
  private static final Predicate<String> NUMBER = matching("[1-9]\\d{0,2}");

  private static final Map<String, Predicate<String>> PCI_KEYS =
      Map.of("address", ADDRESS.asMatchPredicate(), "firmware", FLAG);

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
   * Why a machine cannot have one: INVALID where its keys are wrong, else UNSUPPORTED with what is
   * missing.
   *
   * @param name of the device
   */
  StapesException refusal(String name, Device device) {
    String subject = "device " + name;
    SortedMap<String, String> values = new TreeMap<>(device.toConfig());
    values.remove("type");
    values.values().removeIf(String::isEmpty);
    String why =
        switch (device.type()) {
          case "pci" -> pci(subject, values);
          case "usb" -> usb(subject, values);
          default -> gpu(subject, values);
        };
    return new StapesException(Kind.UNSUPPORTED, subject, why);
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

  private String pci(String subject, SortedMap<String, String> values) {
    check(subject, values, PCI_KEYS);
    return pci(need(subject, values, "address"));
  }

  private String pci(String wanted) {
    String text = wanted.toLowerCase(Locale.ROOT);
    String address = text.indexOf(':') == text.lastIndexOf(':') ? "0000:" + text : text;
    Path device = sys.resolve("bus/pci/devices").resolve(address);
    if (!Files.exists(device)) {
      return "the host has no PCI device \"" + address + "\"";
    }
    if (!Files.exists(device.resolve("iommu_group"))) {
      return "the host has no IOMMU for \""
          + address
          + "\", which VFIO needs: it is switched on in its firmware, and with intel_iommu=on or"
          + " amd_iommu=on among the arguments of its kernel";
    }
    return notPassed(address);
  }

  private static String notPassed(String what) {
    return "the host has it, and devices of the host are not passed through yet: \"" + what + "\"";
  }

  private String usb(String subject, SortedMap<String, String> values) {
    check(subject, values, USB_KEYS);
    SortedMap<String, String> wanted = new TreeMap<>(values);
    wanted.remove("required");
    wanted.remove("attached");
    if (wanted.isEmpty()) {
      throw StapesException.invalid(
          subject, "needs one of vendorid, productid, serial, busnum and devnum");
    }
    List<Path> all = children(sys.resolve("bus/usb/devices"), "[0-9]+-[0-9.]+");
    return all.stream()
        .filter(device -> isUsb(device, wanted))
        .findFirst()
        .map(found -> notPassed(name(found)))
        .orElse("no USB device of the host has " + wanted);
  }

  private static boolean isUsb(Path device, Map<String, String> wanted) {
    return wanted.entrySet().stream()
        .allMatch(
            each -> {
              String file =
                  switch (each.getKey()) {
                    case "vendorid" -> "idVendor";
                    case "productid" -> "idProduct";
                    default -> each.getKey();
                  };
              return each.getKey().equals("serial")
                  ? text(device.resolve(file)).equals(each.getValue())
                  : text(device.resolve(file)).equalsIgnoreCase(each.getValue());
            });
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
      return pci(address);
    }
    if (values.containsKey("id")) {
      List.of("vendorid", "productid").forEach(key -> refuse(subject, values, key, "id"));
    }
    List<Path> cards = children(sys.resolve("class/drm"), "card[0-9]+");
    List<Path> found = cards.stream().filter(card -> isGpu(card, values)).toList();
    if (found.size() == 1) {
      return notPassed(name(found.get(0)));
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
    return isSame(values.get("id"), name(card).substring("card".length()))
        && isSame(values.get("vendorid"), hex(card.resolve("device/vendor")))
        && isSame(values.get("productid"), hex(card.resolve("device/device")));
  }

  private static boolean isSame(@Nullable String wanted, String found) {
    return wanted == null || wanted.equalsIgnoreCase(found);
  }

  private static String hex(Path file) {
    return text(file).replaceFirst("^0x", "");
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  /** The content of a small file; empty where there is none. */
  private static String text(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return "";
    }
  }

  private static List<Path> children(Path directory, String pattern) {
    Predicate<String> wanted = matching(pattern);
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      all.forEach(
          each -> {
            if (wanted.test(name(each))) {
              found.add(each);
            }
          });
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of(); // the kernel has nothing of that kind
    } catch (IOException e) {
      throw IoFailure.of("host", directory.toString(), e);
    }
    found.sort(null);
    return found;
  }
}
