package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.TIMED_OUT;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.Mounts.Flag;
import dev.stapes.spi.Output;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Processes.Stdio;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class FakeHostTest {
  private final Path directory;
  private final FakeHost host =
      FakeHost.builder()
          .program("hello", FakeProgram.printing("hello"))
          .program("broken", FakeProgram.failing(3, "no paper"))
          .program(
              "cat",
              call -> {
                call.stdin().transferTo(call.stdout());
                return 0;
              })
          .build();

  FakeHostTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private static void refused(StapesException.Kind kind, Executable attempt) {
    assertEquals(kind, assertThrows(StapesException.class, attempt).kind());
  }

  @Test
  void a_scripted_program_runs_and_its_command_is_recorded() {
    assertEquals(Optional.of(Path.of("/usr/bin/hello")), host.programs().find("hello"));
    assertEquals(new Output("hello", ""), host.programs().run(Command.of("/bin/hello", "you")));
    assertEquals(List.of(Command.of("/bin/hello", "you")), host.commands());
  }

  @Test
  void a_program_that_fails_hangs_or_is_missing_is_the_error_that_the_spi_says() {
    StapesException failure =
        assertThrows(StapesException.class, () -> host.programs().run(Command.of("broken")));
    assertEquals("broken: exit code 3: no paper", failure.getMessage());
    assertEquals(INTERNAL, failure.kind());
    refused(UNAVAILABLE, () -> host.programs().run(Command.of("missing")));
    FakeHost slow =
        FakeHost.builder()
            .program(
                "wait",
                call -> {
                  new java.util.concurrent.CountDownLatch(1).await();
                  return 0;
                })
            .build();
    refused(
        TIMED_OUT, () -> slow.programs().run(Command.of("wait").timeout(Duration.ofMillis(10))));
    slow.close();
  }

  @Test
  void a_process_is_talked_to_found_and_killed() throws Exception {
    Processes.Child cat =
        host.processes()
            .start(
                Processes.Start.of(List.of("/bin/cat"), Map.of())
                    .streams(Stdio.pipe(), Stdio.pipe(), Stdio.none()));
    cat.stdin().write("text".getBytes(StandardCharsets.UTF_8));
    assertEquals("text", new String(cat.stdout().readNBytes(4), StandardCharsets.UTF_8));
    assertTrue(host.processes().find(cat.pid()).isPresent());
    cat.signal(9);
    assertEquals(137, cat.exit().toCompletableFuture().get());
    assertFalse(cat.isAlive());
  }

  @Test
  void closing_the_host_ends_what_must_die_with_it() throws Exception {
    Processes.Start start =
        Processes.Start.of(List.of("/bin/cat"), Map.of())
            .streams(Stdio.pipe(), Stdio.none(), Stdio.none());
    Processes.Child dies = host.processes().start(start.dyingWithHost());
    Processes.Child stays = host.processes().start(start);
    host.close();
    assertEquals(137, dies.exit().toCompletableFuture().get());
    assertTrue(stays.isAlive());
    stays.signal(9);
  }

  @Test
  void a_process_writes_to_the_file_it_is_given() throws Exception {
    Path log = directory.resolve("log");
    Processes.Child hello =
        host.processes()
            .start(
                Processes.Start.of(List.of("/bin/hello"), Map.of())
                    .streams(Stdio.none(), Stdio.file(log), Stdio.none()));
    assertEquals(0, hello.exit().toCompletableFuture().get());
    assertEquals("hello", Files.readString(log));
  }

  @Test
  void mounts_are_listed_in_order_and_the_last_one_is_seen() throws IOException {
    host.mounts().mount("one", directory, "tmpfs", Set.of(Flag.NODEV), "size=1m");
    try (Tree tree = host.tree(directory, Tree.Resolution.BENEATH)) {
      tree.mkdir("below", 0755);
    }
    host.mounts().mount("two", directory, "tmpfs", Set.of(), "");
    assertEquals(List.of("one", "two"), sources());
    assertEquals("rw,nodev,size=1m", host.mounts().below(directory).get(0).options());
    try (Tree tree = host.tree(directory, Tree.Resolution.BENEATH)) {
      assertEquals(List.of(), tree.list("/"));
    }
    host.mounts().unmount(directory);
    try (Tree tree = host.tree(directory.resolve("below"), Tree.Resolution.BENEATH)) {
      assertEquals(List.of(), tree.list("/"));
    }
    host.mounts().unmount(directory);
    refused(INVALID, () -> host.mounts().unmount(directory));
    assertEquals(List.of(), sources());
  }

  private List<String> sources() {
    return host.mounts().below(directory).stream().map(entry -> entry.source()).toList();
  }

  @Test
  void a_bind_shows_a_directory_with_its_owners_mapped() throws IOException {
    Path source = Files.createDirectory(directory.resolve("source"));
    Path target = Files.createDirectory(directory.resolve("target"));
    IdMapping map = IdMapping.of(100_000, 65_536);
    host.mounts().mount("memory", source, "tmpfs", Set.of(), "");
    host.mounts().bindIdmapped(source, target, map, Set.of());
    try (Tree tree = host.tree(target, Tree.Resolution.IN_ROOT, Optional.of(map))) {
      tree.mkdir("home", 0755);
      tree.chown("home", 5, 6);
      assertEquals(5, tree.stat("home").orElseThrow().uid());
    }
    try (Tree tree = host.tree(target, Tree.Resolution.IN_ROOT)) {
      assertEquals(100_005, tree.stat("home").orElseThrow().uid());
      assertEquals(100_006, tree.stat("home").orElseThrow().gid());
      refused(INVALID, () -> tree.mkdir("of-the-host-s-root", 0755));
    }
    try (Tree tree = host.tree(source, Tree.Resolution.IN_ROOT)) {
      assertEquals(5, tree.stat("home").orElseThrow().uid());
    }
  }

  @Test
  void what_is_not_there_is_neither_opened_nor_mounted_on() {
    Path missing = directory.resolve("missing");
    refused(NOT_FOUND, () -> host.tree(missing, Tree.Resolution.BENEATH));
    refused(NOT_FOUND, () -> host.mounts().mount("x", missing, "tmpfs", Set.of(), ""));
  }

  @Test
  void a_closed_host_refuses_work() {
    host.close();
    refused(UNAVAILABLE, () -> host.programs().run(Command.of("hello")));
    refused(UNAVAILABLE, () -> host.tree(directory, Tree.Resolution.BENEATH));
  }
}
