package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.SnapshotInfo;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Many threads do at random whatever can be done to a few instances, without asking each other.
 * What fails fails for a reason that a caller can understand; afterwards records and machine say
 * the same, and nothing is left.
 */
@Tag("once")
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class CrowdIT {
  private static final int THREADS = 64;
  private static final int NAMES = 32;
  private static final int STEPS = 24;
  private static final long SEED = Long.getLong("stapes.crowd.seed", 20_240_615);

  /** Nothing is begun after it: a slow machine does less. */
  private static final Duration LIMIT = Duration.ofSeconds(25);

  /** Somebody else was there before, is there now, or took it away. */
  private static final Set<Kind> EXPECTED = Set.of(Kind.NOT_FOUND, Kind.CONFLICT, Kind.BUSY);

  @RegisterExtension final Room directory = new Room();
  private final SeenPools pools = new SeenPools("btrfs");

  private Stapes open() {
    return Stapes.builder(directory.path())
        .with((StorageDriverProvider) pools)
        .defaultPool(PoolSpec.of("default", "btrfs"))
        .open();
  }

  @Test
  void whatever_many_do_at_once_records_and_machine_say_the_same() throws Exception {
    try (Stapes stapes = open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      // What stays with the JVM once it was used, such as libraries, is there from now on.
      stapes
          .instances()
          .launch(InstanceSpec.container("first", "busybox").build())
          .delete(Delete.FORCE);
    }
    Resources before = Resources.ofThisJvm();
    try (Stapes stapes = open()) {
      crowd(stapes);
      checkInstances(stapes);
    }
    try (Stapes stapes = open()) {
      checkInstances(stapes);
      checkVolumes(stapes);
      stapes
          .instances()
          .list()
          .forEach(info -> stapes.instances().get(info.id()).delete(Delete.FORCE));
    }
    Remains.requireNone(directory.path(), "after the crowd");
    before.requireNoMore();
  }

  private static void crowd(Stapes stapes) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    long deadline = System.nanoTime() + LIMIT.toNanos();
    try {
      List<Callable<Integer>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Random random = new Random(SEED + i);
        all.add(() -> oneOfMany(stapes, random, deadline));
      }
      int done = 0;
      for (Future<Integer> each : threads.invokeAll(all)) {
        done += each.get();
      }
      assertTrue(done > 0, "everything failed");
    } finally {
      threads.shutdownNow();
    }
  }

  /** Says how much of it worked. */
  private static int oneOfMany(Stapes stapes, Random random, long deadline) {
    int worked = 0;
    for (int i = 0; i < STEPS && System.nanoTime() < deadline; i++) {
      String step = "seed " + SEED;
      try {
        Deed deed = Deed.values()[random.nextInt(Deed.values().length)];
        String name = "c" + random.nextInt(NAMES);
        String other = "c" + random.nextInt(NAMES);
        step = deed + " " + name + " " + other;
        deed.act(stapes, name, other);
        worked++;
      } catch (StapesException e) {
        if (!EXPECTED.contains(e.kind()) && !isOfTheDying(e)) {
          throw new AssertionError(step + ": " + e.getMessage(), e);
        }
      }
    }
    return worked;
  }

  /** Between the end of a machine and the moment when that is written down. */
  private static boolean isOfTheDying(StapesException e) {
    return e.kind() == Kind.UNAVAILABLE && String.valueOf(e.getMessage()).contains("has ended");
  }

  /** What can be done. */
  private enum Deed {
    CREATE {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().create(InstanceSpec.container(name, "busybox").build());
      }
    },
    LAUNCH {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().launch(InstanceSpec.container(name, "busybox").build());
      }
    },
    LAUNCH_THROWAWAY {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes
            .instances()
            .launch(InstanceSpec.container(name, "busybox").lifetime(Lifetime.THROWAWAY).build());
      }
    },
    START {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).start();
      }
    },
    STOP {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).stop(Stop.FORCE);
      }
    },
    RESTART {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).restart(Stop.FORCE);
      }
    },
    EXEC {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).exec("sh", "-c", "echo " + name + " > " + Life.FILE);
      }
    },
    WRITE {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).files().writeText("/root/written", name);
      }
    },
    SNAPSHOT {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).snapshots().create(other);
      }
    },
    RESTORE {
      @Override
      void act(Stapes stapes, String name, String other) {
        Instance instance = stapes.instances().get(name);
        for (SnapshotInfo snapshot : instance.snapshots().list()) {
          instance.snapshots().restore(snapshot.name());
        }
      }
    },
    FORGET {
      @Override
      void act(Stapes stapes, String name, String other) {
        Instance instance = stapes.instances().get(name);
        for (SnapshotInfo snapshot : instance.snapshots().list()) {
          instance.snapshots().delete(snapshot.name());
        }
      }
    },
    COPY {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).copyTo(other);
      }
    },
    COPY_OF_SNAPSHOT {
      @Override
      void act(Stapes stapes, String name, String other) {
        Instance instance = stapes.instances().get(name);
        for (SnapshotInfo snapshot : instance.snapshots().list()) {
          instance.snapshots().copyTo(snapshot.name(), other);
        }
      }
    },
    RENAME {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).rename(other);
      }
    },
    UPDATE {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).update(change -> change.config("limits.processes", "200"));
      }
    },
    DELETE {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).delete();
      }
    },
    DELETE_BY_FORCE {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().get(name).delete(Delete.FORCE);
      }
    },
    LOOK {
      @Override
      void act(Stapes stapes, String name, String other) {
        stapes.instances().list();
        stapes.instances().get(name).state();
      }
    };

    abstract void act(Stapes stapes, String name, String other);
  }

  /** Each is what its record says, and the machine has no others. */
  private void checkInstances(Stapes stapes) throws IOException {
    Set<String> names = new HashSet<>();
    Set<Long> running = new HashSet<>();
    for (InstanceInfo info : stapes.instances().list()) {
      assertTrue(names.add(info.name()), "twice: " + info.name());
      Instance instance = stapes.instances().get(info.name());
      assertEquals(info.id(), instance.id());
      if (info.status() == InstanceStatus.RUNNING) {
        running.add(instance.state().pid().orElseThrow());
        assertEquals("up\n", instance.exec("echo", "up").orThrow().stdout(), info.name());
      } else {
        assertEquals(InstanceStatus.STOPPED, info.status(), info.name());
        assertTrue(instance.state().pid().isEmpty(), info.name());
      }
    }
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!firstProcesses().equals(running) && System.nanoTime() < deadline) {
      Thread.onSpinWait(); // one that is started ahead looks like a first process for a moment
    }
    assertEquals(running, firstProcesses());
  }

  /**
   * The first processes of all containers of this directory, the children of its monitors, but
   * those that wait to become an instance's.
   */
  private Set<Long> firstProcesses() {
    Set<Long> all = new HashSet<>();
    ProcessHandle.allProcesses()
        .filter(each -> commandLine(each).contains(directory.path() + "/run/lxc"))
        .filter(each -> commandLine(each).contains("lxc-start"))
        .flatMap(ProcessHandle::children)
        .filter(child -> !commandLine(child).contains("/boot wait"))
        .forEach(child -> all.add(child.pid()));
    return all;
  }

  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  private void checkVolumes(Stapes stapes) {
    List<InstanceInfo> all = stapes.instances().list();
    assertTrue(all.stream().noneMatch(info -> info.lifetime() == Lifetime.THROWAWAY));
    long snapshots =
        all.stream()
            .mapToInt(info -> stapes.instances().get(info.id()).snapshots().list().size())
            .sum();
    assertEquals(all.size(), pools.count("default", VolumeId.Kind.INSTANCE));
    assertEquals(snapshots, pools.count("default", VolumeId.Kind.SNAPSHOT));
  }

  /** What this JVM holds of the machine; files that it has opened as libraries do not count. */
  private record Resources(List<String> descriptors, Set<String> threads) {
    private static final Duration END_OF_THREAD = Duration.ofSeconds(10);

    static Resources ofThisJvm() throws IOException {
      List<String> descriptors = new ArrayList<>();
      try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
        for (Path each : all.toList()) {
          target(each)
              .filter(target -> !target.endsWith(".jar") && !target.endsWith(".so"))
              .ifPresent(target -> descriptors.add(target.replaceAll("[0-9]+", "N")));
        }
      }
      Set<String> threads = ofStapes().map(Thread::getName).collect(Collectors.toSet());
      return new Resources(descriptors.stream().sorted().toList(), threads);
    }

    private static Stream<Thread> ofStapes() {
      return Thread.getAllStackTraces().keySet().stream()
          .filter(thread -> thread.getName().contains("stapes"));
    }

    /** Empty: it was that of the listing itself. */
    private static Optional<String> target(Path descriptor) {
      try {
        return Optional.of(Files.readSymbolicLink(descriptor).toString());
      } catch (IOException e) {
        return Optional.empty();
      }
    }

    /** An executor that has ended says so a moment before its last thread does: that is awaited. */
    void requireNoMore() throws IOException, InterruptedException {
      List<Thread> more = ofStapes().filter(thread -> !threads.contains(thread.getName())).toList();
      for (Thread each : more) {
        each.join(END_OF_THREAD.toMillis());
      }
      assertEquals(List.of(), more.stream().filter(Thread::isAlive).toList());
      Resources now = ofThisJvm();
      assertEquals(String.join("\n", descriptors), String.join("\n", now.descriptors));
    }
  }
}
