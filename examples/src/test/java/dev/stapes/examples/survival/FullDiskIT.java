package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.ImageMetadata;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/**
 * The disk below a pool or below the root directory is full to the last byte. What needs space says
 * so and leaves nothing; what is there stays; and with space again everything works.
 */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class FullDiskIT {
  private static final int BIG = 8 << 20;

  @RegisterExtension final Room directory = new Room();

  private static Stapes open(Path root, PoolSpec pool) {
    return Stapes.builder(root).defaultPool(pool).open();
  }

  private static InstanceSpec box(String name) {
    return InstanceSpec.container(name, "busybox").build();
  }

  private static void exhausted(Stapes stapes, Executable attempt) {
    String before = Diary.stateOf(stapes);
    StapesException error = assertThrows(StapesException.class, attempt);
    assertEquals(Kind.EXHAUSTED, error.kind(), error::toString);
    assertEquals(0, error.getSuppressed().length, error::toString);
    assertEquals(before, Diary.stateOf(stapes));
  }

  /** It works, or there is no space for it and it leaves nothing. */
  private static void exhaustedAtWorst(Stapes stapes, Executable attempt) throws Throwable {
    String before = Diary.stateOf(stapes);
    try {
      attempt.execute();
    } catch (StapesException e) {
      assertEquals(Kind.EXHAUSTED, e.kind(), e::toString);
      assertEquals(before, Diary.stateOf(stapes));
    }
  }

  /** Everything that an instance can do. */
  private static void everythingWorks(Stapes stapes, Instance one) {
    assertEquals("up\n", one.exec("echo", "up").orThrow().stdout());
    one.snapshots().create("works");
    one.copyTo("copy").start().delete(Delete.FORCE);
    one.snapshots().restore("works");
    stapes.images().publish(one.snapshots().get("works"), "published");
    one.restart(Stop.FORCE);
    assertEquals("up\n", one.exec("echo", "up").orThrow().stdout());
    stapes.instances().launch(box("another")).delete(Delete.FORCE);
    one.delete(Delete.FORCE);
  }

  @Test
  void a_container_that_fills_its_btrfs_pool_stands_in_nobodys_way_for_longer() throws Throwable {
    Path root = directory.path();
    try (Stapes stapes = open(root, PoolSpec.of("default", "btrfs").size(Size.ofMebibytes(256)))) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      stapes.images().importFrom(bigImage(), "big");
      Instance one = stapes.instances().launch(box("one"));
      one.exec("sh", "-c", "echo 1 > /root/file").orThrow();
      one.snapshots().create("s");
      assertTrue(
          one.exec("sh", "-c", "cat /dev/zero > /filler; sync").stderr().contains("No space left"));

      exhausted(
          stapes, () -> stapes.instances().create(InstanceSpec.container("two", "big").build()));
      exhausted(stapes, () -> one.files().write("/pushed", new byte[BIG]));
      // These need hardly any space, and there may be some: Btrfs keeps it apart from that of data.
      exhaustedAtWorst(stapes, () -> one.snapshots().create("t"));
      exhaustedAtWorst(stapes, () -> one.copyTo("copy-of-full"));
      exhaustedAtWorst(stapes, () -> stapes.instances().launch(box("three")));
      exhaustedAtWorst(stapes, () -> one.snapshots().restore("s"));
      for (String name : new String[] {"copy-of-full", "three"}) {
        stapes.instances().find(name).ifPresent(instance -> instance.delete(Delete.FORCE));
      }
      if (one.snapshots().list().stream().anyMatch(snapshot -> snapshot.name().equals("t"))) {
        one.snapshots().delete("t");
      }
      if (one.info().status() == InstanceStatus.STOPPED) {
        one.start();
      }
      one.exec("rm", "-f", "/filler", "/pushed").orThrow();
      assertEquals("1\n", one.files().readText("/root/file"));
      everythingWorks(stapes, one);
    }
    Remains.requireNone(root, "after the pool was full");
  }

  @Test
  void a_full_disk_below_a_dir_pool_loses_nothing() throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    try (SmallDisk disk = new SmallDisk(directory.resolve("disk"), 24)) {
      Path source = Files.createDirectory(disk.path().resolve("pool"));
      PoolSpec spec = PoolSpec.of("default", "dir").source(source.toString());
      try (Stapes stapes = open(root, spec)) {
        Instance one = withSnapshot(stapes);
        disk.fill();
        nothingCanBeMade(stapes, one);
        exhausted(stapes, () -> one.files().write("/pushed", new byte[BIG]));
        assertEquals(InstanceStatus.RUNNING, one.info().status());
        assertEquals("1\n", one.exec("cat", "/root/file").orThrow().stdout());
      }
      try (Stapes stapes = open(root, spec)) {
        Instance one = stapes.instances().get("one");
        exhausted(stapes, () -> one.snapshots().create("t"));
        disk.free();
        one.exec("rm", "-f", "/pushed").orThrow();
        assertEquals("1\n", one.files().readText("/root/file"));
        everythingWorks(stapes, one);
      }
      Remains.requireNone(root, "after the disk was full");
    }
  }

  @Test
  void a_full_disk_below_the_root_directory_loses_nothing() throws Throwable {
    Path pool = Files.createDirectory(directory.resolve("pool"));
    try (SmallDisk disk = new SmallDisk(directory.resolve("disk"), 24)) {
      Path root = Files.createDirectory(disk.path().resolve("root"));
      PoolSpec spec = PoolSpec.of("default", "dir").source(pool.toString());
      try (Stapes stapes = open(root, spec)) {
        Instance one = withSnapshot(stapes);
        disk.fill();
        exhausted(stapes, () -> stapes.images().importFrom(bigImage(), "big"));
        exhausted(stapes, () -> stapes.images().publish(one.snapshots().get("s"), "never"));
        fillTheStore(stapes);
        nothingCanBeMade(stapes, one);
        exhausted(stapes, () -> one.rename("other"));
        assertEquals(InstanceStatus.RUNNING, one.info().status());
        exhaustedAtWorst(stapes, () -> one.exec("true"));
        assertEquals("1\n", one.files().readText("/root/file"));
      }
      StapesException full = null;
      try (Stapes stapes = open(root, spec)) {
        assertEquals("1\n", stapes.instances().get("one").files().readText("/root/file"));
      } catch (StapesException e) {
        full = e;
      }
      if (full != null) {
        assertEquals(Kind.EXHAUSTED, full.kind(), full::toString);
      }
      disk.free();
      try (Stapes stapes = open(root, spec)) {
        Instance one = stapes.instances().get("one");
        assertEquals(InstanceStatus.RUNNING, one.info().status());
        assertEquals("1\n", one.files().readText("/root/file"));
        everythingWorks(stapes, one);
      }
      Remains.requireNone(root, "after the disk was full");
    }
  }

  /** One that runs, with a file and a snapshot of it. */
  private static Instance withSnapshot(Stapes stapes) {
    stapes.images().importFrom(ImageSources.busybox(), "busybox");
    Instance one = stapes.instances().launch(box("one"));
    one.exec("sh", "-c", "echo 1 > /root/file").orThrow();
    one.snapshots().create("s");
    return one;
  }

  private static void nothingCanBeMade(Stapes stapes, Instance one) {
    exhausted(stapes, () -> stapes.instances().create(box("two")));
    exhausted(stapes, () -> stapes.instances().launch(box("two")));
    exhausted(stapes, () -> one.snapshots().create("t"));
    exhausted(stapes, () -> one.copyTo("copy-of-full"));
    exhausted(stapes, () -> one.snapshots().restore("s"));
    exhausted(stapes, () -> stapes.images().publish(one.snapshots().get("s"), "never"));
  }

  /** The store writes over what it has written before; it is full when a change does not fit. */
  private static void fillTheStore(Stapes stapes) {
    Instance one = stapes.instances().get("one");
    for (int i = 0; i < 10_000; i++) {
      try {
        one.update(change -> change.description("x".repeat(2_000)));
      } catch (StapesException e) {
        assertEquals(Kind.EXHAUSTED, e.kind(), e::toString);
        return;
      }
    }
    throw new AssertionError("the store never got full");
  }

  /** Of bytes that no file system makes smaller. */
  private dev.stapes.spi.ImageSource bigImage() throws IOException {
    Path rootfs = Files.createDirectory(directory.resolve("big-" + System.nanoTime()));
    byte[] noise = new byte[4 * BIG];
    new Random(1).nextBytes(noise);
    Files.write(rootfs.resolve("noise"), noise);
    return ImageSources.directory(
        rootfs, ImageMetadata.container("x86_64", Instant.EPOCH, Map.of()));
  }
}
