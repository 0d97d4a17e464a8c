package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.github.luben.zstd.Zstd;
import dev.stapes.Instance;
import dev.stapes.Volumes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of disks that somebody made who wants more than a disk. */
class EngineDiskBackupTest {
  private static final String ABOUT =
      "{\"format\":2,\"name\":\"disk\",\"description\":\"\",\"config\":{\"size\":\"64KiB\"},"
          + "\"createdAt\":\"2024-05-01T12:00:00Z\",\"snapshots\":[],\"content\":\"block\"}";

  @TempDir Path directory;

  /** Writes entries. */
  private interface Entries {
    void write(TarArchiveOutputStream tar) throws IOException;
  }

  private static void file(TarArchiveOutputStream tar, String name, byte[] bytes)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
  }

  private static void link(TarArchiveOutputStream tar, String name, byte type, String to)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, type);
    entry.setLinkName(to);
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
  }

  private Path backup(String about, Entries entries) throws Exception {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(plain)) {
      file(tar, "backup.json", about.getBytes(StandardCharsets.UTF_8));
      tar.putArchiveEntry(new TarArchiveEntry("volume/"));
      tar.closeArchiveEntry();
      entries.write(tar);
    }
    byte[] packed = Zstd.compress(plain.toByteArray());
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(packed);
    ByteBuffer whole =
        ByteBuffer.allocate(packed.length + 48)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(packed)
            .putInt(0x184d2a5e)
            .putInt(40)
            .put("StapesV1".getBytes(StandardCharsets.US_ASCII))
            .put(digest);
    return Files.write(directory.resolve("backup"), whole.array());
  }

  private static void everywhere(Path backup, boolean good) {
    for (EngineWorld.Setup setup :
        List.of(EngineWorld.Setup.usual(), EngineWorld.Setup.usual().withDevices())) {
      try (EngineWorld world = EngineWorld.create(setup)) {
        Volumes volumes = world.stapes().pools().byDefault().volumes();
        if (good) {
          assertEquals(VolumeContent.BLOCK, volumes.importFrom(backup).info().content());
        } else {
          StapesException e = assertThrows(StapesException.class, () -> volumes.importFrom(backup));
          assertEquals(Kind.INVALID, e.kind(), e::toString);
          assertEquals(List.of(), volumes.list());
        }
      }
    }
  }

  @Test
  void a_disk_is_one_plain_file_and_nothing_else() throws Exception {
    byte[] disk = new byte[64 << 10];
    disk[7] = 7;
    everywhere(backup(ABOUT, tar -> file(tar, "volume/root.img", disk)), true);
    everywhere(backup(ABOUT, tar -> {}), false);
    everywhere(
        backup(ABOUT, tar -> link(tar, "volume/root.img", TarConstants.LF_SYMLINK, "/etc/passwd")),
        false);
    everywhere(
        backup(
            ABOUT,
            tar -> {
              file(tar, "volume/root.img", disk);
              file(tar, "volume/more", disk);
            }),
        false);
    everywhere(
        backup(
            ABOUT,
            tar -> {
              file(tar, "volume/other", disk);
              link(tar, "volume/root.img", TarConstants.LF_LINK, "volume/other");
            }),
        false);
    everywhere(backup(ABOUT, tar -> file(tar, "volume/root.img", new byte[0])), false);
    everywhere(
        backup(
            ABOUT,
            tar -> {
              file(tar, "volume/root.img", disk);
              file(tar, "volume/root.img", new byte[64 << 10]);
            }),
        false);
  }

  @Test
  void what_it_says_of_itself_is_checked() throws Exception {
    byte[] disk = new byte[64 << 10];
    for (String bad :
        List.of(
            ABOUT.replace("\"format\":2", "\"format\":1"),
            ABOUT.replace("\"block\"", "\"lvm\""),
            ABOUT.replace("\"block\"", "null"),
            ABOUT.replace("{\"size\":\"64KiB\"}", "{}"),
            ABOUT.replace("64KiB", "0"))) {
      everywhere(backup(bad, tar -> file(tar, "volume/root.img", disk)), false);
    }
  }

  @Test
  void a_disk_that_is_smaller_than_it_says_has_zeros_behind_it_and_an_image_is_refused()
      throws Exception {
    byte[] part = new byte[8 << 10];
    part[7] = 7;
    Path disk = backup(ABOUT, tar -> file(tar, "volume/root.img", part));
    EngineWorld.Setup machines =
        EngineWorld.Setup.usual().driver(fake -> fake.type(InstanceType.VIRTUAL_MACHINE));
    try (EngineWorld world = EngineWorld.create(machines)) {
      world.stapes().images().importFrom(new DiskImage("boot"), "disk");
      world.stapes().pools().byDefault().volumes().importFrom(disk);
      Instance vm =
          world
              .stapes()
              .instances()
              .launch(
                  InstanceSpec.virtualMachine("vm", "disk")
                      .device(
                          "root", Device.root(d -> d.pool("default").size(Size.ofKibibytes(64))))
                      .device("data", Device.disk(d -> d.volume("default", "disk")))
                      .build());
      assertArrayEquals(Arrays.copyOf(part, 64 << 10), world.disk(vm, "data"));
    }
    everywhere(
        backup(ABOUT.replace("block", "iso"), tar -> file(tar, "volume/root.img", part)), false);
  }

  @Test
  void a_disk_that_is_larger_than_it_says_is_refused() throws Exception {
    everywhere(backup(ABOUT, tar -> file(tar, "volume/root.img", new byte[256 << 10])), false);
  }
}
