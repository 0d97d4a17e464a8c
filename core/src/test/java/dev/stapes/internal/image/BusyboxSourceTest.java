package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Output;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BusyboxSourceTest {
  private static final Instant BUILT = Instant.parse("2023-04-05T06:07:08Z");
  private static final int X86_64 = 62;
  private static final int AARCH64 = 183;

  private final Path root;
  private final FakeHost host;

  BusyboxSourceTest(@TempDir Path root) {
    this.root = root;
    this.host = new FakeHost(root);
    host.answer =
        command ->
            new Output(
                "[\n[[\nash\ninit\nkill\npoweroff\nreboot\nsh\nsleep\nstart-stop-daemon\n../evil\nusleep\n",
                "");
  }

  /** A program with one program header. */
  private void program(String name, int machine, int headerType) throws IOException {
    ByteBuffer elf = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    elf.putShort(18, (short) machine).putLong(32, 64).putShort(54, (short) 56);
    elf.putShort(56, (short) 1).putInt(64, headerType);
    elf.position(128).put("BusyBox v1.36.1 (Debian)".getBytes(StandardCharsets.US_ASCII));
    Path file = root.resolve("bin").resolve(name);
    Files.createDirectories(root.resolve("bin"));
    Files.write(file, elf.array());
    Files.setLastModifiedTime(file, FileTime.from(BUILT));
    host.programs.put(name, Path.of("/bin").resolve(name));
  }

  private ImageSource.Fetched fetch(String work) throws IOException {
    Path directory = Files.createDirectory(root.resolve(work));
    return new BusyboxSource()
        .fetch(
            new ImageSource.Context(
                host, directory, directory, (digest, target) -> false, Progress.NONE));
  }

  @Test
  void the_image_has_the_program_its_links_and_the_usual_files() throws IOException {
    program("busybox", X86_64, 1);
    ImageSource.Fetched fetched = fetch("work");
    assertEquals("1.36.1", fetched.metadata().properties().get("release"));
    assertEquals(BUILT, fetched.metadata().createdAt());
    MemoryTree tree = new MemoryTree();
    new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(fetched.archive(), Optional.empty()), Progress.NONE);
    assertEquals(0755, tree.stat("bin/busybox").orElseThrow().mode());
    assertEquals(256, tree.stat("bin/busybox").orElseThrow().size());
    assertEquals(0755, tree.stat("sbin/init").orElseThrow().mode());
    assertEquals("busybox", tree.readlink("usr/bin/["));
    assertEquals("busybox", tree.readlink("bin/reboot"));
    assertEquals(01777, tree.stat("tmp").orElseThrow().mode());
    assertEquals(0700, tree.stat("root").orElseThrow().mode());
    assertEquals(0755, tree.stat("etc/rc.console").orElseThrow().mode());
    for (String file :
        new String[] {"passwd", "group", "hostname", "hosts", "resolv.conf", "profile"}) {
      assertTrue(tree.stat("etc/" + file).isPresent(), file);
    }
    for (String empty : new String[] {"proc", "sys", "dev", "run", "mnt"}) {
      assertTrue(tree.list(empty).isEmpty(), empty);
    }
    assertTrue(tree.list("bin").stream().noneMatch(name -> name.contains("evil")));
    for (String line : tree.dump()) {
      assertTrue(line.contains(" 0:0 " + BUILT), line);
    }
  }

  @Test
  void the_same_program_gives_the_same_bytes() throws IOException {
    program("busybox", X86_64, 1);
    assertArrayEquals(
        Files.readAllBytes(fetch("one").archive()), Files.readAllBytes(fetch("two").archive()));
  }

  @Test
  void a_missing_dynamic_or_foreign_busybox_is_said_with_the_remedy() throws IOException {
    unavailable("not found", "missing");
    program("busybox", X86_64, 3);
    unavailable("/bin/busybox is dynamically linked", "dynamic");
    program("busybox", AARCH64, 1);
    unavailable("/bin/busybox is not for x86_64", "foreign");
    Files.writeString(root.resolve("bin/busybox"), "#!/bin/sh\n");
    unavailable("no ELF", "script");
    program("busybox", X86_64, 1);
    host.answer = command -> new Output("sh\n", "");
    unavailable("lacks poweroff", "poor");
  }

  @Test
  void the_static_one_of_several_is_taken() throws IOException {
    program("busybox", X86_64, 3);
    program("busybox-static", X86_64, 1);
    fetch("work");
    assertEquals("/bin/busybox-static", host.commands.get(0).arguments().get(0));
  }

  private void unavailable(String why, String work) {
    StapesException e = assertThrows(StapesException.class, () -> fetch(work));
    assertEquals(StapesException.Kind.UNAVAILABLE, e.kind());
    assertTrue(e.toString().contains(why), e.toString());
    assertTrue(e.toString().contains("install the package busybox-static"), e.toString());
  }
}
