package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Events;
import dev.stapes.ExecProcess;
import dev.stapes.Instance;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Somebody on the machine kills what a container stands on. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VanishedIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int KILLED = 137;

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static ProcessHandle init(Instance web) {
    return ProcessHandle.of(web.state().pid().orElseThrow()).orElseThrow();
  }

  /** The lxc-start that watches over it. */
  private static ProcessHandle monitor(Instance web) {
    ProcessHandle monitor = init(web).parent().orElseThrow();
    assertTrue(monitor.info().command().orElse("").endsWith("lxc-start"), monitor.info()::toString);
    return monitor;
  }

  private static void kill(ProcessHandle... processes) {
    for (ProcessHandle process : processes) {
      assertTrue(process.destroyForcibly() || !process.isAlive());
    }
  }

  private static ExecProcess running(Instance web) throws IOException {
    ExecProcess process =
        web.execStreaming(ExecSpec.of("sh", "-c", "echo up; sleep 1000; echo not here"));
    assertEquals("up\n", new String(process.stdout().readNBytes(3), StandardCharsets.US_ASCII));
    return process;
  }

  private static void isStoppedAndStartsAgain(Instance web, String container) throws IOException {
    web.await(InstanceStatus.STOPPED, SOON);
    assertEquals(InstanceStatus.STOPPED, web.info().status());
    assertTrue(web.state().pid().isEmpty());
    assertEquals(List.of(), HostView.cgroupsLeftOf(container));
    assertEquals(Kind.CONFLICT, assertThrows(StapesException.class, () -> web.exec("true")).kind());
    web.start();
    assertEquals("again\n", web.exec("echo", "again").orThrow().stdout());
    String next = HostView.container(web);
    assertNotEquals(List.of(), HostView.cgroupsOf(next));
    web.delete(Delete.FORCE);
    assertEquals(List.of(), HostView.cgroupsLeftOf(next));
  }

  @Test
  void a_program_ends_when_the_first_process_is_killed_and_the_instance_is_stopped()
      throws Exception {
    Instance web = BENCH.launch();
    String container = HostView.container(web);
    try (ExecProcess process = running(web)) {
      kill(init(web));
      assertEquals(KILLED, process.await());
      assertEquals(0, process.stdout().readAllBytes().length);
    }
    isStoppedAndStartsAgain(web, container);
  }

  @Test
  void a_program_ends_when_the_monitor_is_killed_and_the_instance_is_stopped() throws Exception {
    Instance web = BENCH.launch();
    String container = HostView.container(web);
    ProcessHandle init = init(web);
    try (ExecProcess process = running(web)) {
      kill(monitor(web));
      assertEquals(KILLED, process.await());
      assertEquals(0, process.stdout().readAllBytes().length);
    }
    init.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
    isStoppedAndStartsAgain(web, container);
  }

  @Test
  void a_program_ends_when_both_are_killed_at_once() throws Exception {
    Instance web = BENCH.launch();
    String container = HostView.container(web);
    try (ExecProcess process = running(web)) {
      kill(monitor(web), init(web));
      assertEquals(KILLED, process.await());
    }
    isStoppedAndStartsAgain(web, container);
  }

  @Test
  void a_program_with_a_terminal_ends_too() throws Exception {
    Instance web = BENCH.launch();
    String container = HostView.container(web);
    try (ExecProcess process =
        web.execStreaming(
            ExecSpec.builder("sh", "-c", "echo up; sleep 1000").terminal(80, 24).build())) {
      assertEquals('u', process.stdout().read());
      kill(init(web));
      assertEquals(KILLED, process.await());
      process.stdout().readAllBytes();
    }
    isStoppedAndStartsAgain(web, container);
  }

  @Test
  void a_frozen_instance_whose_monitor_is_killed_is_stopped() throws Exception {
    Instance web = BENCH.launch();
    String container = HostView.container(web);
    web.freeze();
    kill(monitor(web));
    isStoppedAndStartsAgain(web, container);
  }

  @Test
  void an_instance_of_an_earlier_jvm_that_is_killed_is_stopped() throws Exception {
    String name = BENCH.launch().name();
    Instance web = BENCH.reopen().instances().get(name);
    String container = HostView.container(web);
    ProcessHandle init = init(web);
    try (ExecProcess process = running(web)) {
      kill(monitor(web));
      assertEquals(KILLED, process.await());
    }
    init.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
    isStoppedAndStartsAgain(web, container);
  }

  @Test
  void what_is_killed_while_nobody_looks_is_stopped_at_the_next_open() throws Exception {
    Instance web = BENCH.launch();
    String container = HostView.container(web);
    String name = web.name();
    ProcessHandle init = init(web);
    ProcessHandle monitor = monitor(web);
    BENCH.stapes().close();
    kill(monitor);
    monitor.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
    assertTrue(Files.exists(Path.of("/proc/" + init.pid())), "init goes on");
    Instance again = BENCH.reopen().instances().get(name);
    isStoppedAndStartsAgain(again, container);
    init.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void a_throwaway_instance_that_is_killed_is_gone() throws Exception {
    Instance web =
        BENCH.stapes().instances().launch(BENCH.spec().lifetime(Lifetime.THROWAWAY).build());
    String container = HostView.container(web);
    String name = web.name();
    CompletableFuture<Void> gone = new CompletableFuture<>();
    try (Events.Subscription deletion =
            BENCH
                .stapes()
                .events()
                .subscribe(
                    event -> {
                      if (BENCH.stapes().instances().find(name).isEmpty()) {
                        gone.complete(null);
                      }
                    });
        ExecProcess process = running(web)) {
      kill(init(web));
      assertEquals(KILLED, process.await());
      gone.get(SOON.toSeconds(), TimeUnit.SECONDS);
    }
    assertEquals(Kind.NOT_FOUND, assertThrows(StapesException.class, web::info).kind());
    assertEquals(List.of(), HostView.cgroupsLeftOf(container));
  }
}
