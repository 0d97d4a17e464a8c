package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MovableDevicesTest {
  @TempDir Path directory;

  private static SortedMap<String, String> of(Machine.Spec spec) throws IOException {
    return MovableDevices.of(spec, UnaryOperator.identity());
  }

  private static Machine.Spec disk(Path source, Device.Disk disk) {
    Machine.Spec spec = Specs.of(Map.of("data", disk));
    Machine.Disk attached = new Machine.Disk(source, Optional.empty(), Device.IoLimits.NONE);
    return spec.with(spec.root(), new TreeMap<>(Map.of("data", attached)));
  }

  private static Device.Disk disk(Path source) {
    return Device.disk("/data", each -> each.source(source.toString()));
  }

  private static void refused(String words, Machine.Spec spec) {
    Specs.refused(
        Kind.UNSUPPORTED,
        words,
        () -> {
          try {
            of(spec);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void an_interface_moves_with_its_address_and_not_with_its_name() throws IOException {
    Device.Nic nic = Device.Nic.p2p().address("10:66:6a:01:02:03");
    assertEquals(
        Map.of("dev-eth0", "address 10:66:6a:01:02:03"), of(Specs.of(Map.of("eth0", nic))));
    refused(
        "its device eth0 does not move: its name on the host is in use until it has moved",
        Specs.of(Map.of("eth0", nic.hostName("mine"))));
  }

  @Test
  void a_file_is_the_same_only_where_it_is_the_same_file() throws IOException {
    Path file = Files.write(directory.resolve("data"), new byte[8192]);
    Map<String, String> found = of(disk(file, disk(file)));
    assertEquals(1, found.size());
    String words = String.join("; ", found.values());
    assertTrue(words.endsWith("of 8192 bytes"), words);
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    assertEquals(found, of(disk(link, disk(link))));
    Path other = Files.write(directory.resolve("other"), new byte[8192]);
    assertNotEquals(found, of(disk(other, disk(other))));
    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    assertEquals(found, of(disk(file, disk(file)))); // its guest writes to it on the way
  }

  @Test
  void what_does_not_move_is_named() throws IOException {
    refused("its device data does not move: a directory", disk(directory, disk(directory)));
    Path zero = Path.of("/dev/zero");
    refused("its device data does not move: it is no file", disk(zero, disk(zero)));
    refused("its device chip does not move", Specs.of(Map.of("chip", new Device.Tpm())));
    Device card = new Device.Raw("pci", new TreeMap<>(Map.of("address", "01:00.0")));
    refused("its device card does not move: it is one of the host", Specs.of(Map.of("card", card)));
    Specs.refused(
        Kind.UNAVAILABLE,
        "source of device data is missing",
        () -> {
          try {
            of(Specs.of(Map.of("data", disk(directory))));
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }
}
