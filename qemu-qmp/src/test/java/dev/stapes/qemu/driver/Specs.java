package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Specs of virtual machines, and what is said of bad ones. */
final class Specs {
  static final Size HOST = Size.ofGibibytes(4);
  static final InstanceId ID = new InstanceId("abcd1234");

  private Specs() {}

  /** With keys and values by turns. */
  static Machine.Spec of(String... config) {
    return of(Map.of(), config);
  }

  static Machine.Spec of(Map<String, Device> devices, String... config) {
    Map<String, String> values = new TreeMap<>();
    for (int i = 0; i < config.length; i += 2) {
      values.put(config[i], config[i + 1]);
    }
    return new Machine.Spec(
        ID,
        "vm",
        Lifetime.DURABLE,
        Config.of(values),
        new TreeMap<>(devices),
        new Machine.Disk(Path.of("/pool/vm"), Optional.empty(), Device.IoLimits.NONE),
        new TreeMap<>());
  }

  /** The same with a choice of what the root disk is on. */
  static Machine.Spec on(Machine.Spec spec, Device.DiskIo io) {
    Machine.Disk root =
        new Machine.Disk(
            spec.root().path(), Optional.empty(), Device.IoLimits.NONE, Optional.empty(), io);
    return spec.with(root, spec.disks());
  }

  static VmPlan plan(String... config) {
    return plan(of(config));
  }

  /** On the host of the test. */
  static VmPlan plan(Machine.Spec spec) {
    return VmPlan.of(spec, HOST, HostRoot.MACHINE);
  }

  /** The room of a machine on a host that does not tell of its CPUs. */
  static VmRoom room(VmPlan plan, int mostCpus, Size mostMemory) {
    return VmRoom.of(plan, new HostCpus(Path.of("/nowhere")), mostCpus, mostMemory);
  }

  /** A scope with everything below a directory. */
  static Scope scope(Path directory, String tag) {
    return new Scope(directory, directory.resolve("logs"), tag);
  }

  static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }
}
