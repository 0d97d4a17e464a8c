package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.VmBench.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Size;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A guest that boots from a real device of a pool: what its fake in the driver's own tests cannot
 * show. Where the machine has no such pools, {@code MachinesInLabIT} runs it in the lab VM.
 */
@Tag("once")
@Timeout(value = 1200, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class RealRootDevice {
  private static final Size SMALL = Size.ofMebibytes(512);
  private static final Size LARGE = Size.ofMebibytes(768);
  private static final int CHUNK = 1 << 20;
  private static final String FIRST = "written by the guest itself";

  private long last;

  /** With a pool of the driver. */
  abstract VmBench bench();

  /** How the kernel's names of such devices begin. */
  abstract String device();

  private static Device root(Size size) {
    return Device.root(disk -> disk.pool("default").size(size));
  }

  private Instance launch() {
    InstanceSpec spec = bench().spec().device("root", root(SMALL)).build();
    return bench().stapes().instances().launch(spec);
  }

  /** Says how long it took since the last one: this is slow where it is emulated twice. */
  private void done(String step) {
    long now = System.nanoTime();
    System.out.println("  " + step + ": " + (now - last) / 1_000_000 + " ms");
    last = now;
  }

  private static void write(Instance vm, String text) {
    output(vm, "echo '" + text + "' > /root/what; sync");
  }

  private static String read(Instance vm) {
    return output(vm, "cat /root/what");
  }

  /** What QEMU has open as its disk, as a path and as the kernel's name of it. */
  private record Opened(Path path, String name) {
    /** Of st_rdev, see {@code makedev(3)}. */
    static Optional<Opened> of(Path path) throws IOException {
      long number;
      try {
        number = ((Number) Files.getAttribute(path, "unix:rdev")).longValue();
      } catch (NoSuchFileException e) {
        return Optional.empty(); // closed meanwhile
      }
      String id = ((number >> 8) & 0xfff) + ":" + ((number & 0xff) | ((number >> 12) & 0xfff00));
      Path device = Path.of("/sys/dev/block", id);
      String name = Files.exists(device) ? String.valueOf(device.toRealPath().getFileName()) : "";
      return Optional.of(new Opened(path, name));
    }
  }

  private Opened disk(Instance vm) throws IOException {
    List<Opened> opened = new ArrayList<>();
    Path descriptors = Path.of("/proc/" + vm.state().pid().orElseThrow() + "/fd");
    try (Stream<Path> all = Files.list(descriptors)) {
      for (Path each : all.toList()) {
        Opened.of(each).ifPresent(opened::add);
      }
    }
    return opened.stream()
        .filter(each -> each.name().startsWith(device()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no root device among " + opened));
  }

  /** Whether a device has a text, which is in no two of its chunks at once. */
  private static boolean has(Path device, String text) throws IOException {
    byte[] chunk = new byte[CHUNK];
    byte[] zeros = new byte[CHUNK];
    try (InputStream in = Files.newInputStream(device)) {
      int length = in.readNBytes(chunk, 0, CHUNK);
      while (length > 0) {
        if (!Arrays.equals(chunk, zeros)
            && new String(chunk, 0, length, StandardCharsets.ISO_8859_1).contains(text)) {
          return true;
        }
        length = in.readNBytes(chunk, 0, CHUNK);
      }
    }
    return false;
  }

  /** The guest is told of it by an interrupt. */
  private static void awaitSize(Instance vm, Size size) {
    String small = "[ $(cat /sys/block/vda/size) -lt " + size.bytes() / 512 + " ]";
    output(vm, "while " + small + "; do usleep 50000; done");
  }

  @Test
  void a_guest_boots_from_it_and_it_is_snapshot_restored_copied_grown_and_removed()
      throws IOException {
    last = System.nanoTime();
    Instance vm = launch();
    done("launch");
    write(vm, FIRST);
    done("boot, write, sync");
    Opened disk = disk(vm);
    assertTrue(has(disk.path(), FIRST), disk.toString());
    done("read " + disk.name());
    vm.snapshots().create("then");
    done("snapshot");
    write(vm, "after");
    Instance copy = vm.copyTo("copy");
    done("write, copy");
    vm.update(change -> change.device("root", root(LARGE)));
    awaitSize(vm, LARGE);
    done("grow");
    assertEquals("after", read(vm));
    vm.stop(Stop.FORCE);
    vm.snapshots().restore("then");
    done("read, stop, restore");
    vm.start();
    assertEquals(FIRST, read(vm));
    done("start, read");
    vm.delete(Delete.FORCE);
    done("delete");
    copy.start();
    assertEquals("after", read(copy));
    done("start the copy, read");
    assertTrue(disk(copy).name().startsWith(device()));
    copy.delete(Delete.FORCE);
    done("delete");
  }
}
