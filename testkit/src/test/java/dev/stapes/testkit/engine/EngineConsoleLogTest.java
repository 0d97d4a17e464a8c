package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeProgram;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What instances write to their consoles is kept as long as they are. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineConsoleLogTest {
  private static EngineWorld world() {
    return EngineWorld.create(EngineWorld.Setup.usual().driver(EngineConsoleLogTest::speaking));
  }

  /** {@code say WORDS} writes them to the console. */
  private static FakeInstances speaking(FakeInstances instances) {
    return instances.program("say", EngineConsoleLogTest::say);
  }

  private static int say(FakeProgram.Call call) throws IOException {
    call.guest()
        .orElseThrow()
        .console()
        .write(call.arguments().get(1).getBytes(StandardCharsets.UTF_8));
    return 0;
  }

  private static Path logs(EngineWorld world) {
    return world.root().resolve("logs");
  }

  private static List<String> kept(EngineWorld world) throws IOException {
    try (Stream<Path> all = Files.list(logs(world))) {
      return all.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void the_log_is_there_while_it_runs_when_it_has_ended_and_for_the_next_open() {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      assertEquals("", box.consoleLog().text());
      box.exec("say", "one ").orThrow();
      assertEquals("one ", box.consoleLog().text());
      box.stop(Stop.FORCE);
      assertEquals("one ", box.consoleLog().text());
      box.start();
      box.exec("say", "two ").orThrow();
      Stapes next = world.reopen();
      Instance again = next.instances().get("box");
      again.exec("say", "three").orThrow();
      again.rename("other");
      assertEquals("one two three", again.consoleLog().text());
      again.stop(Stop.FORCE);
      assertEquals("one two three", world.reopen().instances().get("other").consoleLog().text());
    }
  }

  @Test
  void a_copy_and_a_snapshot_have_none_of_it_and_a_restore_leaves_it() {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      box.exec("say", "mine").orThrow();
      box.snapshots().create("clean");
      assertEquals("", box.copyTo("copy").consoleLog().text());
      box.snapshots().restore("clean");
      assertEquals("mine", box.consoleLog().text());
    }
  }

  @Test
  void it_goes_with_the_instance() throws IOException {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      Instance other = world.launch("other");
      box.exec("say", "box").orThrow();
      other.exec("say", "other").orThrow();
      box.delete(Delete.FORCE);
      for (StapesException e :
          List.of(
              assertThrows(StapesException.class, () -> box.consoleLog().text()),
              assertThrows(StapesException.class, () -> box.consoleLog().follow()))) {
        assertEquals(Kind.NOT_FOUND, e.kind());
      }
      world.reopen(); // what is done behind is done
      assertEquals(List.of(other.id().value()), kept(world));
    }
  }

  @Test
  void what_a_crash_left_of_an_instance_that_is_no_more_is_removed_by_the_next_open()
      throws IOException {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      box.exec("say", "box").orThrow();
      Path orphan = Files.createDirectory(logs(world).resolve("orphan1"));
      Files.writeString(orphan.resolve("console.log"), "left");
      Files.writeString(orphan.resolve("console.log.1"), "left");
      Path elsewhere = Files.createDirectory(world.root().resolve("elsewhere"));
      Files.writeString(elsewhere.resolve("console.log"), "not ours");
      Files.createSymbolicLink(logs(world).resolve("link0001"), elsewhere);
      Path strange = Files.createDirectory(logs(world).resolve("lost+found"));
      Files.writeString(strange.resolve("file"), "not ours");
      world.reopen();
      assertFalse(Files.exists(orphan));
      assertEquals("not ours", Files.readString(elsewhere.resolve("console.log")));
      assertEquals("not ours", Files.readString(strange.resolve("file")));
      assertEquals("box", world.stapes().instances().get("box").consoleLog().text());
    }
  }

  @Test
  void a_throwaway_writes_nothing_that_stays() throws IOException {
    try (EngineWorld world = world()) {
      Instance box =
          world
              .stapes()
              .instances()
              .launch(EngineWorld.spec("box").lifetime(Lifetime.THROWAWAY).build());
      box.exec("say", "hello").orThrow();
      assertEquals("hello", box.consoleLog().text());
      assertEquals(List.of(), kept(world));
      try (InputStream follow = box.consoleLog().follow()) {
        box.delete(Delete.FORCE);
        assertEquals("hello", new String(follow.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void a_log_that_cannot_be_written_stops_nobody() throws IOException {
    try (EngineWorld world = world()) {
      Instance box = world.stapes().instances().create(EngineWorld.spec("box").build());
      Path place = logs(world).resolve(box.id().value());
      Files.writeString(place, "in the way");
      box.start();
      box.exec("say", "unheard").orThrow();
      assertEquals("true", box.exec("echo", "true").stdout().strip());
      StapesException e = assertThrows(StapesException.class, () -> box.consoleLog().text());
      assertEquals(Kind.UNAVAILABLE, e.kind());
      Files.delete(place);
      assertEquals("", box.consoleLog().text());
    }
  }

  @Test
  void it_is_followed_until_the_instance_ends() throws Exception {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      box.exec("say", "before ").orThrow();
      try (InputStream follow = box.consoleLog().follow()) {
        CompletableFuture<String> all = CompletableFuture.supplyAsync(() -> read(follow));
        box.exec("say", "while ").orThrow();
        box.exec("say", "it runs").orThrow();
        world.end(box, false);
        assertEquals("before while it runs", all.get(20, TimeUnit.SECONDS));
      }
    }
  }

  @Test
  void the_close_of_stapes_ends_who_follows() throws Exception {
    try (EngineWorld world = world()) {
      Instance box = world.launch("box");
      InputStream follow = box.consoleLog().follow();
      CompletableFuture<String> all = CompletableFuture.supplyAsync(() -> read(follow));
      world.stapes().close();
      assertThrows(ExecutionException.class, () -> all.get(20, TimeUnit.SECONDS));
      assertThrows(StapesException.class, () -> box.consoleLog().follow());
      world.openAgain();
      assertTrue(world.stapes().instances().get("box").state().pid().isPresent());
    }
  }

  private static String read(InputStream follow) {
    try {
      return new String(follow.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
