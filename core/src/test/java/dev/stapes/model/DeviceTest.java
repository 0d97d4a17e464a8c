package dev.stapes.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeviceTest {
  static List<Device> devices() {
    return List.of(
        Device.root(),
        Device.root(disk -> disk.pool("fast").size(Size.ofGibibytes(1)).limitRead("10MiB")),
        Device.disk("/data", disk -> disk.volume("default", "data").readOnly()),
        Device.disk("/mnt/host", disk -> disk.source("/srv").recursive().optional()),
        Device.disk("/io", disk -> disk.source("/srv").limitWrite("100iops")),
        Device.Nic.p2p(),
        Device.Nic.p2p().hostName("vethweb").address("00:16:3e:01:02:03"),
        Device.root(disk -> disk.bootPriority(0)),
        Device.disk("/cd", disk -> disk.source("/cd.iso").bootPriority(Integer.MAX_VALUE)),
        Device.root(disk -> disk.bus(Device.DiskIo.Bus.NVME)),
        Device.root(disk -> disk.cache(Device.DiskIo.Cache.UNSAFE)),
        Device.disk(
            "/usb",
            disk ->
                disk.source("/stick.img")
                    .bus(Device.DiskIo.Bus.USB)
                    .cache(Device.DiskIo.Cache.NONE)),
        Device.Nic.p2p().bootPriority(7),
        Device.UnixChar.of("/dev/ttyS0"),
        new Device.UnixChar("/dev/null", "/dev/nothing", 1, 2, 0600, false),
        new Device.Tpm(),
        new Device.None(),
        new Device.Raw("gpu", new TreeMap<>(Map.of("gputype", "physical", "id", "0"))));
  }

  @ParameterizedTest
  @MethodSource("devices")
  void a_device_reads_back_from_the_keys_that_it_shows(Device device) {
    assertEquals(device, Device.parse("dev0", device.toConfig()));
  }

  static List<Map<String, String>> wrong() {
    return List.of(
        Map.of(),
        Map.of("type", "disk"),
        Map.of("type", "disk", "path", "relative"),
        Map.of("type", "disk", "path", "/a/../b", "source", "/x"),
        Map.of("type", "disk", "path", "/a"),
        Map.of("type", "disk", "path", "/a", "source", "relative"),
        Map.of("type", "disk", "path", "/", "source", "/x"),
        Map.of("type", "disk", "path", "/a", "source", "/x", "size", "huge"),
        Map.of("type", "disk", "path", "/a", "source", "/x", "readonly", "maybe"),
        Map.of("type", "disk", "path", "/a", "source", "/x", "limits.read", "0"),
        Map.of("type", "disk", "path", "/a", "source", "/x", "limits.max", "4294967296iops"),
        Map.of("type", "disk", "path", "/a", "source", "/x", "color", "red"),
        Map.of("type", "disk", "path", "/", "boot.priority", "-1"),
        Map.of("type", "disk", "path", "/", "boot.priority", "first"),
        Map.of("type", "disk", "path", "/", "io.bus", "ide"),
        Map.of("type", "disk", "path", "/a", "source", "/x", "io.bus", "9p"),
        Map.of("type", "disk", "path", "/", "io.cache", "metadata"),
        Map.of("type", "nic", "nictype", "p2p", "boot.priority", "2147483648"),
        Map.of("type", "nic"),
        Map.of("type", "nic", "nictype", "token-ring"),
        Map.of("type", "nic", "nictype", "p2p", "hwaddr", "ff:ff:ff:ff:ff:ff"),
        Map.of("type", "nic", "nictype", "p2p", "hwaddr", "zz:16:3e:00:00:00"),
        Map.of("type", "nic", "nictype", "p2p", "name", "a/b"),
        Map.of("type", "nic", "nictype", "p2p", "host_name", "a-name-far-too-long"),
        Map.of("type", "nic", "nictype", "p2p", "mtu", "12"),
        Map.of("type", "unix-char"),
        Map.of("type", "unix-char", "source", "/dev/null", "mode", "9"),
        Map.of("type", "unix-char", "source", "/dev/null", "uid", "-1"),
        Map.of("type", "tpm", "path", "/dev/tpm0"),
        Map.of("type", "none", "left", "over"));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void wrong_keys_are_refused_in_the_name_of_the_device(Map<String, String> keys) {
    StapesException e = assertThrows(StapesException.class, () -> Device.parse("dev0", keys));
    assertTrue(
        e.kind() == StapesException.Kind.INVALID || e.kind() == StapesException.Kind.UNSUPPORTED,
        e.toString());
    assertEquals("device dev0", e.subject());
  }

  @Test
  void buses_and_caches_have_the_names_of_incus_and_auto_is_no_choice() {
    for (Device.DiskIo.Bus bus : Device.DiskIo.Bus.values()) {
      Device.Disk disk = Device.root(options -> options.bus(bus));
      assertEquals(bus.text(), disk.toConfig().get("io.bus"));
      assertEquals(bus.text(), bus.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    for (Device.DiskIo.Cache cache : Device.DiskIo.Cache.values()) {
      Device.Disk disk = Device.root(options -> options.cache(cache));
      assertEquals(cache.name().toLowerCase(Locale.ROOT), disk.toConfig().get("io.cache"));
    }
    assertEquals(
        Device.root(), Device.parse("root", Map.of("type", "disk", "path", "/", "io.bus", "auto")));
    assertEquals(Device.DiskIo.USUAL, Device.root().io());
  }

  @Test
  void a_type_that_is_not_modelled_is_kept_as_it_is() {
    Device device = Device.parse("dev0", Map.of("type", "proxy", "listen", "tcp:127.0.0.1:80"));
    assertEquals(
        Map.of("listen", "tcp:127.0.0.1:80"), assertInstanceOf(Device.Raw.class, device).values());
  }
}
