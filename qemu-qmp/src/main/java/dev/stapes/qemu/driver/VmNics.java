package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.linux.net.Tap;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState.NetworkCounters;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.Netdev;
import dev.stapes.qmp.qemu.NetdevAdd;
import dev.stapes.qmp.qemu.NetdevDel;
import dev.stapes.spi.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The network interfaces of a machine. The host's end of each is a {@link Tap} of which QEMU alone
 * has the descriptor: so it is gone when QEMU is, however that ends.
 */
final class VmNics {
  private static final String DEVICE = "dev-";
  private static final String NETDEV = "net-";
  private final InstanceId id;
  private final Monitor monitor;
  private final Syscalls sys;
  private final HostRoot root;
  private final HotPlug plugs;

  /** Changed with the lock, read without. */
  private final ConcurrentSkipListMap<String, Device.Nic> plugged = new ConcurrentSkipListMap<>();

  /**
   * Refuses names by which QEMU would take an interface for something that every machine has.
   *
   * @throws StapesException UNSUPPORTED
   */
  static void requireNames(Machine.Spec spec) {
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Nic && QemuArguments.OWN_NAMES.contains(name)) {
                throw new StapesException(
                    Kind.UNSUPPORTED,
                    "device " + name,
                    "no interface of a virtual machine can have one of the names "
                        + QemuArguments.OWN_NAMES);
              }
            });
  }

  VmNics(InstanceId id, Monitor monitor, HotPlug plugs, Syscalls sys, HostRoot root) {
    this.root = root;
    this.id = id;
    this.monitor = monitor;
    this.sys = sys;
    this.plugs = plugs;
  }

  /** What QEMU calls one. */
  static String device(String name) {
    return DEVICE + name;
  }

  /** Plugs in those that are not there yet, before the machine goes for the first time. */
  synchronized void plugMissing(SortedMap<String, Device.Nic> nics, Config config, BootOrder boot) {
    nics.forEach(
        (name, nic) -> {
          if (!plugs.has(DEVICE + name)) {
            clear(name); // half of what a JVM did that died meanwhile
            plug(name, nic, config, boot.of(name));
          }
          plugged.put(name, nic);
        });
  }

  /**
   * What went through them, by device. Of one that somebody has moved to another network namespace
   * nothing is known.
   */
  SortedMap<String, NetworkCounters> counters(Config config) {
    SortedMap<String, NetworkCounters> counters = new TreeMap<>();
    plugged.forEach( // whoever changes them may wait for the guest
        (name, nic) ->
            TapCounters.of(root, NicIdentity.of(id, config, name, nic).hostName())
                .ifPresent(each -> counters.put(name, each)));
    return counters;
  }

  /** Where the host has met them, by device. */
  SortedMap<String, GuestInfo.Interface> neighbours(Config config) {
    SortedMap<String, NicIdentity> identities = new TreeMap<>();
    plugged.forEach((name, nic) -> identities.put(name, NicIdentity.of(id, config, name, nic)));
    return HostNeighbours.of(root).of(identities);
  }

  /** Takes note of those that a machine which was found has. */
  synchronized void found(SortedMap<String, Device.Nic> nics) {
    plugged.putAll(nics);
  }

  /**
   * Makes a change of the interfaces of a running machine: what is gone first, then what came.
   * Where that fails, the next change begins with what has been done.
   */
  synchronized void change(SortedMap<String, Device.Nic> after, Config config) {
    for (Map.Entry<String, Device.Nic> each : List.copyOf(plugged.entrySet())) {
      if (!isSame(each.getValue(), after.get(each.getKey()))) {
        unplug(each.getKey());
        plugged.remove(each.getKey());
      }
    }
    after.forEach(
        (name, nic) -> {
          if (!plugged.containsKey(name)) {
            plug(name, nic, config);
            plugged.put(name, nic);
          }
        });
  }

  /** Where it boots from is asked for when it boots. */
  private static boolean isSame(Device.Nic one, Device.@Nullable Nic other) {
    return other != null && one.withoutBootPriority().equals(other.withoutBootPriority());
  }

  /** Gives a machine that runs an interface. */
  void plug(String name, Device.Nic nic, Config config) {
    plug(name, nic, config, OptionalInt.empty());
  }

  /**
   * Makes them what they are to be, after a change to others was cut short. One that the guest does
   * not let go of goes with the next change.
   */
  synchronized void settle(
      SortedMap<String, Device.Nic> attempted,
      SortedMap<String, Device.Nic> wanted,
      Config config) {
    List<Runnable> steps = new ArrayList<>();
    TreeSet<String> names = new TreeSet<>(attempted.keySet());
    names.addAll(wanted.keySet());
    for (String name : names) {
      Device.Nic was = attempted.get(name);
      if (!Objects.equals(was, wanted.get(name))) {
        steps.add(() -> settle(name, was, wanted.get(name), config));
      }
    }
    Settlement.all(steps);
  }

  private void settle(
      String name, Device.@Nullable Nic was, Device.@Nullable Nic is, Config config) {
    if (was != null) {
      plugged.put(name, was); // or what it was before: one of them
      unplug(name);
    }
    plugged.remove(name);
    if (is != null) {
      plugMissing(new TreeMap<>(Map.of(name, is)), config, BootOrder.NONE);
    }
  }

  /**
   * Gives the machine an interface. Where that fails nothing of it is left.
   *
   * @param name of the device
   * @param config with what was allocated for it
   * @param boot its place among what the firmware boots from
   * @throws StapesException CONFLICT where the host has an interface of that name; UNAVAILABLE
   *     where it cannot have such interfaces; EXHAUSTED where no slot is free
   */
  private void plug(String name, Device.Nic nic, Config config, OptionalInt boot) {
    NicIdentity identity = NicIdentity.of(id, config, name, nic);
    try (Tap tap = tap(name, nic, identity)) {
      monitor.give(NETDEV + name, tap.fd());
      monitor.execute(
          NetdevAdd.of(Netdev.Tap.of(NETDEV + name).toBuilder().fd(NETDEV + name).build()));
      plugs.add(device(name, nic, identity, boot));
    } catch (RuntimeException e) {
      clearAfter(name, e);
      throw e;
    }
  }

  private static DeviceAdd.Builder device(
      String name, Device.Nic nic, NicIdentity identity, OptionalInt boot) {
    DeviceAdd.Builder device =
        DeviceAdd.builder("virtio-net-pci")
            .id(DEVICE + name)
            .unknownMember("netdev", TextNode.valueOf(NETDEV + name))
            .unknownMember("mac", TextNode.valueOf(identity.address()))
            .unknownMember("romfile", TextNode.valueOf("")); // UEFI has a driver
    boot.ifPresent(index -> device.unknownMember("bootindex", IntNode.valueOf(index)));
    nic.mtu().ifPresent(mtu -> device.unknownMember("host_mtu", IntNode.valueOf(mtu)));
    return device;
  }

  private Tap tap(String name, Device.Nic nic, NicIdentity identity) {
    try {
      return Tap.create(sys, identity.hostName(), nic.mtu());
    } catch (LinuxException e) {
      String device = "device " + name;
      if (e.is(Errno.EBUSY, Errno.EEXIST)) {
        throw new StapesException(
            Kind.CONFLICT,
            device,
            "the host has an interface of this name: \"" + identity.hostName() + "\"",
            e);
      }
      if (e.is(Errno.ENOENT, Errno.ENODEV, Errno.ENXIO)) {
        throw new StapesException(
            Kind.UNAVAILABLE, device, "the host has no TUN/TAP (load the module tun): " + e, e);
      }
      throw new StapesException(
          e.is(Errno.EINVAL) ? Kind.INVALID : Kind.INTERNAL, device, String.valueOf(e), e);
    }
  }

  /** Takes away what is there of a half of an interface. */
  private void clear(String name) {
    Uninterrupted.run(
        () ->
            Settlement.all(
                List.of(
                    () -> monitor.discard(NetdevDel.of(NETDEV + name)),
                    () -> monitor.closeFd(NETDEV + name))));
  }

  private void clearAfter(String name, RuntimeException failure) {
    try {
      clear(name);
    } catch (StapesException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Takes an interface away, where it has it.
   *
   * @throws StapesException BUSY or TIMED_OUT where the guest does not let go of it, and has it
   *     still; TIMED_OUT or UNAVAILABLE where the emulator does not say that its end is gone
   */
  void unplug(String name) {
    plugs.remove(DEVICE + name);
    clear(name);
  }
}
