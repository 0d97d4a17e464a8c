package dev.stapes.qemu.driver;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.spi.Machine;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What a network interface is called by others.
 *
 * @param address its MAC address, in small letters
 * @param hostName the interface of the host that is its other end
 */
record NicIdentity(String address, String hostName) {
  private static final String PREFIX = "volatile.";
  private static final String ADDRESS = ".hwaddr";
  private static final String HOST_NAME = ".host_name";

  /** The first half of all addresses that are not the user's, as with Incus. */
  private static final String VENDOR = "10:66:6a";

  private static final int MOST_TRIES = 1000;

  /** What the user chose, else what was allocated, else what would be with nobody else there. */
  static NicIdentity of(InstanceId id, Config config, String device, Device.Nic nic) {
    return new NicIdentity(
        nic.address()
            .or(() -> config.text(PREFIX + device + ADDRESS))
            .orElseGet(() -> address(id, device, 0))
            .toLowerCase(Locale.ROOT),
        nic.hostName()
            .or(() -> config.text(PREFIX + device + HOST_NAME))
            .orElseGet(() -> hostName(id, device, 0)));
  }

  /** What a guest sees of one, in words. */
  static String seenInside(Machine.Spec spec, String device, Device.Nic nic) {
    NicIdentity identity = of(spec.id(), spec.config(), device, nic);
    return "address " + identity.address() + nic.mtu().map(mtu -> ", mtu " + mtu).orElse("");
  }

  /**
   * Chooses for those interfaces of which the user leaves it open, and forgets what was chosen for
   * devices that are gone.
   */
  static Map<String, String> allocate(Machine.Spec spec, Collection<Config> others) {
    Map<String, String> keys = new TreeMap<>();
    spec.config()
        .family(PREFIX)
        .forEach(
            (name, value) -> {
              if (isOurs(name) && !(nic(spec, name) instanceof Device.Nic)) {
                keys.put(PREFIX + name, "");
              }
            });
    boolean any = spec.devices().values().stream().anyMatch(Device.Nic.class::isInstance);
    Set<String> taken = any ? taken(others) : Set.of();
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Nic nic) {
                choose(spec, name, ADDRESS, nic.address(), taken, keys);
                choose(spec, name, HOST_NAME, nic.hostName(), taken, keys);
              }
            });
    return keys;
  }

  private static boolean isOurs(String name) {
    return name.endsWith(ADDRESS) || name.endsWith(HOST_NAME);
  }

  private static Device nic(Machine.Spec spec, String name) {
    String device = name.substring(0, name.lastIndexOf('.'));
    return spec.devices().getOrDefault(device, new Device.None());
  }

  private static Set<String> taken(Collection<Config> others) {
    Set<String> taken = new HashSet<>();
    for (Config other : others) {
      other
          .family(PREFIX)
          .forEach(
              (name, value) -> {
                if (isOurs(name)) {
                  taken.add(value);
                }
              });
    }
    return taken;
  }

  private static void choose(
      Machine.Spec spec,
      String device,
      String what,
      Optional<String> wanted,
      Set<String> taken,
      Map<String, String> into) {
    String key = PREFIX + device + what;
    Optional<String> before = spec.config().text(key);
    if (wanted.isPresent()) {
      before.ifPresent(value -> into.put(key, ""));
    } else if (before.isEmpty() || taken.contains(before.get())) {
      for (int i = 0; i < MOST_TRIES; i++) {
        String value =
            what.equals(ADDRESS) ? address(spec.id(), device, i) : hostName(spec.id(), device, i);
        if (!taken.contains(value)) {
          into.put(key, value);
          return;
        }
      }
    }
  }

  private static String address(InstanceId id, String device, int attempt) {
    String digits = digits(id, device, attempt);
    return VENDOR
        + ":"
        + digits.substring(0, 2)
        + ":"
        + digits.substring(2, 4)
        + ":"
        + digits.substring(4, 6);
  }

  private static String hostName(InstanceId id, String device, int attempt) {
    return "tap" + digits(id, device, attempt).substring(0, 8);
  }

  /** The same ones each time, so that what was not written down is found again. */
  private static String digits(InstanceId id, String device, int attempt) {
    String text = id.value() + "/" + device + "/" + attempt;
    return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString();
  }
}
