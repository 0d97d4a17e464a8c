package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Volumes;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A JVM dies before each effect of its {@link Life}. The next open finds what its diary says, or
 * what the next line of it would have said; nothing belongs to nobody, and everything works.
 *
 * <p>{@code -Dstapes.crash.stride=1} tries all effects with all storage drivers; else it is a part
 * of them, evenly spread.
 */
@Tag("once")
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresKernel("overlay")
@Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CrashIT {
  private static final int MORE_THAN_ENOUGH = 400;
  private static final int WORKERS = 2;

  /** How far it is from one effect to the next that is tried; 1: all, which takes half an hour. */
  private static final int STRIDE = Integer.getInteger("stapes.crash.stride", 21);

  /** With drivers that share most of their code with another one. */
  private static final int WIDE_STRIDE = Integer.getInteger("stapes.crash.stride", 25);

  @RegisterExtension final Room directory = new Room();

  @ParameterizedTest
  @EnumSource(Life.class)
  void with_btrfs_whenever_the_jvm_dies_the_next_open_repairs(Life life) throws Exception {
    dieEverywhere(life, "btrfs", STRIDE);
  }

  @ParameterizedTest
  @EnumSource(Life.class)
  void with_overlay_whenever_the_jvm_dies_the_next_open_repairs(Life life) throws Exception {
    dieEverywhere(life, "overlay", WIDE_STRIDE);
  }

  @ParameterizedTest
  @EnumSource(Life.class)
  void with_dir_whenever_the_jvm_dies_the_next_open_repairs(Life life) throws Exception {
    dieEverywhere(life, "dir", WIDE_STRIDE);
  }

  private void dieEverywhere(Life life, String driver, int stride) throws Exception {
    ChildJvm jvm = new ChildJvm(Files.createDirectory(directory.resolve("jvm")));
    Ground first = new Ground(directory.resolve("root-0"), driver);
    ChildJvm.End whole = jvm.runFirst(Doomed.class, first.arguments(life, MORE_THAN_ENOUGH));
    assertEquals(Doomed.SURVIVED, whole.code(), whole.output());
    List<String> diary = new ArrayList<>(List.of(first.before));
    diary.addAll(Diary.read(whole.output()));
    first.check("nobody died", diary);
    first.emptyAndCheck("nobody died");

    ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
    try {
      List<Callable<Integer>> shares = new ArrayList<>();
      for (int i = 0; i < WORKERS; i++) {
        Ground ground = i == 0 ? first : new Ground(directory.resolve("root-" + i), driver);
        int begin = 1 + (i * stride + 1) / 2; // the shortest life is shorter than two strides
        shares.add(() -> die(jvm, ground, life, begin, WORKERS * stride, diary));
      }
      for (Future<Integer> share : workers.invokeAll(shares)) {
        assertTrue(share.get() > 0, "nobody died");
      }
    } finally {
      workers.shutdownNow();
    }
  }

  /** Dies at each of a share of the effects, and says how often. */
  private static int die(
      ChildJvm jvm, Ground ground, Life life, int begin, int step, List<String> diary)
      throws Exception {
    int deaths = 0;
    for (int n = begin; n < MORE_THAN_ENOUGH; n += step) {
      ChildJvm.End end = jvm.run(Doomed.class, ground.arguments(life, n));
      String at = life + " with " + ground.driver + " at effect " + n + ": " + end.output();
      assertTrue(end.code() == Doomed.DIED || end.code() == Doomed.SURVIVED, at);
      List<String> written = Diary.read(end.output());
      if (end.code() == Doomed.SURVIVED) {
        ground.emptyAndCheck(at);
        return deaths;
      }
      deaths++;
      int last = written.size(); // the diary of the whole life has the line before all in front
      try {
        ground.check(at, diary.subList(last, Math.min(last + 2, diary.size())));
        ground.emptyAndCheck(at);
      } catch (StapesException e) {
        throw new AssertionError(at, e);
      }
    }
    throw new AssertionError("a life has no end");
  }

  /** A root directory to die on. */
  private static final class Ground {
    private final Path root;
    private final String driver;
    private final String before;

    Ground(Path root, String driver) throws Exception {
      this.root = Files.createDirectory(root).toRealPath();
      this.driver = driver;
      try (Stapes stapes = open(new SeenPools(driver))) {
        stapes.images().importFrom(ImageSources.busybox(), "busybox");
        // The image is unpacked before anybody dies, so that each life is short.
        stapes.instances().create(InstanceSpec.container("warm", "busybox").build()).delete();
        before = Diary.stateOf(stapes);
      }
    }

    String[] arguments(Life life, int n) {
      return new String[] {root.toString(), driver, life.name(), Integer.toString(n)};
    }

    private Stapes open(SeenPools pools) {
      return Stapes.builder(root)
          .with((StorageDriverProvider) pools)
          .defaultPool(PoolSpec.of("default", driver))
          .open();
    }

    /** The first open after a death: one of some states. */
    void check(String at, List<String> states) {
      SeenPools pools = new SeenPools(driver);
      try (Stapes stapes = open(pools)) {
        assertTrue(stapes.pools().broken().isEmpty(), at);
        String found = Diary.stateOf(stapes);
        assertTrue(states.contains(found), () -> at + "\nfound " + found + "\nnot of " + states);
        Optional<String> busybox = Optional.of(stapes.images().get("busybox").fingerprint());
        for (InstanceInfo info : stapes.instances().list()) {
          if (info.imageFingerprint().equals(busybox)) { // there are no programs in the other one
            use(stapes.instances().get(info.id()), at);
          }
        }
      }
    }

    private static void use(Instance instance, String at) {
      if (instance.info().status() == InstanceStatus.STOPPED) {
        instance.start();
      }
      instance.exec("cat", "/etc/passwd").orThrow();
      for (SnapshotInfo snapshot : instance.snapshots().list()) {
        instance.snapshots().restore(snapshot.name());
        assertEquals("1\n", instance.exec("cat", Life.FILE).orThrow().stdout(), at);
      }
    }

    /** The second one: as many volumes as there are to be, and all can be deleted. */
    void emptyAndCheck(String at) throws Exception {
      SeenPools pools = new SeenPools(driver);
      try (Stapes stapes = open(pools)) {
        List<Instance> instances =
            stapes.instances().list().stream().map(i -> stapes.instances().get(i.id())).toList();
        long snapshots = instances.stream().mapToInt(i -> i.snapshots().list().size()).sum();
        assertEquals(instances.size(), pools.count("default", VolumeId.Kind.INSTANCE), at);
        for (PoolInfo pool : stapes.pools().list()) {
          Volumes volumes = stapes.pools().get(pool.name()).volumes();
          long ofVolumes =
              volumes.list().stream()
                  .mapToInt(info -> volumes.get(info.name()).snapshots().list().size())
                  .sum();
          long all = pool.name().equals("default") ? snapshots + ofVolumes : ofVolumes;
          assertEquals(all, pools.count(pool.name(), VolumeId.Kind.SNAPSHOT), at);
          assertEquals(volumes.list().size(), pools.count(pool.name(), VolumeId.Kind.CUSTOM), at);
          volumes.list().forEach(info -> volumes.get(info.name()).delete());
        }
        instances.forEach(instance -> instance.delete(Delete.FORCE));
        for (PoolInfo pool : stapes.pools().list()) {
          if (!pool.name().equals("default")) {
            stapes.pools().get(pool.name()).delete();
          }
        }
        for (ImageInfo image : stapes.images().list()) {
          if (!image.aliases().contains("busybox")) {
            stapes.images().delete(image.fingerprint());
          }
        }
        assertEquals(before, Diary.stateOf(stapes), at);
      }
      Remains.requireNone(root, at);
    }
  }
}
