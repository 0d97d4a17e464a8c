package dev.stapes.internal.image.disk;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the headers of disks say, and which of them are refused. */
class DiskTest {
  @TempDir Path directory;

  private Disk read(byte[] content) throws IOException {
    return Disk.read(Files.write(directory.resolve("disk"), content), "disk");
  }

  private void refused(Kind kind, String words, byte[] content) {
    StapesException e = assertThrows(StapesException.class, () -> read(content));
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
    assertEquals("disk", e.subject());
  }

  private static byte[] with(byte[] header, int offset, long value) {
    ByteBuffer.wrap(header).putLong(offset, value);
    return header;
  }

  private static byte[] with(byte[] header, int offset, int value) {
    ByteBuffer.wrap(header).putInt(offset, value);
    return header;
  }

  private static byte[] with(byte[] header, int offset, String text) {
    byte[] bytes = text.getBytes(US_ASCII);
    System.arraycopy(bytes, 0, header, offset, bytes.length);
    return header;
  }

  @Test
  void each_format_is_told_by_its_content() throws IOException {
    assertEquals(new Disk(DiskFormat.QCOW2, 1 << 20), read(Headers.qcow2()));
    assertEquals(new Disk(DiskFormat.VMDK, 1 << 20), read(Headers.vmdk()));
    assertEquals(new Disk(DiskFormat.VDI, 1 << 20), read(Headers.vdi()));
    assertEquals(new Disk(DiskFormat.VHD, 1024), read(Headers.vhd()));
    assertEquals(new Disk(DiskFormat.VHDX, 1 << 20), read(Headers.vhdx()));
    assertEquals(new Disk(DiskFormat.RAW, 1024), read(new byte[1024]));
  }

  @Test
  void the_begin_of_a_stream_is_qcow2_or_raw() {
    assertEquals(DiskFormat.QCOW2, Disk.ofStart(Headers.qcow2(), 7, "disk").format());
    assertEquals(new Disk(DiskFormat.RAW, 1 << 20), Disk.ofStart(Headers.vdi(), 1 << 20, "disk"));
    assertEquals(new Disk(DiskFormat.RAW, 512), Disk.ofStart(new byte[0], 512, "disk"));
  }

  @ParameterizedTest
  @CsvSource({
    "8, 104, backing file",
    "16, 47244640256, backing file",
    "72, 4, another file",
    "72, 2, corrupt",
    "72, 32, not known",
    "24, 0, of no size",
    "24, -512, of no size",
    "24, 1000, no whole sectors",
    "24, 17592186044928, more than the allowed"
  })
  void a_qcow2_that_is_no_whole_disk_is_refused(int offset, long value, String words) {
    refused(Kind.INVALID, words, with(Headers.qcow2(), offset, value));
  }

  @ParameterizedTest
  @CsvSource({"4, 1, version 1", "4, 4, version 4", "20, 40, clusters", "32, 1, encrypted"})
  void a_qcow2_of_another_kind_is_refused(int offset, int value, String words) {
    refused(Kind.INVALID, words, with(Headers.qcow2(), offset, value));
  }

  @Test
  void a_qcow2_that_ends_in_its_header_is_refused() {
    refused(Kind.INVALID, "ends early", java.util.Arrays.copyOf(Headers.qcow2(), 100));
  }

  @ParameterizedTest
  @CsvSource({
    "createType=\"monolithicSparse\", createType=\"monolithicFlat\"xx, another type",
    "parentCID=ffffffff, parentCID=12345678, parent",
    "RW 2048 SPARSE, RW 2048 FLAT, other files",
    "RW 2048 SPARSE, RW 1 SPARSE \"/a\"\\nRW 1 SPARSE, 2 extents",
    "# nothing, parentFileNameHint=\"/etc/passwd\", parent",
    "# nothing, encryption.keySafe = \"x\", encrypted"
  })
  void a_vmdk_that_needs_more_than_itself_is_refused(String old, String now, String words) {
    String text = Headers.VMDK.replace(old, now.replace("\\n", "\n"));
    assertFalse(text.equals(Headers.VMDK));
    refused(Kind.INVALID, words, Headers.vmdk(text, 2048));
  }

  @Test
  void a_vmdk_without_sectors_is_refused_for_qemu_would_open_what_it_names() {
    refused(Kind.INVALID, "of 0 sectors", Headers.vmdk(Headers.VMDK, 0));
  }

  @Test
  void a_parent_is_found_where_qemu_looks_for_it() {
    byte[] disk = Headers.vmdk();
    refused(Kind.INVALID, "parent", with(disk, 0x200 + 9_000, "parentFileNameHint=\"/x\""));
  }

  @Test
  void what_holds_only_a_difference_is_refused() {
    refused(Kind.INVALID, "differs", with(Headers.vdi(), 76, 4 << 24));
    refused(Kind.INVALID, "differs", with(Headers.vdi(), 424, 1L));
    refused(Kind.INVALID, "differs", with(Headers.vdi(), 448, 1L));
    refused(Kind.INVALID, "no whole vhd", with(Headers.vhd(), 1024 + 60, 4));
    refused(Kind.INVALID, "bytes of a disk of", with(Headers.vhd(), 1024 + 48, 4096L));
    refused(Kind.INVALID, "differs", Headers.vhdx(2));
    byte[] dynamic = new byte[2048];
    refused(Kind.INVALID, "ends early", with(dynamic, 0, "conectix"));
  }

  @Test
  void what_is_no_disk_at_all_is_not_taken_for_a_raw_one() {
    byte[] text = with(new byte[512], 0, "# Disk DescriptorFile\nversion=1\n");
    refused(Kind.UNSUPPORTED, "in other files", text);
    refused(Kind.UNSUPPORTED, "ESX", with(new byte[512], 0, "COWD"));
    refused(Kind.UNSUPPORTED, "qed", with(new byte[512], 0, "QED"));
    refused(Kind.INVALID, "of no size", new byte[0]);
    refused(Kind.INVALID, "no whole sectors", new byte[100]);
  }
}
