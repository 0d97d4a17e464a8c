package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.net.Tap;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.Netdev;
import dev.stapes.qmp.qemu.NetdevAdd;
import dev.stapes.qmp.qemu.QomGet;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Interfaces of a QEMU that executes nothing. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@Timeout(120)
class VmNicsIT {
  private static final String[] PORTS = {
    "-device", "pcie-root-port,id=slot0,chassis=1", "-device", "pcie-root-port,id=slot1,chassis=2"
  };

  private final String name = "stv" + ProcessHandle.current().pid();
  private final Device.Nic nic = Device.Nic.p2p().hostName(name);

  @TempDir Path directory;

  private boolean exists(String interfaceName) {
    return Files.exists(Path.of("/sys/class/net", interfaceName));
  }

  private static VmNics nics(BareQemu qemu) {
    HotPlug slots = new HotPlug("instance vm", qemu.monitor());
    return new VmNics(Specs.ID, qemu.monitor(), slots, BareQemu.SYS, HostRoot.MACHINE);
  }

  private void comesAndIsExhausted(String program) throws Exception {
    try (BareQemu qemu = BareQemu.board(directory, program, PORTS)) {
      VmNics nics = nics(qemu);
      nics.plug("eth0", nic, Config.empty());
      assertTrue(exists(name));
      nics.plug("eth1", Device.Nic.p2p(), Config.empty());
      String second = NicIdentity.of(Specs.ID, Config.empty(), "eth1", nic).hostName();
      assertEquals(name, second); // the name of the user comes first
      String generated =
          NicIdentity.of(Specs.ID, Config.empty(), "eth1", Device.Nic.p2p()).hostName();
      assertTrue(exists(generated));
      Device.Nic third = Device.Nic.p2p().hostName(name + "c");
      refused(
          Kind.EXHAUSTED,
          "all its 2 slots are in use",
          () -> nics.plug("eth2", third, Config.empty()));
      assertFalse(exists(name + "c"));
      nics.unplug("never-there");
      Files.delete(directory.resolve("qmp"));
      qemu.close();
      assertFalse(exists(name) || exists(generated)); // nobody removed them
    }
  }

  @Test
  void they_are_plugged_in_and_go_with_it() throws Exception {
    comesAndIsExhausted("qemu-system-x86_64");
  }

  @Test
  @RequiresTool("qemu10-system-x86_64")
  void they_are_plugged_into_a_newer_one() throws Exception {
    comesAndIsExhausted("qemu10-system-x86_64");
  }

  @Test
  void one_that_fails_leaves_nothing() throws Exception {
    try (BareQemu qemu = BareQemu.board(directory, "qemu-system-x86_64", PORTS)) {
      qemu.monitor()
          .execute(DeviceAdd.builder("virtio-rng-pci").id("dev-eth0").bus("slot0").build());
      StapesException twice =
          assertThrows(StapesException.class, () -> nics(qemu).plug("eth0", nic, Config.empty()));
      assertTrue(twice.toString().contains("dev-eth0"), twice.toString());
      assertFalse(exists(name));
      Device.Nic bad =
          new Device.Nic(
              Device.Nic.Kind.P2P,
              Optional.empty(),
              Optional.of(name),
              Optional.empty(),
              Optional.of(65535),
              Optional.empty());
      assertThrows(StapesException.class, () -> nics(qemu).plug("eth1", bad, Config.empty()));
      assertFalse(exists(name));
      nics(qemu).plug("eth1", nic, Config.empty()); // nothing is in its way
    }
  }

  @Test
  void half_of_one_that_a_dying_jvm_left_is_made_anew() throws Exception {
    TreeMap<String, Device.Nic> wanted = new TreeMap<>(Map.of("eth0", nic.bootPriority(3)));
    BootOrder boot = BootOrder.of(Specs.of(Map.of("eth0", nic.bootPriority(3))));
    try (BareQemu qemu = BareQemu.board(directory, "qemu-system-x86_64", PORTS)) {
      try (Tap tap = Tap.create(BareQemu.SYS, name, Optional.empty())) {
        qemu.monitor().client().getFd("net-eth0", tap.fd()); // and dies here
      }
      assertTrue(exists(name));
      nics(qemu).plugMissing(wanted, Config.empty(), boot);
      nics(qemu).plugMissing(wanted, Config.empty(), boot);
    }
    Files.delete(directory.resolve("qmp"));
    try (BareQemu qemu = BareQemu.board(directory, "qemu-system-x86_64", PORTS)) {
      try (Tap tap = Tap.create(BareQemu.SYS, name, Optional.empty())) {
        qemu.monitor().client().getFd("net-eth0", tap.fd());
        Netdev netdev = Netdev.Tap.of("net-eth0").toBuilder().fd("net-eth0").build();
        qemu.monitor().execute(NetdevAdd.of(netdev)); // or here
      }
      nics(qemu).plugMissing(wanted, Config.empty(), boot);
      assertTrue(exists(name));
      QomGet index = QomGet.of("/machine/peripheral/dev-eth0", "bootindex");
      assertEquals(1, qemu.monitor().execute(index).asInt());
    }
    assertFalse(exists(name));
  }
}
