package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Programs of the host are not there: a clear error where they are needed, and nothing is lost. A
 * JVM with mounts of its own finds something else in their places.
 */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresTool("debootstrap")
@RequiresKernel("btrfs")
class MissingToolsIT {
  @RegisterExtension final Room directory = new Room();

  private Path root = Path.of("");
  private ChildJvm jvm;

  @BeforeEach
  void makeRoom() throws IOException {
    root = directory.resolve("root");
    jvm = new ChildJvm(Files.createDirectory(directory.resolve("jvm")));
  }

  @AfterEach
  void deleteAll() {
    try (Stapes stapes = open(root)) {
      for (InstanceInfo info : stapes.instances().list()) {
        stapes.instances().get(info.id()).delete(Delete.FORCE);
      }
    }
  }

  private List<String> without(Set<String> missing, Class<?> main)
      throws IOException, InterruptedException {
    List<Path> programs = new ArrayList<>();
    for (String name : missing) {
      for (String element : List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")) {
        Path program = Path.of(element, name);
        if (Files.exists(program)) {
          programs.add(program.toRealPath());
        }
      }
    }
    assertTrue(programs.size() >= missing.size(), programs::toString);
    ChildJvm.End end = jvm.runWithout(programs, main, root.toString());
    assertEquals(0, end.code(), end.output());
    return end.output().lines().filter(line -> line.startsWith("> ")).toList();
  }

  private static void assertSaid(List<String> expected, List<String> said) {
    assertEquals(expected.size(), said.size(), said::toString);
    for (int i = 0; i < said.size(); i++) {
      String line = said.get(i).substring(2);
      assertTrue(Pattern.compile(expected.get(i)).matcher(line).find(), said::toString);
    }
  }

  @Test
  void without_the_programs_of_lxc_what_runs_goes_on_and_nothing_of_it_is_touched()
      throws Exception {
    try (Stapes stapes = open(root)) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      Instance one = stapes.instances().launch(InstanceSpec.container("one", "busybox").build());
      one.exec("sh", "-c", "echo kept > /root/file").orThrow();
      stapes.instances().create(InstanceSpec.container("two", "busybox").build());
    }

    String needed = "UNAVAILABLE .*lxc-(start|attach) not found.*install the package lxc";
    assertSaid(
        List.of(
            "^one ERROR$",
            "^two STOPPED$",
            needed,
            needed,
            needed,
            needed,
            "^done$",
            needed,
            "^done$"),
        without(Set.of("lxc-start", "lxc-attach"), WithoutLxc.class));

    try (Stapes stapes = open(root)) {
      Instance one = stapes.instances().get("one");
      assertEquals(InstanceStatus.RUNNING, one.info().status());
      assertEquals("kept\n", one.exec("cat", "/root/file").orThrow().stdout());
      assertTrue(stapes.instances().find("two").isEmpty());
    }
  }

  @Test
  void without_what_makes_images_and_file_systems_each_error_says_what_to_install()
      throws Exception {
    assertSaid(
        List.of(
            "UNAVAILABLE .*mkfs.btrfs not found.*install the package btrfs-progs",
            "^dir$",
            "UNAVAILABLE .*busybox.*install the package busybox-static",
            "UNAVAILABLE .*debootstrap.*install the package debootstrap",
            "^\\[\\]$"),
        without(Set.of("mkfs.btrfs", "busybox", "debootstrap"), WithoutMakers.class));
  }

  private static Stapes open(Path root) {
    return Stapes.builder(root).defaultPool(PoolSpec.of("default", "btrfs")).open();
  }

  private static void attempt(Runnable call) {
    try {
      call.run();
      System.out.println("> done");
    } catch (StapesException e) {
      System.out.println("> " + e.kind() + " " + e.getMessage());
    }
  }

  /** Tries what needs the programs of LXC, on an instance that runs and one that does not. */
  public static final class WithoutLxc {
    private WithoutLxc() {}

    /** Argument: root directory. */
    public static void main(String[] arguments) {
      try (Stapes stapes = open(Path.of(arguments[0]))) {
        for (InstanceInfo info : stapes.instances().list()) {
          System.out.println("> " + info.name() + " " + info.status());
        }
        Instance one = stapes.instances().get("one");
        attempt(one::start);
        attempt(() -> one.exec("true"));
        attempt(() -> one.delete(Delete.FORCE));
        Instance two = stapes.instances().get("two");
        attempt(two::start);
        attempt(two::delete);
        attempt(
            () -> stapes.instances().create(InstanceSpec.container("three", "busybox").build()));
        attempt(() -> stapes.images().get("busybox"));
      }
    }
  }

  /** Tries what needs the makers of file systems and images. */
  public static final class WithoutMakers {
    private WithoutMakers() {}

    /** Argument: root directory. */
    public static void main(String[] arguments) {
      Path root = Path.of(arguments[0]);
      attempt(() -> open(root).close());
      try (Stapes stapes = Stapes.open(root)) {
        System.out.println("> " + stapes.pools().byDefault().info().driver());
        attempt(() -> stapes.images().importFrom(ImageSources.busybox(), "busybox"));
        attempt(() -> stapes.images().importFrom(ImageSources.debootstrap("bookworm"), "debian"));
        System.out.println("> " + stapes.images().list());
      }
    }
  }
}
