package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.InstanceFiles;
import dev.stapes.InstanceFiles.Attributes;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The files of a virtual machine, which its own programs read and write for the host. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
class FilesInGuestIT {
  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");
  private static Instance vm;
  private static InstanceFiles files;

  @TempDir Path host;

  @BeforeAll
  static void boot() throws IOException {
    vm = BENCH.launch();
    files = vm.files();
  }

  @Test
  void a_tree_that_is_pushed_comes_back_the_same() throws IOException {
    Path tree = Files.createDirectories(host.resolve("tree/deep/er"));
    byte[] content = new byte[2_000_000];
    new Random(1).nextBytes(content);
    Files.write(tree.resolve("data"), content);
    Files.writeString(tree.resolve("it's a\nname"), "x");
    Files.writeString(host.resolve("tree/-run.sh"), "#!/bin/sh\necho run\n");
    assertTrue(host.resolve("tree/-run.sh").toFile().setExecutable(true));
    Files.createSymbolicLink(host.resolve("tree/link"), Path.of("deep/er/data"));
    files.push(host.resolve("tree"), "/root/tree");
    assertEquals("run\n", vm.exec("/root/tree/-run.sh").orThrow().stdout());
    Path back = host.resolve("back");
    files.pull("/root/tree", back);
    assertArrayEquals(content, Files.readAllBytes(back.resolve("deep/er/data")));
    assertEquals("x", Files.readString(back.resolve("deep/er/it's a\nname")));
    assertTrue(Files.isExecutable(back.resolve("-run.sh")));
    assertEquals(Path.of("deep/er/data"), Files.readSymbolicLink(back.resolve("link")));
    files.delete("/root/tree");
    assertFalse(files.exists("/root/tree"));
  }

  @Test
  void what_is_written_has_its_owner_and_mode() {
    files.makeDirectories("/srv/a/b");
    files.write(
        "/srv/a/b/file",
        "text".getBytes(java.nio.charset.StandardCharsets.UTF_8),
        new Attributes(1000, 1001, 04750));
    String stat = vm.exec("stat", "-c", "%u %g %a %s", "/srv/a/b/file").orThrow().stdout();
    assertEquals("1000 1001 4750 4\n", stat);
    assertEquals("text", files.readText("/srv/a/b/file"));
    assertEquals(List.of("file"), files.list("/srv/a/b"));
  }

  @Test
  void files_of_the_kernel_are_read() {
    assertEquals(vm.exec("cat", "/proc/version").stdout(), files.readText("/proc/version"));
    assertEquals(vm.exec("cat", "/proc/crypto").stdout(), files.readText("/proc/crypto"));
    String sys = "/sys/class/virtio-ports/vport1p1/name";
    assertEquals(vm.exec("cat", sys).stdout(), files.exists(sys) ? files.readText(sys) : "");
  }

  @Test
  void what_cannot_be_is_an_error_that_says_why() {
    vm.exec("mkfifo", "/root/fifo").orThrow();
    assertEquals(Kind.INVALID, kind(() -> files.read("/root/fifo")));
    assertEquals(Kind.INVALID, kind(() -> files.read("/root")));
    assertEquals(Kind.INVALID, kind(() -> files.writeText("/root/fifo", "x")));
    assertEquals(Kind.NOT_FOUND, kind(() -> files.read("/nowhere")));
    assertEquals(Kind.NOT_FOUND, kind(() -> files.delete("/nowhere")));
    assertEquals(Kind.INVALID, kind(() -> files.list("/etc/passwd/x")));
    vm.exec("sh", "-c", "mkdir -p /mnt/s && mount -t tmpfs -o size=64k none /mnt/s").orThrow();
    StapesException full =
        assertThrows(
            StapesException.class,
            () -> files.write("/mnt/s/big", new byte[1 << 20], Attributes.DEFAULT));
    assertEquals(Kind.EXHAUSTED, full.kind(), full.getMessage());
    vm.exec("mount", "-o", "remount,ro", "/mnt/s").orThrow();
    StapesException refused =
        assertThrows(StapesException.class, () -> files.writeText("/mnt/s/x", "x"));
    assertEquals(Kind.DENIED, refused.kind(), refused.getMessage());
    vm.exec("umount", "/mnt/s").orThrow();
  }

  private static Kind kind(Runnable body) {
    return assertThrows(StapesException.class, body::run).kind();
  }
}
