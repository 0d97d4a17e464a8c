package dev.stapes.testkit.engine;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceType;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** An image of a virtual machine: a raw disk of 16 KiB that begins with a text. */
record DiskImage(String text) implements ImageSource {
  /** The size of the disk. */
  static final int SIZE = 16 << 10;

  @Override
  public String describe() {
    return "disk image";
  }

  @Override
  public Fetched fetch(Context context) {
    Path archive = context.work().resolve("image.tar");
    try (var tar =
        new org.apache.commons.compress.archivers.tar.TarArchiveOutputStream(
            Files.newOutputStream(archive))) {
      SmallImage.add(tar, "metadata.yaml", "architecture: x86_64\ncreation_date: 0\n");
      byte[] disk = Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), SIZE);
      SmallImage.add(tar, "rootfs.img", new String(disk, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Fetched(
        archive,
        new ImageMetadata(
            InstanceType.VIRTUAL_MACHINE, "x86_64", Instant.EPOCH, new TreeMap<>(Map.of())));
  }
}
