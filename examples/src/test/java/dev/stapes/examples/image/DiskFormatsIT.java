package dev.stapes.examples.image;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.model.DiskFileSpec;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Disks that other programs have made, and those that want to be more than a disk. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-img")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DiskFormatsIT {
  @RegisterExtension final DiskBench bench = new DiskBench("dir");

  private ImageInfo bring(Path disk) {
    return bench.stapes().images().importFrom(ImageSources.disk(disk), "vm");
  }

  private void holdsTheDisk(ImageInfo image) throws IOException {
    assertEquals(InstanceType.VIRTUAL_MACHINE, image.metadata().type());
    bench.stapes().instances().create(InstanceSpec.virtualMachine("vm", "vm").build());
    Path unpacked = bench.disks("images").get(0);
    DiskBench.assertStartsAs(bench.raw(), unpacked);
    long blocks = DiskBench.allocated(unpacked);
    assertTrue(blocks < 2 << 20, () -> unpacked + " takes " + blocks + " bytes");
  }

  private void refused(Kind kind, String words, ImageSource source) throws IOException {
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> {
              bench.stapes().images().importFrom(source, "vm");
              bench.stapes().instances().create(InstanceSpec.virtualMachine("vm", "vm").build());
            });
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
    assertEquals(List.of(), bench.disks("images"));
    assertEquals(List.of(), bench.disks("instances"));
  }

  /** Brought alone, and as half of a split image. */
  private void refused(String words, Path disk) throws IOException {
    refused(Kind.INVALID, words, ImageSources.disk(disk));
    refused(Kind.INVALID, words, ImageSources.split(bench.archive(), disk));
  }

  @ParameterizedTest
  @CsvSource({
    "qcow2, compat=0.10",
    "qcow2, compat=1.1",
    "qcow2, compression_type=zstd",
    "qcow2, extended_l2=on",
    "qcow2, cluster_size=512",
    "vmdk, subformat=monolithicSparse",
    "vmdk, subformat=streamOptimized",
    "vdi, static=off",
    "vdi, static=on",
    "vhdx, subformat=dynamic",
    "vhdx, subformat=fixed",
    "vpc, 'subformat=dynamic,force_size=on'",
    "vpc, 'subformat=fixed,force_size=on'"
  })
  void a_disk_in_a_format_becomes_the_raw_disk(String format, String options) throws Exception {
    ImageInfo image = bring(bench.converted(format, "-o", options));
    holdsTheDisk(image);
    assertEquals(-1, Files.mismatch(bench.raw(), bench.disks("images").get(0)));
  }

  @Test
  void a_raw_disk_is_kept_with_its_holes() throws Exception {
    ImageInfo image =
        bench
            .stapes()
            .images()
            .importFrom(
                ImageSources.disk(
                    DiskFileSpec.of(bench.raw()).system("Tiny", "1").architecture("arm64")),
                "vm");
    holdsTheDisk(image);
    assertEquals("Tiny", image.metadata().properties().get("os"));
    assertEquals("1", image.metadata().properties().get("release"));
    assertEquals("aarch64", image.metadata().architecture());
    Path kept = bench.root().resolve("images").resolve(image.fingerprint() + ".rootfs");
    assertTrue(DiskBench.allocated(kept) < 2 << 20);
  }

  private Path ova(String name, byte[] disk, String hash) throws IOException {
    String ovf =
        """
        <?xml version="1.0"?>
        <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
            xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
            xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/x">
          <References>
            <File ovf:href="other.vmdk" ovf:id="file1"/>
            <File ovf:href="%s" ovf:id="file2"/>
          </References>
          <DiskSection>
            <Disk ovf:diskId="vmdisk1" ovf:fileRef="file1"/>
            <Disk ovf:diskId="vmdisk2" ovf:fileRef="file2"/>
          </DiskSection>
          <VirtualSystem ovf:id="vm">
            <VirtualHardwareSection>
              <Item><rasd:ResourceType>3</rasd:ResourceType>
                <rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
              <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
                <rasd:ResourceType>4</rasd:ResourceType>
                <rasd:VirtualQuantity>1024</rasd:VirtualQuantity></Item>
              <Item><rasd:HostResource>ovf:/disk/vmdisk2</rasd:HostResource>
                <rasd:ResourceType>17</rasd:ResourceType></Item>
            </VirtualHardwareSection>
          </VirtualSystem>
        </Envelope>
        """
            .replace("%s", name);
    Path ova = bench.file("machine.ova");
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(Files.newOutputStream(ova))) {
      DiskBench.add(tar, "machine.ovf", ovf.getBytes(UTF_8));
      DiskBench.add(tar, "machine.mf", ("SHA256(disk.vmdk)= " + hash + "\n").getBytes(UTF_8));
      DiskBench.add(tar, "other.vmdk", new byte[512]);
      DiskBench.add(tar, "disk.vmdk", disk);
    }
    return ova;
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void of_an_ova_the_disk_that_it_boots_from_is_taken() throws Exception {
    byte[] disk = Files.readAllBytes(bench.converted("vmdk", "-o", "subformat=streamOptimized"));
    ImageInfo image = bring(ova("disk.vmdk", disk, sha256(disk)));
    holdsTheDisk(image);
    assertEquals("2", image.metadata().properties().get("limits.cpu"));
    assertEquals("1024MiB", image.metadata().properties().get("limits.memory"));
  }

  @Test
  void an_ova_that_is_damaged_or_leads_outside_is_refused() throws Exception {
    byte[] disk = Files.readAllBytes(bench.converted("vmdk", "-o", "subformat=streamOptimized"));
    refused(
        Kind.INVALID, "is damaged", ImageSources.disk(ova("disk.vmdk", disk, sha256(new byte[1]))));
    for (String name : List.of("/etc/passwd", "../x.vmdk", "https://example.org/x", "")) {
      refused(
          Kind.INVALID,
          "no disk in a file beside",
          ImageSources.disk(ova(name, disk, sha256(disk))));
    }
    refused(
        Kind.INVALID, "has no file", ImageSources.disk(ova("missing.vmdk", disk, sha256(disk))));
  }

  @Test
  void a_disk_with_a_backing_file_is_refused() throws Exception {
    Path disk = bench.file("backed.qcow2");
    DiskBench.qemuImg(
        "create", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", disk.toString(), "1M");
    refused("backing file", disk);
    refused(Kind.INVALID, "backing file", ImageSources.file(bench.archive(disk)));
  }

  @Test
  void a_disk_with_its_data_elsewhere_is_refused() throws Exception {
    Path disk = bench.file("outside.qcow2");
    DiskBench.qemuImg(
        "create",
        "-f",
        "qcow2",
        "-o",
        "data_file=" + bench.file("data") + ",data_file_raw=on",
        disk.toString(),
        "1M");
    refused("another file", disk);
    refused(Kind.INVALID, "another file", ImageSources.file(bench.archive(disk)));
  }

  @Test
  void a_vmdk_that_names_other_files_is_refused() throws Exception {
    Path descriptor = bench.file("only.vmdk");
    Files.writeString(
        descriptor,
        """
        # Disk DescriptorFile
        version=1
        CID=fffffffe
        parentCID=ffffffff
        createType="monolithicFlat"

        RW 8 FLAT "/etc/passwd" 0
        """);
    refused(Kind.UNSUPPORTED, "in other files", ImageSources.disk(descriptor));
    for (String type : List.of("monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat")) {
      refused(
          Kind.UNSUPPORTED,
          "in other files",
          ImageSources.disk(bench.converted("vmdk", "-o", "subformat=" + type)));
    }
  }

  /** Overwrites bytes of a file. */
  private static Path with(Path file, long offset, byte... bytes) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.seek(offset);
      disk.write(bytes);
    }
    return file;
  }

  @Test
  void a_sparse_vmdk_whose_description_leads_elsewhere_is_refused() throws Exception {
    Path parent = bench.converted("vmdk");
    with(parent, 0x200 + 600, "\nparentFileNameHint=\"/etc/passwd\"\n".getBytes(US_ASCII));
    refused("parent", parent);
    // Without sectors QEMU opens what the description says.
    Path empty = bench.converted("vmdk");
    with(empty, 12, new byte[8]);
    refused("of 0 sectors", empty);
    Path flat = bench.converted("vmdk");
    String description = new String(Files.readAllBytes(flat), 0x200, 1024, US_ASCII);
    with(flat, 0x200, description.replace("SPARSE \"", "FLAT \"//").getBytes(US_ASCII));
    refused("in other files", flat);
  }

  @Test
  void a_disk_that_is_cut_is_refused() throws Exception {
    for (String format : List.of("qcow2", "vmdk", "vdi", "vhdx", "vpc")) {
      Path disk = bench.converted(format);
      long length = Files.size(disk);
      try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
        file.setLength(length - 200_000);
      }
      refused(Kind.INVALID, "", ImageSources.disk(disk));
    }
  }

  @Test
  void a_disk_of_a_huge_size_is_refused() throws Exception {
    Path disk = bench.file("huge.qcow2");
    DiskBench.qemuImg("create", "-f", "qcow2", disk.toString(), "17T");
    refused("more than the allowed", disk);
  }

  @Test
  void a_raw_disk_that_pretends_to_be_a_qcow2_is_damaged_and_reads_nothing() throws Exception {
    Path disk =
        with(bench.raw(), 0, "QFI\u00fb".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    with(disk, 4, new byte[] {0, 0, 0, 3});
    refused(Kind.INVALID, "", ImageSources.file(bench.archive(disk)));
    refused(Kind.INVALID, "", ImageSources.disk(disk));
  }

  @Test
  void an_encrypted_disk_is_refused() throws Exception {
    Path disk = with(bench.converted("qcow2"), 35, (byte) 1);
    refused("encrypted", disk);
  }

  @Test
  void a_small_file_that_grows_without_end_is_refused() throws Exception {
    Path disk = bench.file("bomb.qcow2");
    Path zeros = bench.file("zeros.img");
    try (RandomAccessFile file = new RandomAccessFile(zeros.toFile(), "rw")) {
      file.setLength(2L << 30);
    }
    DiskBench.qemuImg(
        "convert",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-c",
        "-S",
        "0",
        "-o",
        "compression_type=zstd",
        zeros.toString(),
        disk.toString());
    assertTrue(Files.size(disk) < 2 << 20, () -> "no bomb: " + disk);
    refused("times its size", disk);
  }
}
