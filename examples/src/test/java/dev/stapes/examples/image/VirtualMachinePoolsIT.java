package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.model.Device;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.Size;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Disks of virtual machines in pools whose volumes are mounted where only the host sees them. */
@RequiresRoot
@RequiresTool("qemu-img")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresKernel("overlay")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VirtualMachinePoolsIT {
  @RegisterExtension final DiskBench btrfs = new DiskBench("btrfs");
  @RegisterExtension final DiskBench overlay = new DiskBench("overlay");

  private static InstanceSpec.Builder spec(String name, String image) {
    Size size = Size.ofBytes(DiskBench.SIZE);
    return InstanceSpec.virtualMachine(name, image)
        .device("root", Device.root(disk -> disk.pool("default").size(size)));
  }

  /** By way of an image of it, for nobody but the host sees its volume. */
  private static void holdsTheDisk(DiskBench bench, Instance vm) throws Exception {
    ImageInfo image =
        bench
            .stapes()
            .images()
            .publish(PublishSpec.of(vm.id()).compression(PublishSpec.Compression.NONE));
    Path exported = bench.file("exported");
    Path disk = bench.file("exported.qcow2");
    Path raw = bench.file("exported.img");
    bench.stapes().images().export(image.fingerprint(), exported);
    try (TarArchiveInputStream tar = new TarArchiveInputStream(Files.newInputStream(exported))) {
      while (!tar.getNextEntry().getName().equals("rootfs.img")) {
        // metadata
      }
      Files.copy(tar, disk);
    }
    DiskBench.qemuImg("convert", "-f", "qcow2", "-O", "raw", disk.toString(), raw.toString());
    assertEquals(-1, Files.mismatch(bench.raw(), raw));
    for (Path file : List.of(exported, disk, raw)) {
      Files.delete(file);
    }
  }

  private static void goesThroughItsLife(DiskBench bench) throws Exception {
    Path archive = bench.archive(bench.converted("qcow2"));
    bench.stapes().images().importFrom(ImageSources.file(archive), "vm");
    Instance vm = bench.stapes().instances().create(spec("vm", "vm").build());
    holdsTheDisk(bench, vm);
    vm.snapshots().create("then");
    vm.snapshots().restore("then");
    holdsTheDisk(bench, vm.copyTo("copy"));
    bench.stapes().images().publish(vm.snapshots().list().get(0), "published");
    bench.reopen();
    holdsTheDisk(
        bench,
        bench
            .stapes()
            .instances()
            .create(spec("again", "published").lifetime(Lifetime.THROWAWAY).build()));
  }

  @Test
  void a_machine_goes_through_its_life_on_btrfs() throws Exception {
    goesThroughItsLife(btrfs);
  }

  @Test
  void a_machine_goes_through_its_life_on_overlay() throws Exception {
    goesThroughItsLife(overlay);
  }
}
