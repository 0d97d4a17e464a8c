package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Console;
import dev.stapes.Delete;
import dev.stapes.ExecProcess;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.BufferedReader;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM is killed while its instances run; the next one has them as if they were its own. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresKernel("overlay")
class AdoptionIT {
  private static final int COLUMNS = 99;

  @RegisterExtension final Room directory = new Room();

  private static Stapes open(Path root, String driver) {
    return Stapes.builder(root).defaultPool(PoolSpec.of("default", driver)).open();
  }

  @ParameterizedTest
  @ValueSource(strings = {"btrfs", "overlay", "dir"})
  void durable_instances_of_a_killed_jvm_are_as_good_as_new_and_throwaway_ones_gone(String driver)
      throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    ChildJvm jvm = new ChildJvm(Files.createDirectory(directory.resolve("jvm")));
    Process child = jvm.start(ThreeLives.class, root.toString(), driver);
    try (BufferedReader lines = child.inputReader()) {
      for (String name : List.of("one", "two", "throwaway")) {
        assertEquals(name, lines.readLine());
      }
    } finally {
      child.destroyForcibly();
      assertTrue(child.waitFor(60, TimeUnit.SECONDS));
    }
    try (Stapes stapes = open(root, driver)) {
      assertEquals(
          List.of("one", "two"),
          stapes.instances().list().stream().map(InstanceInfo::name).toList());
      worksLikeNew(stapes.instances().get("one"));
      restartsBesideTheOther(stapes.instances().get("two"), stapes.instances().get("one"));
    }
    // And once more, of a JVM that has not started them itself, and was closed.
    try (Stapes stapes = open(root, driver)) {
      worksLikeNew(stapes.instances().get("one"));
      for (String name : List.of("one", "two")) {
        stapes.instances().get(name).delete(Delete.FORCE);
      }
    }
    Remains.requireNone(root, driver);
  }

  private static void worksLikeNew(Instance one) throws Exception {
    assertEquals(InstanceStatus.RUNNING, one.info().status());
    assertEquals("kept one\n", one.exec("cat", Life.FILE).orThrow().stdout());
    assertEquals("kept one\n", one.files().readText(Life.FILE));
    assertTrue(one.state().pid().isPresent());
    assertTrue(one.state().memory().orElseThrow().bytes() > 0);
    assertTrue(one.state().processes().orElseThrow() > 0);

    ExecSpec size =
        ExecSpec.builder("sh", "-c", "stty size; read line; echo \"got $line\"; exit 7")
            .terminal(COLUMNS, 31)
            .build();
    try (ExecProcess process = one.execStreaming(size)) {
      process.stdin().write("typed\n".getBytes(StandardCharsets.UTF_8));
      process.stdin().flush();
      String shown = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(shown.contains("31 " + COLUMNS), shown);
      assertTrue(shown.contains("got typed"), shown);
      assertEquals(7, process.await());
    }
    try (Console console = one.console()) {
      InputStream output = console.output();
      one.exec("sh", "-c", "echo to the console > /dev/console").orThrow();
      StringBuilder shown = new StringBuilder();
      while (shown.indexOf("to the console") < 0) {
        int c = output.read();
        assertTrue(c >= 0, () -> "the console ended after: " + shown);
        shown.append((char) c);
      }
    }
    one.update(change -> change.config("limits.processes", "150"));
    one.freeze();
    assertEquals(InstanceStatus.FROZEN, one.info().status());
    one.unfreeze();
    one.snapshots().create("s");
    one.exec("rm", Life.FILE).orThrow();
    one.snapshots().restore("s");
    one.snapshots().delete("s");
    assertEquals("kept one\n", one.exec("cat", Life.FILE).orThrow().stdout());
  }

  /** What the dead JVM had mounted for one does not stand in its way while another one runs on. */
  private static void restartsBesideTheOther(Instance one, Instance other) {
    one.restart(Stop.FORCE);
    assertEquals("kept two\n", one.exec("cat", Life.FILE).orThrow().stdout());
    one.stop(Stop.FORCE);
    assertEquals("kept two\n", one.files().readText(Life.FILE));
    one.start();
    assertEquals("up\n", other.exec("echo", "up").orThrow().stdout());
  }

  /** Starts two durable instances and a throwaway one, names each, and waits to be killed. */
  public static final class ThreeLives {
    private ThreeLives() {}

    /** Arguments: root directory, storage driver. */
    public static void main(String[] arguments) throws Exception {
      Stapes stapes = open(Path.of(arguments[0]), arguments[1]);
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      for (String name : List.of("one", "two", "throwaway")) {
        Instance instance =
            stapes
                .instances()
                .launch(
                    InstanceSpec.container(name, "busybox")
                        .lifetime(name.equals("throwaway") ? Lifetime.THROWAWAY : Lifetime.DURABLE)
                        .build());
        instance.exec("sh", "-c", "echo kept " + name + " > " + Life.FILE).orThrow();
        System.out.println(name);
      }
      new CountDownLatch(1).await();
    }
  }
}
