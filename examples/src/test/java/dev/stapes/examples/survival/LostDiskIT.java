package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Between two opens somebody takes away the disk of a pool, or the state. What it concerns says
 * what is missing, nothing is destroyed, everything else works; and put back it is all there.
 */
@Tag("once")
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class LostDiskIT {
  @RegisterExtension final Room directory = new Room();

  private Stapes open() {
    return Stapes.builder(directory.path()).defaultPool(PoolSpec.of("default", "dir")).open();
  }

  private Path disk() {
    return directory.resolve("pools/extra/disk.img");
  }

  /** What became of a file. */
  enum Loss {
    GONE {
      @Override
      void happen(Path file) throws IOException {
        Files.delete(file);
      }
    },
    TRUNCATED {
      @Override
      void happen(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(channel.size() / 2);
        }
      }
    },
    EMPTY {
      @Override
      void happen(Path file) throws IOException {
        Files.write(file, new byte[0]);
      }
    },
    GARBAGE {
      @Override
      void happen(Path file) throws IOException {
        Files.write(file, "garbage ".repeat(1 << 16).getBytes(StandardCharsets.UTF_8));
      }
    };

    abstract void happen(Path file) throws IOException;
  }

  private static void refused(Kind kind, String naming, Executable attempt) {
    StapesException error = assertThrows(StapesException.class, attempt);
    assertEquals(kind, error.kind(), error::toString);
    assertTrue(String.valueOf(error.getMessage()).contains(naming), error::toString);
  }

  private static InstanceSpec.Builder box(String name) {
    return InstanceSpec.container(name, "busybox");
  }

  private static void write(Instance instance) {
    instance.exec("sh", "-c", "echo 1 > /root/file; sync").orThrow();
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void a_pool_whose_loop_file_is_lost_is_not_made_worse_and_others_work(Loss loss)
      throws Exception {
    try (Stapes stapes = open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      stapes.pools().create(PoolSpec.of("extra", "btrfs").size(Size.ofMebibytes(256)));
      Instance there = stapes.instances().launch(box("there").device("root", inExtra()).build());
      write(there);
      there.snapshots().create("s");
      there.stop(dev.stapes.Stop.FORCE);
      write(stapes.instances().launch(box("here").build()));
    }
    Path kept = directory.resolve("kept");
    Files.move(disk(), kept);
    assertEquals(
        0, new ProcessBuilder("cp", "--sparse=always", kept + "", disk() + "").start().waitFor());
    loss.happen(disk());
    byte[] before = hashOf(disk());

    try (Stapes stapes = open()) {
      assertEquals(Set.of("extra"), stapes.pools().broken().keySet());
      Instance there = stapes.instances().get("there");
      assertEquals(InstanceStatus.ERROR, there.info().status());
      assertEquals(1, there.snapshots().list().size());
      refused(Kind.UNAVAILABLE, "extra", there::start);
      refused(Kind.UNAVAILABLE, "extra", () -> there.copyTo("copy"));
      refused(Kind.UNAVAILABLE, "extra", () -> there.snapshots().create("t"));
      refused(Kind.UNAVAILABLE, "extra", () -> there.snapshots().restore("s"));
      refused(Kind.UNAVAILABLE, "extra", () -> there.files().readText("/root/file"));
      refused(Kind.UNAVAILABLE, "extra", () -> stapes.pools().get("extra").delete());
      refused(
          Kind.UNAVAILABLE,
          "extra",
          () -> stapes.instances().create(box("more").device("root", inExtra()).build()));
      refused(Kind.BUSY, "there", () -> stapes.pools().forget("extra"));

      Instance here = stapes.instances().get("here");
      assertEquals("1\n", here.exec("cat", "/root/file").orThrow().stdout());
      here.snapshots().create("s");
      here.copyTo("another").start().delete(Delete.FORCE);
      here.snapshots().restore("s");
      here.delete(Delete.FORCE);
    }
    assertArrayEquals(before, hashOf(disk()));

    Files.deleteIfExists(disk());
    Files.move(kept, disk());
    try (Stapes stapes = open()) {
      assertEquals(Map.of(), stapes.pools().broken());
      Instance there = stapes.instances().get("there").start();
      assertEquals("1\n", there.exec("cat", "/root/file").orThrow().stdout());
      there.snapshots().restore("s");
      there.delete(Delete.FORCE);
      stapes.pools().get("extra").delete();
    }
    Remains.requireNone(directory.path(), "after " + loss);
  }

  private static Device inExtra() {
    return Device.root(disk -> disk.pool("extra"));
  }

  private static byte[] hashOf(Path file) throws Exception {
    if (Files.notExists(file)) {
      return new byte[0];
    }
    Process sum =
        new ProcessBuilder("sha256sum", file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    byte[] line = sum.getInputStream().readAllBytes();
    assertEquals(0, sum.waitFor());
    return line;
  }

  @ParameterizedTest
  @ValueSource(strings = {"btrfs", "dir", "overlay"})
  void without_its_state_nothing_of_a_root_directory_is_touched(String driver) throws Exception {
    PoolSpec spec = PoolSpec.of("default", driver);
    Path root = directory.path();
    long pid;
    try (Stapes stapes = Stapes.builder(root).defaultPool(spec).open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      Instance one = stapes.instances().launch(box("one").build());
      write(one);
      pid = one.state().pid().orElseThrow();
    }
    Path kept = Files.createDirectory(directory.resolve("kept"));
    for (Path file : stateFiles(root)) {
      Files.move(file, kept.resolve(file.getFileName()));
    }
    Map<String, Long> before = filesOf(root);
    refused(
        Kind.UNAVAILABLE, "its state is gone", () -> Stapes.builder(root).defaultPool(spec).open());
    Map<String, Long> after = filesOf(root);
    after.keySet().removeIf(name -> name.startsWith("state"));
    assertEquals(before, after);
    assertTrue(Files.exists(Path.of("/proc/" + pid)), "the instance goes on");

    for (Path file : stateFiles(root)) {
      Files.delete(file);
    }
    for (Path file : stateFiles(kept)) {
      Files.move(file, root.resolve(file.getFileName()));
    }
    Files.delete(kept);
    try (Stapes stapes = Stapes.builder(root).defaultPool(spec).open()) {
      Instance one = stapes.instances().get("one");
      assertEquals(pid, one.state().pid().orElseThrow());
      assertEquals("1\n", one.exec("cat", "/root/file").orThrow().stdout());
      one.delete(Delete.FORCE);
    }
    Remains.requireNone(root, driver);
  }

  @Test
  void garbage_for_a_state_is_refused_and_everything_kept() throws Exception {
    Path root = directory.path();
    try (Stapes stapes = open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      write(stapes.instances().launch(box("one").build()));
    }
    Path state = stateFiles(root).get(0);
    byte[] good = Files.readAllBytes(state);
    for (Loss loss : List.of(Loss.TRUNCATED, Loss.GARBAGE)) {
      loss.happen(state);
      byte[] bad = Files.readAllBytes(state);
      Map<String, Long> before = filesOf(root);
      refused(Kind.UNAVAILABLE, "state.db", this::open);
      assertEquals(before, filesOf(root));
      assertArrayEquals(bad, Files.readAllBytes(state));
      Files.write(state, good);
    }
    try (Stapes stapes = open()) {
      Instance one = stapes.instances().get("one");
      assertEquals("1\n", one.exec("cat", "/root/file").orThrow().stdout());
      one.delete(Delete.FORCE);
    }
    Remains.requireNone(root, "after garbage");
  }

  @Test
  void a_pool_is_not_made_where_something_is_and_nothing_of_it_is_removed() throws Exception {
    try (Stapes stapes = open()) {
      Path there = Files.createDirectory(directory.resolve("pools/extra"));
      Files.writeString(there.resolve("precious"), "data");
      for (String driver : List.of("btrfs", "dir", "overlay")) {
        refused(
            Kind.CONFLICT,
            there.toString(),
            () -> stapes.pools().create(PoolSpec.of("extra", driver)));
        assertEquals("data", Files.readString(there.resolve("precious")));
      }
    }
  }

  private static List<Path> stateFiles(Path root) throws IOException {
    try (Stream<Path> all = Files.list(root)) {
      return all.filter(file -> file.getFileName().toString().startsWith("state"))
          .sorted()
          .toList();
    }
  }

  /** The files of a root directory and their sizes, but what is mounted and what is running. */
  private static Map<String, Long> filesOf(Path root) throws IOException {
    TreeMap<String, Long> sizes = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        String name = root.relativize(file).toString();
        if (!name.equals("lock") && !name.startsWith("run/")) {
          sizes.put(name, Files.size(file));
        }
      }
    }
    return sizes;
  }
}
