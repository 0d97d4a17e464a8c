package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.model.Device;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Images of virtual machines in the formats of Incus, and the disks that are made of them. */
@RequiresRoot
@RequiresTool("qemu-img")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VirtualMachineIT {
  @RegisterExtension final DiskBench bench = new DiskBench("dir");

  private Instance create(String name, String image) {
    return bench.stapes().instances().create(InstanceSpec.virtualMachine(name, image).build());
  }

  private void holdsTheDisk(ImageInfo image) throws IOException {
    assertEquals(InstanceType.VIRTUAL_MACHINE, image.metadata().type());
    assertEquals("tiny", image.metadata().properties().get("os"));
    create("vm", "vm");
    Path unpacked = bench.disks("images").get(0);
    assertEquals(-1, Files.mismatch(bench.raw(), unpacked));
    assertSparse(unpacked);
    Path disk = bench.disks("instances").get(0);
    assertEquals(10L << 30, Files.size(disk));
    DiskBench.assertStartsAs(bench.raw(), disk);
    assertSparse(disk);
  }

  private static void assertSparse(Path disk) throws IOException {
    long blocks = DiskBench.allocated(disk);
    assertTrue(blocks < 2 << 20, () -> disk + " takes " + blocks + " bytes");
  }

  @Test
  void a_unified_image_with_a_qcow2() throws Exception {
    Path archive = bench.archive(bench.converted("qcow2", "-c"));
    holdsTheDisk(bench.stapes().images().importFrom(ImageSources.file(archive), "vm"));
  }

  @Test
  void a_unified_image_with_a_raw_disk() throws Exception {
    Path archive = bench.archive(bench.raw());
    holdsTheDisk(bench.stapes().images().importFrom(ImageSources.file(archive), "vm"));
  }

  @Test
  void a_split_image_with_a_qcow2() throws Exception {
    Path disk = bench.converted("qcow2");
    holdsTheDisk(
        bench.stapes().images().importFrom(ImageSources.split(bench.archive(), disk), "vm"));
  }

  @Test
  void a_split_image_with_a_raw_disk() throws Exception {
    holdsTheDisk(
        bench.stapes().images().importFrom(ImageSources.split(bench.archive(), bench.raw()), "vm"));
  }

  @Test
  void a_disk_has_the_size_that_was_asked_for_and_grows_but_never_shrinks() throws Exception {
    bench
        .stapes()
        .images()
        .importFrom(ImageSources.split(bench.archive(), bench.converted("qcow2")), "vm");
    InstanceSpec.Builder small =
        InstanceSpec.virtualMachine("vm", "vm")
            .device("root", Device.root(disk -> disk.pool("default").size(Size.ofMebibytes(32))));
    StapesException e =
        assertThrows(StapesException.class, () -> bench.stapes().instances().create(small.build()));
    assertEquals(StapesException.Kind.INVALID, e.kind());
    assertTrue(e.toString().contains(Size.ofMebibytes(64).toString()), e::toString);
    assertTrue(e.toString().contains(Size.ofMebibytes(32).toString()), e::toString);
    assertEquals(List.of(), bench.disks("instances"));

    Instance vm =
        bench
            .stapes()
            .instances()
            .create(small.device("root", root(Size.ofMebibytes(100))).build());
    Path disk = bench.disks("instances").get(0);
    assertEquals(100 << 20, Files.size(disk));
    vm.update(update -> update.device("root", root(Size.ofMebibytes(200))));
    assertEquals(200 << 20, Files.size(disk));
    assertThrows(
        StapesException.class,
        () -> vm.update(update -> update.device("root", root(Size.ofMebibytes(100)))));
    assertEquals(200 << 20, Files.size(disk));
    assertEquals(
        Size.ofMebibytes(200),
        ((Device.Disk) vm.info().devices().get("root")).size().orElseThrow());
    vm.start();
    vm.update(update -> update.device("root", root(Size.ofMebibytes(300))));
    assertEquals(300 << 20, Files.size(disk));
  }

  @Test
  void a_conversion_that_is_interrupted_leaves_nothing_and_can_be_tried_again() throws Exception {
    Path disk = bench.converted("qcow2");
    bench.stapes().images().importFrom(ImageSources.split(bench.archive(), disk), "vm");
    InstanceSpec spec = InstanceSpec.virtualMachine("vm", "vm").build();
    Progress interrupting =
        (stage, done, total) -> {
          if (stage.equals("convert")) {
            Thread.currentThread().interrupt();
          }
        };
    StapesException e =
        assertThrows(
            StapesException.class, () -> bench.stapes().instances().create(spec, interrupting));
    assertTrue(Thread.interrupted());
    assertEquals(StapesException.Kind.INTERRUPTED, e.kind(), e::toString);
    assertEquals(List.of(), bench.disks("images"));
    assertEquals(List.of(), bench.disks("instances"));
    create("vm", "vm");
    DiskBench.assertStartsAs(bench.raw(), bench.disks("instances").get(0));
  }

  @Test
  void what_a_machine_has_become_is_published_exported_and_imported_again() throws Exception {
    bench
        .stapes()
        .images()
        .importFrom(ImageSources.split(bench.archive(), bench.converted("qcow2")), "vm");
    Instance vm = createSmall("vm", "vm");
    Path disk = bench.disks("instances").get(0);
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.seek(100 << 20);
      file.writeUTF("mine");
    }
    vm.snapshots().create("then");
    Instant then = Instant.parse("2026-01-01T00:00:00Z");
    ImageInfo published =
        bench.stapes().images().publish(PublishSpec.of(vm.id()).createdAt(then), "published");
    assertEquals(InstanceType.VIRTUAL_MACHINE, published.metadata().type());
    assertEquals("tiny", published.metadata().properties().get("os"));
    assertTrue(published.size().bytes() < 4 << 20, published::toString);
    assertEquals(
        published.fingerprint(),
        bench
            .stapes()
            .images()
            .publish(PublishSpec.of(vm.snapshots().list().get(0)).createdAt(then), "same")
            .fingerprint());
    Path exported = bench.file("exported");
    bench.stapes().images().export("published", exported);
    bench.stapes().images().delete("published");
    ImageInfo again = bench.stapes().images().importFrom(ImageSources.file(exported), "published");
    assertEquals(published.fingerprint(), again.fingerprint());
    assertEquals(InstanceType.VIRTUAL_MACHINE, again.metadata().type());
    bench.reopen();
    assertEquals(1, bench.disks("snapshots").size());
    createSmall("copy", "published");
    List<Path> disks = bench.disks("instances");
    assertEquals(2, disks.size());
    assertEquals(-1, Files.mismatch(disks.get(0), disks.get(1)));
    assertSparse(disks.get(0));
    assertSparse(disks.get(1));
  }

  private Instance createSmall(String name, String image) {
    return bench
        .stapes()
        .instances()
        .create(
            InstanceSpec.virtualMachine(name, image)
                .device("root", root(Size.ofMebibytes(128)))
                .build());
  }

  private static Device.Disk root(Size size) {
    return Device.root(disk -> disk.pool("default").size(size));
  }
}
