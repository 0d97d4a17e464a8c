package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Debian from the machine's own mirror. */
@Tag("once")
@RequiresRoot
@RequiresKernel("loop")
@RequiresKernel("btrfs")
@RequiresTool("mkfs.btrfs")
@RequiresTool("debootstrap")
class DebootstrapIT {
  private ImageBench bench;

  @BeforeEach
  void open() throws IOException {
    bench = new ImageBench();
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private Set<String> images() throws IOException {
    try (Stream<Path> files = Files.list(bench.root().resolve("images"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals(".cache") && !name.equals(".blobs"))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void a_debian_comes_whole_and_as_nobodys_in_particular() throws IOException {
    ImageInfo image = bench.bring(new SharedDebian());
    assertEquals("Debian", image.metadata().properties().get("os"));
    assertEquals(Set.of(image.fingerprint()), images());
    assertTrue(bench.host().mounts().below(bench.root().resolve("images")).isEmpty());
    try (Tree tree = bench.files(bench.unpacked(image))) {
      assertEquals(04755, tree.stat("usr/bin/su").orElseThrow().mode());
      assertEquals(42, tree.stat("etc/shadow").orElseThrow().gid());
      assertEquals("/lib/systemd/systemd", tree.readlink("usr/sbin/init"));
      assertEquals(0, tree.stat("etc/machine-id").orElseThrow().size());
      assertFalse(tree.stat("etc/hostname").isPresent());
      assertTrue(tree.list("dev").isEmpty());
      assertTrue(tree.list("proc").isEmpty());
      assertEquals(
          List.of(),
          tree.list("var/cache/apt/archives").stream()
              .filter(name -> name.endsWith(".deb"))
              .toList());
    }
  }

  @Test
  void one_that_is_interrupted_leaves_nothing() throws IOException {
    StapesException e =
        assertThrows(
            StapesException.class,
            () ->
                bench
                    .store()
                    .importFrom(
                        ImageSources.debootstrap("bookworm"),
                        List.of(),
                        interruptingAt("debootstrap")));
    assertTrue(Thread.interrupted());
    assertEquals(StapesException.Kind.INTERRUPTED, e.kind(), e.toString());
    assertEquals(Set.of(), images());
  }

  @Test
  void a_suite_that_does_not_exist_is_said() throws IOException {
    StapesException e =
        assertThrows(
            StapesException.class, () -> bench.bring(ImageSources.debootstrap("nosuchsuite")));
    assertEquals(StapesException.Kind.INTERNAL, e.kind(), e.toString());
    assertTrue(e.toString().contains("nosuchsuite"), e.toString());
    assertEquals(Set.of(), images());
  }

  private static Progress interruptingAt(String wanted) {
    return (stage, done, total) -> {
      if (stage.equals(wanted)) {
        Thread.currentThread().interrupt();
      }
    };
  }
}
