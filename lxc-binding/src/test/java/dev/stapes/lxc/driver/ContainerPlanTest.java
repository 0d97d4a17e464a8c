package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ContainerPlanTest {
  private static final DiskIo SCSI =
      new DiskIo(Optional.of(DiskIo.Bus.VIRTIO_SCSI), Optional.empty());

  private static final DiskIo UNSAFE =
      new DiskIo(Optional.empty(), Optional.of(DiskIo.Cache.UNSAFE));

  private static Machine.Spec spec(Map<String, Device> devices, DiskIo root) {
    return new Machine.Spec(
        new InstanceId("abcd1234"),
        "box",
        Lifetime.DURABLE,
        Config.empty(),
        new TreeMap<>(devices),
        new Machine.Disk(
            Path.of("/pool/box"), Optional.empty(), Device.IoLimits.NONE, Optional.empty(), root),
        new TreeMap<>());
  }

  private static void refused(String subject, Machine.Spec spec) {
    StapesException e =
        assertThrows(StapesException.class, () -> ContainerPlan.validate(spec), subject);
    assertEquals(Kind.UNSUPPORTED, e.kind(), e::toString);
    assertEquals(subject, e.subject());
  }

  @Test
  void a_container_has_no_bus_and_no_cache_of_a_disk() {
    Device nvme = Device.disk("/d", disk -> disk.source("/d").bus(DiskIo.Bus.NVME));
    ContainerPlan.validate(spec(Map.of(), DiskIo.USUAL));
    refused("device data", spec(Map.of("data", nvme), DiskIo.USUAL));
    refused("root disk of instance box", spec(Map.of(), SCSI));
    refused("root disk of instance box", spec(Map.of(), UNSAFE));
  }
}
