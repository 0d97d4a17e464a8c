package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Events;
import dev.stapes.Stapes;
import dev.stapes.model.Event;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.ImageSource;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Imports of images that programs of the machine build. */
@RequiresRoot
@RequiresTool("busybox")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ImportIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("dir");

  @TempDir Path directory;

  /** Builds for ever: a shell, and what that has started. */
  private record Build(Path pids) implements ImageSource {
    @Override
    public String describe() {
      return "a build";
    }

    @Override
    public Fetched fetch(Context context) {
      String script = "sleep 4716 & echo $$ $! > $0/half; mv $0/half $1; wait";
      context
          .host()
          .programs()
          .run(Command.of("sh", "-c", script, context.work().toString(), pids.toString()));
      throw new AssertionError("it never ends by itself");
    }
  }

  @Test
  void an_import_that_is_cancelled_ends_the_programs_of_its_build() throws Exception {
    Stapes stapes = BENCH.stapes();
    Path pids = directory.resolve("pids");
    long id;
    CompletableFuture<Void> importing;
    try (Events.Expectation begun =
        stapes
            .events()
            .expect(
                event ->
                    event instanceof Event.Operation operation
                        && operation.operation().action().equals("image-create"))) {
      importing =
          CompletableFuture.runAsync(
              () -> stapes.images().importFrom(new Build(pids), "never"),
              task -> new Thread(task, "importing").start());
      id = ((Event.Operation) begun.await(Duration.ofSeconds(60))).operation().id();
    }
    List<ProcessHandle> programs = programs(pids);
    assertEquals(2, programs.size());
    stapes.operations().cancel(id);
    assertEquals(
        OperationInfo.Status.CANCELLED,
        stapes.operations().await(id, Duration.ofSeconds(60)).status());
    CompletionException e = assertThrows(CompletionException.class, importing::join);
    assertEquals(
        StapesException.Kind.INTERRUPTED,
        assertInstanceOf(StapesException.class, e.getCause()).kind());
    for (ProcessHandle program : programs) {
      Path process = Path.of("/proc/" + program.pid());
      while (HostView.runs(process)) {
        Thread.onSpinWait(); // who inherits it may be slow to bury it, which is not waited for
      }
    }
    assertEquals(1, stapes.images().list().size());
    try (Stream<Path> files = Files.list(BENCH.root().resolve("images"))) {
      assertEquals(
          List.of(stapes.images().get("busybox").fingerprint()),
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.equals(".cache") && !name.equals(".blobs"))
              .toList());
    }
  }

  /** Those whose pids are in a file, once it is there. */
  private static List<ProcessHandle> programs(Path pids) throws IOException, InterruptedException {
    try (var watch = pids.getFileSystem().newWatchService()) {
      pids.getParent().register(watch, java.nio.file.StandardWatchEventKinds.ENTRY_CREATE);
      if (!Files.exists(pids)) {
        assertTrue(watch.poll(60, TimeUnit.SECONDS) != null, "the build did not begin");
      }
    }
    return Stream.of(Files.readString(pids).strip().split(" "))
        .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
        .toList();
  }
}
