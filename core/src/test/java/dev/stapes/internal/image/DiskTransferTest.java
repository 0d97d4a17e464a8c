package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that are copied to devices and from them; a file stands for each device. */
class DiskTransferTest {
  private static final int KIBIBYTE = 1024;

  @TempDir Path directory;

  /** A pool with devices of multiples of 4 KiB. */
  private record Devices(Path directory, long says) implements StoragePool.BlockVolumes {
    Path file(VolumeId id) {
      return directory.resolve(id.name());
    }

    @Override
    public void create(VolumeId id, Size size) {
      grow(id, size);
    }

    @Override
    public Optional<Size> size(VolumeId id) {
      return Optional.of(Size.ofBytes(file(id).toFile().length() + says));
    }

    @Override
    public void grow(VolumeId id, Size size) {
      try (RandomAccessFile file = new RandomAccessFile(file(id).toFile(), "rw")) {
        file.setLength((size.bytes() + 4095) / 4096 * 4096);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public StoragePool.Attachment attach(VolumeId id, boolean readOnly) {
      return new StoragePool.Attachment() {
        @Override
        public Path path() {
          return file(id);
        }

        @Override
        public Optional<IdMapping> mapped() {
          return Optional.empty();
        }

        @Override
        public void close() {
          // Nothing was made for it.
        }
      };
    }
  }

  private static final Mounts MOUNTS =
      (Mounts)
          Proxy.newProxyInstance(
              Mounts.class.getClassLoader(),
              new Class<?>[] {Mounts.class},
              (proxy, method, arguments) -> arguments[0]);

  private static VolumeId id(String name) {
    return new VolumeId(VolumeId.Kind.CUSTOM, name);
  }

  private DeviceTree device(String name, long size, long saysMore) {
    Devices devices = new Devices(directory, saysMore);
    devices.create(id(name), Size.ofBytes(size));
    return new DeviceTree(devices, id(name), MOUNTS);
  }

  private static byte[] content(int size) {
    byte[] content = new byte[size];
    content[0] = 1;
    content[size - 1] = 9;
    return content;
  }

  @Test
  void a_copy_has_all_bytes_and_tells_how_many_there_are() throws IOException {
    byte[] content = content(64 * KIBIBYTE);
    DeviceTree from = device("from", content.length, 0);
    Files.write(directory.resolve("from"), content);
    DeviceTree to = device("to", content.length, 0);
    List<Long> totals = new ArrayList<>();
    DiskTransfer.copy(from, to, (stage, done, total) -> totals.add(total));
    assertArrayEquals(content, Files.readAllBytes(directory.resolve("to")));
    assertEquals(content.length, to.filled());
    assertTrue(totals.stream().allMatch(total -> total == content.length), totals::toString);
  }

  @Test
  void a_device_that_ends_early_is_no_copy() {
    DeviceTree from = device("from", 64 * KIBIBYTE, 4096);
    DeviceTree to = device("to", 128 * KIBIBYTE, 0);
    StapesException e =
        assertThrows(StapesException.class, () -> DiskTransfer.copy(from, to, Progress.NONE));
    assertEquals(Kind.INTERNAL, e.kind());
    assertTrue(e.toString().contains("69632 bytes, and gave 65536"), e::toString);
  }

  @Test
  void a_device_grows_no_more_than_by_a_part_beyond_what_comes() throws IOException {
    byte[] content = content(10_000 * KIBIBYTE);
    DeviceTree to = device("to", 4096, 0).growing();
    DiskTransfer.fill(new ByteArrayInputStream(content), to, -1, Progress.NONE);
    long has = Files.size(directory.resolve("to"));
    assertTrue(has >= content.length && has <= content.length / 8 * 9 + 4096, "has " + has);
    assertEquals(content.length, to.filled());
  }

  @Test
  void a_device_is_filled_once_and_with_no_more_than_it_has() throws IOException {
    DeviceTree to = device("to", 64 * KIBIBYTE, 0);
    StapesException more =
        assertThrows(
            StapesException.class,
            () ->
                DiskTransfer.fill(
                    new ByteArrayInputStream(content(65 * KIBIBYTE)), to, -1, Progress.NONE));
    assertEquals(Kind.INVALID, more.kind());
    assertEquals(0, to.filled());
    StapesException again =
        assertThrows(StapesException.class, () -> to.newFile(Machine.Disk.IMAGE));
    assertEquals(Kind.CONFLICT, again.kind());
  }
}
