package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Throwaway instances of images that are not unpacked but mounted. */
@RequiresRoot
@RequiresKernel("squashfs-idmapped")
@RequiresTool("lxc-start")
@RequiresTool("mksquashfs")
@Timeout(120)
class MountedImageIT {
  @RegisterExtension final Room directory = new Room();
  private final SeenPools pools = new SeenPools("btrfs");

  private Stapes open() {
    return Stapes.builder(directory.path().resolve("root"))
        .with((StorageDriverProvider) pools)
        .defaultPool(PoolSpec.of("default", "btrfs"))
        .open();
  }

  private static InstanceSpec.Builder throwaway(String name) {
    return InstanceSpec.container(name, "squash").lifetime(Lifetime.THROWAWAY);
  }

  /** The machine's busybox, as a split image. */
  private void importSquash(Stapes stapes) throws Exception {
    stapes.images().importFrom(ImageSources.busybox(), "busybox");
    Path archive = directory.path().resolve("busybox.tar.zst");
    stapes.images().export("busybox", archive);
    Path content = Files.createDirectory(directory.path().resolve("content"));
    run("tar", "-C", content.toString(), "-xpf", archive.toString());
    Path metadata = directory.path().resolve("metadata.tar");
    run("tar", "-C", content.toString(), "-cf", metadata.toString(), "metadata.yaml");
    Path rootfs = directory.path().resolve("rootfs.squashfs");
    run("mksquashfs", content.resolve("rootfs").toString(), rootfs.toString(), "-quiet");
    stapes.images().importFrom(ImageSources.split(metadata, rootfs), "squash");
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertEquals(0, process.waitFor(), String.join(" ", command));
  }

  /** Loop devices of files below. */
  private List<String> loops() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/sys/block"))) {
      return all.map(device -> device.resolve("loop/backing_file"))
          .filter(Files::exists)
          .map(MountedImageIT::text)
          .filter(file -> file.startsWith(directory.path().toString()) && file.contains("images"))
          .toList();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return ""; // it has gone
    }
  }

  private static String output(Instance instance, String... command) {
    return instance.exec(command).stdout();
  }

  @Test
  void nothing_is_unpacked_and_each_has_its_own_changes() throws Exception {
    try (Stapes stapes = open()) {
      importSquash(stapes);
      Instance one = stapes.instances().launch(throwaway("one").imageMounted().build());
      Instance two = stapes.instances().launch(throwaway("two").imageMounted().build());
      assertEquals(0, pools.count("default", VolumeId.Kind.IMAGE));
      assertEquals("0\n", output(one, "stat", "-c", "%u", "/bin/busybox"));
      output(one, "sh", "-c", "echo mine > /etc/changed");
      assertEquals("mine\n", output(one, "cat", "/etc/changed"));
      assertEquals("", output(two, "sh", "-c", "cat /etc/changed 2>/dev/null || true"));
      assertEquals(1, loops().size());
      one.delete(Delete.FORCE);
      two.delete(Delete.FORCE);
      stapes.images().delete("squash");
    }
    assertEquals(List.of(), loops());
    Remains.requireNone(directory.path().resolve("root"), "after mounted images");
  }

  @Test
  void where_it_is_unpacked_that_is_used() throws Exception {
    try (Stapes stapes = open()) {
      importSquash(stapes);
      stapes.instances().launch(throwaway("unpacked").build()).delete(Delete.FORCE);
      Instance mounted = stapes.instances().launch(throwaway("mounted").imageMounted().build());
      assertEquals(1, pools.count("default", VolumeId.Kind.IMAGE));
      assertEquals(List.of(), loops());
      assertEquals("x\n", output(mounted, "echo", "x"));
    }
  }

  @Test
  void what_cannot_be_mounted_is_refused() throws Exception {
    try (Stapes stapes = open()) {
      importSquash(stapes);
      StapesException e =
          assertThrows(
              StapesException.class,
              () ->
                  stapes
                      .instances()
                      .launch(
                          InstanceSpec.container("tar", "busybox")
                              .lifetime(Lifetime.THROWAWAY)
                              .imageMounted()
                              .build()));
      assertEquals(Kind.UNSUPPORTED, e.kind(), e.toString());
      assertThrows(
          StapesException.class,
          () -> InstanceSpec.container("durable", "squash").imageMounted().build());
      assertFalse(stapes.instances().list().stream().anyMatch(info -> info.name().equals("tar")));
    }
  }
}
