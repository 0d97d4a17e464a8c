package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Volume;
import dev.stapes.Volumes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import dev.stapes.model.VolumeSpec;
import dev.stapes.spi.Machine;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Custom volumes that are images of CDs. */
class EngineIsoVolumesTest {
  private static final int DESCRIPTOR = 32768;
  private static final int BLOCKS = 40;
  private static final EngineWorld.Setup MACHINES =
      EngineWorld.Setup.usual().driver(fake -> fake.type(InstanceType.VIRTUAL_MACHINE));

  @TempDir Path directory;

  /** The first volume descriptor, and a word at the end. */
  private static byte[] image() {
    ByteBuffer image = ByteBuffer.allocate(BLOCKS * 2048).order(ByteOrder.LITTLE_ENDIAN);
    image.put(DESCRIPTOR, (byte) 1);
    image.put(DESCRIPTOR + 1, "CD001".getBytes(StandardCharsets.US_ASCII));
    image.putInt(DESCRIPTOR + 80, BLOCKS);
    image.putShort(DESCRIPTOR + 128, (short) 2048);
    image.put(BLOCKS * 2048 - 3, "end".getBytes(StandardCharsets.US_ASCII));
    return image.array();
  }

  private static Volumes volumes(EngineWorld world) {
    return world.stapes().pools().byDefault().volumes();
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  private static Instance vm(EngineWorld world, String name) {
    InstanceSpec spec =
        InstanceSpec.virtualMachine(name, "disk")
            .device("root", Device.root(disk -> disk.pool("default").size(Size.ofKibibytes(64))))
            .device("cd", Device.disk(disk -> disk.volume("default", "setup").bootPriority(10)))
            .build();
    return world.stapes().instances().launch(spec);
  }

  @Test
  void several_machines_have_it_as_a_cd() throws IOException {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      try (EngineWorld world = EngineWorld.create(setup)) {
        world.stapes().images().importFrom(new DiskImage("boot"), "disk");
        Path file = Files.write(directory.resolve("image.iso"), image());
        Volume volume = volumes(world).importIso(file, "setup");
        assertEquals(VolumeContent.ISO, volume.info().content());
        assertEquals(Optional.of(Size.ofBytes(image().length)), volume.info().size());
        Instance one = vm(world, "one");
        Instance two = vm(world, "two");
        for (Instance vm : List.of(one, two)) {
          Machine.Disk disk = Objects.requireNonNull(world.room().disks(vm.id()).get("cd"));
          assertEquals(Machine.Disk.Form.CDROM, disk.form());
          assertArrayEquals(image(), Arrays.copyOf(world.disk(vm, "cd"), image().length));
        }
        refused(
            Kind.INVALID, "stays as it was", () -> volume.resize(Optional.of(Size.ofMebibytes(9))));
        volume.update(Map.of("user.from", "somewhere"));
        volume.copyTo("copy");
      }
    }
  }

  @Test
  void a_stream_is_imported_whatever_its_size() {
    byte[] long1 = Arrays.copyOf(image(), 65 << 20); // more than a device has at first
    long1[long1.length - 1] = 7;
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      try (EngineWorld world = EngineWorld.create(setup)) {
        world.stapes().images().importFrom(new DiskImage("boot"), "disk");
        Volume volume =
            volumes(world).importIso(new ByteArrayInputStream(long1), "setup", Progress.NONE);
        assertEquals(Optional.of(Size.ofMebibytes(65)), volume.info().size());
        byte[] seen = world.disk(vm(world, "vm"), "cd");
        assertEquals(7, seen[long1.length - 1]);
      }
    }
  }

  @Test
  void a_backup_comes_back_on_pools_of_each_kind() throws IOException {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      Path stream = directory.resolve("of-stream");
      Path file = directory.resolve("of-file");
      try (EngineWorld world = EngineWorld.create(setup)) {
        Volumes volumes = volumes(world);
        Path image = Files.write(directory.resolve("image.iso"), image());
        export(volumes.importIso(image, "file"), file);
        export(
            volumes.importIso(new ByteArrayInputStream(image()), "setup", Progress.NONE), stream);
      }
      for (EngineWorld.Setup other : List.of(MACHINES, MACHINES.withDevices())) {
        try (EngineWorld world = EngineWorld.create(other)) {
          world.stapes().images().importFrom(new DiskImage("boot"), "disk");
          volumes(world).importFrom(file);
          Volume again = volumes(world).importFrom(stream);
          assertEquals(VolumeContent.ISO, again.info().content());
          long size = again.info().size().orElseThrow().bytes();
          assertTrue(size < image().length + (96 << 10), () -> "has " + size);
          byte[] seen = world.disk(vm(world, "vm"), "cd");
          assertArrayEquals(image(), Arrays.copyOf(seen, image().length));
        }
      }
    }
  }

  private static void export(Volume volume, Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      volume.export(out);
    }
  }

  @Test
  void what_is_no_image_or_was_cut_leaves_nothing() throws IOException {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      try (EngineWorld world = EngineWorld.create(setup)) {
        Volumes volumes = volumes(world);
        Path text = Files.writeString(directory.resolve("text"), "no image");
        refused(Kind.INVALID, "no ISO 9660", () -> volumes.importIso(text, "x"));
        Path zeros = Files.write(directory.resolve("zeros"), new byte[100_000]);
        refused(Kind.INVALID, "no ISO 9660", () -> volumes.importIso(zeros, "x"));
        Path cut = Files.write(directory.resolve("cut"), Arrays.copyOf(image(), 40_000));
        refused(Kind.INVALID, "was cut", () -> volumes.importIso(cut, "x"));
        refused(Kind.NOT_FOUND, "gone", () -> volumes.importIso(directory.resolve("gone"), "x"));
        refused(Kind.INVALID, "is no file", () -> volumes.importIso(directory, "x"));
        refused(
            Kind.UNAVAILABLE,
            "line is broken",
            () -> volumes.importIso(new Broken(), "x", Progress.NONE));
        refused(
            Kind.INVALID,
            "import it",
            () ->
                volumes.create(
                    new VolumeSpec("x", VolumeContent.ISO, "", dev.stapes.model.Config.empty())));
        assertEquals(List.of(), volumes.list());
        volumes.create("setup");
        refused(
            Kind.CONFLICT,
            "exists already",
            () -> volumes.importIso(new ByteArrayInputStream(image()), "setup", Progress.NONE));
      }
    }
  }

  /** Gives the beginning of an image, and fails. */
  private static final class Broken extends InputStream {
    private final InputStream begin = new ByteArrayInputStream(image(), 0, 50_000);

    @Override
    public int read() throws IOException {
      return read(new byte[1], 0, 1);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = begin.read(into, offset, length);
      if (count < 0) {
        throw new IOException("the line is broken");
      }
      return count;
    }
  }

  @Test
  void an_import_that_fails_leaves_nothing() throws Exception {
    for (EngineWorld.Setup setup : List.of(MACHINES, MACHINES.withDevices())) {
      assertTrue(
          EngineScenario.of(
                      world -> {},
                      stapes ->
                          stapes
                              .pools()
                              .byDefault()
                              .volumes()
                              .importIso(new ByteArrayInputStream(image()), "setup", Progress.NONE))
                  .in(setup)
                  .forEveryEffect()
              > 0);
    }
  }
}
