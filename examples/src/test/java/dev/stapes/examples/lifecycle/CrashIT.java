package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A JVM dies at each effect of the life of an instance; the next open must find every instance
 * either whole or not there, and nothing that belongs to nobody.
 */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class CrashIT {
  private static final int MORE_THAN_ENOUGH = 500;
  private Path root;

  @BeforeEach
  void make() throws IOException {
    root =
        Path.of(System.getProperty("stapes.build", "target"))
            .toAbsolutePath()
            .resolve("crash-" + ProcessHandle.current().pid());
    Files.createDirectories(root);
    try (Stapes stapes = open()) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      // The image is unpacked before anybody dies, so that each life is short.
      stapes.instances().create(InstanceSpec.container("warm", "busybox").build()).delete();
    }
  }

  @AfterEach
  void remove() throws IOException {
    assertEquals(Set.of(), HostLeftovers.of(root), "left on the machine");
    Workbench.removeAll(root);
  }

  private Stapes open() {
    return Stapes.builder(root).defaultPool(PoolSpec.of("default", "btrfs")).open();
  }

  @ParameterizedTest
  @ValueSource(strings = {"before", "after"})
  void whenever_the_jvm_dies_the_next_open_repairs(String moment) throws Exception {
    // Every effect is tried over the two moments; odd ones before, even ones after.
    for (int n = moment.equals("before") ? 1 : 2; n < MORE_THAN_ENOUGH; n += 2) {
      int code = child(CrashChild.class, Integer.toString(n), moment);
      String at = "at effect " + n + ", " + moment + ": " + Files.readString(output());
      assertTrue(code == CrashChild.DIED || code == CrashChild.SURVIVED, code + " " + at);
      checkAndEmpty(at);
      if (code == CrashChild.SURVIVED) {
        assertTrue(n > 10, "a life has more effects than " + n);
        return;
      }
    }
    throw new AssertionError("a life has no end");
  }

  private void checkAndEmpty(String at) throws IOException {
    try (Stapes stapes = open()) {
      for (InstanceInfo info : stapes.instances().list()) {
        Instance instance = stapes.instances().get(info.name());
        if (info.status() == InstanceStatus.STOPPED) {
          instance.start();
        }
        instance.exec("cat", "/etc/passwd").orThrow();
        if (!instance.snapshots().list().isEmpty()) {
          instance.snapshots().restore("s");
          assertEquals("1\n", instance.exec("cat", "/root/file").orThrow().stdout(), at);
        }
        instance.delete(Delete.FORCE);
      }
      assertEquals(List.of(), stapes.instances().list(), at);
    }
    assertEquals(Set.of(), HostLeftovers.of(root), at);
    try (Stream<Path> run = Files.list(root.resolve("run/lxc"))) {
      assertEquals(List.of(), run.toList(), at);
    }
  }

  @Test
  void a_durable_instance_survives_a_killed_jvm_and_a_throwaway_one_does_not() throws Exception {
    Process child = start(TwoLives.class);
    assertEquals(2, child.inputReader().lines().limit(2).count(), "both run");
    child.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
    try (Stapes stapes = open()) {
      assertEquals(
          List.of("durable"), stapes.instances().list().stream().map(InstanceInfo::name).toList());
      Instance durable = stapes.instances().get("durable");
      assertEquals(InstanceStatus.RUNNING, durable.info().status());
      assertEquals("kept\n", durable.exec("cat", "/root/file").orThrow().stdout());
      durable.delete(Delete.FORCE);
    }
  }

  /** Starts a durable and a throwaway instance, says so, and waits to be killed. */
  public static final class TwoLives {
    private TwoLives() {}

    /** Argument: the root directory. */
    public static void main(String[] arguments) throws Exception {
      Stapes stapes =
          Stapes.builder(Path.of(arguments[0])).defaultPool(PoolSpec.of("default", "btrfs")).open();
      for (Lifetime lifetime : List.of(Lifetime.DURABLE, Lifetime.THROWAWAY)) {
        Instance instance =
            stapes
                .instances()
                .launch(
                    InstanceSpec.container(
                            lifetime.name().toLowerCase(java.util.Locale.ROOT), "busybox")
                        .lifetime(lifetime)
                        .build());
        instance.exec("sh", "-c", "echo kept > /root/file").orThrow();
        System.out.println(instance.name());
      }
      new java.util.concurrent.CountDownLatch(1).await();
    }
  }

  private Path output() {
    return root.resolveSibling(root.getFileName() + ".out");
  }

  private int child(Class<?> main, String... arguments) throws Exception {
    ProcessBuilder builder = builder(main, arguments);
    Process process = builder.redirectErrorStream(true).redirectOutput(output().toFile()).start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the child hangs");
    return process.exitValue();
  }

  private Process start(Class<?> main) throws IOException {
    return builder(main).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private ProcessBuilder builder(Class<?> main, String... arguments) {
    java.util.ArrayList<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                root.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }
}
