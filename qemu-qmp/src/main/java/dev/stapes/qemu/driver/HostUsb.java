package dev.stapes.qemu.driver;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * USB devices of the host.
 *
 * @param sys where sysfs is
 * @param dev where the nodes of devices are
 */
record HostUsb(Path sys, Path dev) {
  /**
   * The nodes of all that have what is asked for.
   *
   * @param wanted values by Incus's keys
   */
  List<Path> find(Map<String, String> wanted) {
    return HostSysfs.children(sys.resolve("bus/usb/devices"), "[0-9]+-[0-9.]+").stream()
        .filter(device -> has(device, wanted))
        .map(this::node)
        .toList();
  }

  private static boolean has(Path device, Map<String, String> wanted) {
    return wanted.entrySet().stream()
        .allMatch(
            each ->
                switch (each.getKey()) {
                  case "vendorid" -> is(device, "idVendor", each.getValue());
                  case "productid" -> is(device, "idProduct", each.getValue());
                  case "serial" -> text(device, "serial").equals(each.getValue());
                  default -> is(device, each.getKey(), each.getValue());
                });
  }

  private static boolean is(Path device, String file, String value) {
    return text(device, file).equalsIgnoreCase(value);
  }

  private static String text(Path device, String file) {
    return HostSysfs.text(device.resolve(file));
  }

  private Path node(Path device) {
    return dev.resolve("bus/usb").resolve(part(device, "busnum")).resolve(part(device, "devnum"));
  }

  private static String part(Path device, String file) {
    return String.format(Locale.ROOT, "%3s", text(device, file)).replace(' ', '0');
  }
}
