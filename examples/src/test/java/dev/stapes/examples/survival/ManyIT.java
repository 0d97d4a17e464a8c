package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolSpec;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * As many as there may be. {@code -Dstapes.many.containers=500} runs as many containers at once as
 * are promised, else it is some.
 */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class ManyIT {
  private static final int CONTAINERS = Integer.getInteger("stapes.many.containers", 60);
  private static final int RECORDS = 200;
  private static final int SNAPSHOTS = 50;
  private static final int THREADS = 4;

  @RegisterExtension final Room directory = new Room();

  private Stapes open() {
    return Stapes.builder(directory.path()).defaultPool(PoolSpec.of("default", "btrfs")).open();
  }

  private static void inParallel(int count, Consumer<Integer> work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Callable<Integer>> all = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int number = i;
        all.add(
            () -> {
              work.accept(number);
              return number;
            });
      }
      for (Future<Integer> each : threads.invokeAll(all)) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void allWork(Stapes stapes) throws Exception {
    assertEquals(CONTAINERS, stapes.instances().list().size());
    inParallel(
        CONTAINERS,
        i -> {
          Instance one = stapes.instances().get("c" + i);
          assertEquals(InstanceStatus.RUNNING, one.info().status());
          assertEquals("c" + i + "\n", one.exec("cat", Life.FILE).orThrow().stdout());
        });
  }

  @Test
  void many_containers_run_at_once_and_are_found_again() throws Exception {
    try (Stapes stapes = open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      inParallel(
          CONTAINERS,
          i ->
              stapes
                  .instances()
                  .launch(InstanceSpec.container("c" + i, "busybox").build())
                  .exec("sh", "-c", "echo c" + i + " > " + Life.FILE)
                  .orThrow());
      allWork(stapes);
    }
    try (Stapes stapes = open()) {
      allWork(stapes);
      inParallel(CONTAINERS, i -> stapes.instances().get("c" + i).delete(Delete.FORCE));
      assertEquals(List.of(), stapes.instances().list());
    }
    Remains.requireNone(directory.path(), "after many");
  }

  @Test
  void a_store_of_many_records_is_opened_and_listed_whole() throws IOException {
    try (Stapes stapes = open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
    }
    FilledStore.fill(directory.path(), this::open, RECORDS, SNAPSHOTS);
    try (Stapes stapes = open()) {
      assertEquals(
          IntStream.range(0, RECORDS).mapToObj(i -> "i" + i).sorted().toList(),
          stapes.instances().list().stream().map(InstanceInfo::name).toList());
      for (int i = 0; i < RECORDS; i += 50) {
        assertEquals(SNAPSHOTS, stapes.instances().get("i" + i).snapshots().list().size());
      }
      stapes.instances().get("i7").delete();
      assertEquals(RECORDS - 1, stapes.instances().list().size());
    }
  }
}
