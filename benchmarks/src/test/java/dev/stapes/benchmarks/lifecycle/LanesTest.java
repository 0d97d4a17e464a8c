package dev.stapes.benchmarks.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.benchmarks.Lane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LanesTest {
  private final Recorder recorder = new Recorder();
  private final AtomicInteger names = new AtomicInteger();

  /** Does two runs of a lane and returns what happened, the runs in brackets. */
  private String story(LifecyclePath path) throws Exception {
    try (Lane lane = new Lanes(recorder, () -> "c" + names.incrementAndGet()).open(path)) {
      for (int i = 0; i < 2; i++) {
        lane.before();
        recorder.happened.add("[");
        lane.run();
        recorder.happened.add("]");
        lane.after();
      }
    }
    return String.join(" ", recorder.happened);
  }

  @Test
  void a_cycle_leaves_nothing() throws Exception {
    assertEquals(
        "[ create:c1 start:c1 exec:c1 delete:c1 ] [ create:c2 start:c2 exec:c2 delete:c2 ]",
        story(LifecyclePath.CYCLE));
  }

  @Test
  void each_start_is_of_a_container_of_its_own() throws Exception {
    assertEquals(
        "create:c1 [ start:c1 ] delete:c1 create:c2 [ start:c2 ] delete:c2",
        story(LifecyclePath.START));
  }

  @Test
  void all_execs_are_in_one_container() throws Exception {
    assertEquals("create:c1 start:c1 [ exec:c1 ] [ exec:c1 ] delete:c1", story(LifecyclePath.EXEC));
  }

  @Test
  void a_snapshot_is_of_a_running_one_and_deleted_outside_of_the_time() throws Exception {
    assertEquals(
        "create:c1 start:c1 [ snapshot:c1 ] deleteSnapshot:c1 [ snapshot:c1 ] deleteSnapshot:c1"
            + " delete:c1",
        story(LifecyclePath.SNAPSHOT));
  }

  @Test
  void a_clone_is_of_a_stopped_one() throws Exception {
    assertEquals(
        "create:c1 [ copy:c1:c2 ] delete:c2 [ copy:c1:c3 ] delete:c3 delete:c1",
        story(LifecyclePath.CLONE));
  }

  @Test
  void restores_share_a_snapshot() throws Exception {
    assertEquals(
        "create:c1 start:c1 snapshot:c1 [ restore:c1 ] [ restore:c1 ] delete:c1",
        story(LifecyclePath.RESTORE_RUNNING));
    recorder.happened.clear();
    assertEquals(
        "create:c2 snapshot:c2 [ restore:c2 ] [ restore:c2 ] delete:c2",
        story(LifecyclePath.RESTORE_STOPPED));
  }

  @Test
  void what_a_run_deletes_is_not_deleted_again() throws Exception {
    assertEquals(
        "create:c1 start:c1 [ delete:c1 ] create:c2 start:c2 [ delete:c2 ]",
        story(LifecyclePath.DELETE_RUNNING));
  }

  @Test
  void a_stopped_one_is_deleted_outside_of_the_time() throws Exception {
    assertEquals(
        "create:c1 start:c1 [ stop:c1 ] delete:c1 create:c2 start:c2 [ stop:c2 ] delete:c2",
        story(LifecyclePath.STOP_FORCE));
  }

  @Test
  void nobody_has_a_warm_pool_who_does_not_say_so() {
    assertThrows(IllegalStateException.class, () -> story(LifecyclePath.CYCLE_WARM_POOL));
  }

  @Test
  void a_container_that_does_not_start_is_deleted() {
    recorder.failing = "start:c1";
    assertThrows(IOException.class, () -> story(LifecyclePath.EXEC));
    assertEquals(List.of("create:c1", "start:c1", "delete:c1"), recorder.happened);
  }

  @Test
  void what_a_failed_run_left_is_deleted() {
    recorder.failing = "stop:c1";
    assertThrows(IOException.class, () -> story(LifecyclePath.STOP_FORCE));
    assertEquals(List.of("create:c1", "start:c1", "[", "stop:c1", "delete:c1"), recorder.happened);
  }

  /** Writes down what is asked of it. */
  private static final class Recorder implements Subject {
    private final List<String> happened = new ArrayList<>();
    private String failing = "";

    private void happens(String what) throws IOException {
      happened.add(what);
      if (what.equals(failing)) {
        throw new IOException(what);
      }
    }

    @Override
    public String name() {
      return "recorder";
    }

    @Override
    public Map<LifecyclePath, String> leftOut() {
      return Map.of();
    }

    @Override
    public Container create(String name) throws IOException {
      happens("create:" + name);
      return new Recorded(name);
    }

    @Override
    public void close() {}

    private final class Recorded implements Container, Container.CopyOnWrite {
      private final String name;

      Recorded(String name) {
        this.name = name;
      }

      @Override
      public void start() throws IOException {
        happens("start:" + name);
      }

      @Override
      public void execTrue() throws IOException {
        happens("exec:" + name);
      }

      @Override
      public void stop() throws IOException {
        happens("stop:" + name);
      }

      @Override
      public void delete() throws IOException {
        happens("delete:" + name);
      }

      @Override
      public Optional<CopyOnWrite> copyOnWrite() {
        return Optional.of(this);
      }

      @Override
      public void snapshot(String snapshot) throws IOException {
        happens("snapshot:" + name);
      }

      @Override
      public void deleteSnapshot(String snapshot) throws IOException {
        happens("deleteSnapshot:" + name);
      }

      @Override
      public void restore(String snapshot) throws IOException {
        happens("restore:" + name);
      }

      @Override
      public Container copyTo(String copy) throws IOException {
        happens("copy:" + name + ":" + copy);
        return new Recorded(copy);
      }
    }
  }
}
