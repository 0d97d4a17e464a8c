package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresRoot;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@RequiresRoot
@Timeout(60)
class PrivateMountsIT {
  private final Syscalls sys = Syscalls.system();
  private final Spawner spawner = Spawner.openWithPrivateMounts(sys, "test");
  private final MountNamespace mounts = new MountNamespace(sys);
  private final Path dir;

  PrivateMountsIT(@TempDir Path dir) throws IOException {
    this.dir = dir.toRealPath();
  }

  @AfterEach
  void nothing_is_mounted_on_the_machine() {
    spawner.close();
    assertEquals(List.of(), MountTable.ofProcess().below(dir));
  }

  private void onSpawner(Runnable work) {
    spawner.<Boolean, RuntimeException>call(
        () -> {
          work.run();
          return true;
        });
  }

  private Path directory(String name) throws IOException {
    return Files.createDirectory(dir.resolve(name));
  }

  @Test
  void a_mount_is_seen_by_the_thread_and_through_its_view_and_by_nobody_else() throws Exception {
    Path target = directory("t");
    onSpawner(() -> mounts.tmpfs(target, 64 << 10, 0700, Set.of(MountFlag.NO_SUID)));
    assertEquals(List.of(), MountTable.ofProcess().below(dir));
    MountTable.Mount mount = MountTable.ofThread(spawner.tid()).at(target).orElseThrow();
    assertEquals("tmpfs", mount.type());
    assertTrue(mount.options().contains("nosuid"), mount.toString());
    Files.writeString(spawner.view(target).resolve("f"), "x");
    assertFalse(Files.exists(target.resolve("f")));
    try (Fd fd = spawner.call(() -> Fd.openDirectory(sys, target))) {
      assertEquals("x", Files.readString(fd.path().resolve("f")));
      onSpawner(() -> mounts.unmountLazily(target));
      assertEquals("x", Files.readString(fd.path().resolve("f")));
    }
    assertFalse(Files.exists(spawner.view(target).resolve("f")));
    assertFalse(
        spawner.<Boolean, RuntimeException>call(() -> mounts.unmountLazilyIfMounted(target)));
  }

  @Test
  void a_mount_in_use_is_busy_and_what_is_no_mount_is_invalid() throws Exception {
    Path target = directory("t");
    onSpawner(() -> mounts.tmpfs(target, 64 << 10, 0700, Set.of()));
    try (Fd user = spawner.call(() -> Fd.openDirectory(sys, target))) {
      LinuxException busy =
          assertThrows(LinuxException.class, () -> onSpawner(() -> mounts.unmount(target)));
      assertEquals(Errno.EBUSY, busy.errno(), user.toString());
    }
    onSpawner(() -> mounts.unmount(target));
    LinuxException none =
        assertThrows(LinuxException.class, () -> onSpawner(() -> mounts.unmount(target)));
    assertEquals(target + ": umount2: EINVAL (invalid argument)", none.getMessage());
  }

  @Test
  void a_tmpfs_is_limited_and_can_grow() throws Exception {
    Path target = directory("t");
    onSpawner(() -> mounts.tmpfs(target, 64 << 10, 01777, Set.of()));
    Path file = spawner.view(target).resolve("f");
    assertThrows(IOException.class, () -> Files.write(file, new byte[100_000]));
    onSpawner(() -> mounts.remount(target, Set.of(), "size=1m"));
    Files.write(file, new byte[100_000]);
    assertEquals(FileSystemType.TMPFS, new Kernel(sys).fileSystem(spawner.view(target)).type());
  }

  @Test
  void flags_of_a_mount_are_set_and_cleared() throws Exception {
    Path target = directory("t");
    Set<MountFlag> all = Set.of(MountFlag.values());
    onSpawner(() -> mounts.bind(dir, target, all));
    Set<String> options = MountTable.ofThread(spawner.tid()).at(target).orElseThrow().options();
    assertTrue(
        options.containsAll(Set.of("ro", "nosuid", "nodev", "noexec", "noatime")), options + "");
    onSpawner(() -> mounts.setFlags(target, Set.of(), all, false));
    options = MountTable.ofThread(spawner.tid()).at(target).orElseThrow().options();
    assertEquals(Set.of("rw", "relatime"), options);
  }

  @Test
  void an_overlay_of_paths_with_separators_shows_its_layers() throws Exception {
    Path low = directory("l,o:w\\er");
    Path lowest = directory("lowest");
    Files.writeString(low.resolve("f"), "low");
    Files.writeString(lowest.resolve("f"), "lowest");
    Files.writeString(lowest.resolve("g"), "lowest");
    Path upper = directory("up,p:er");
    Path work = directory("work");
    Path target = directory("t");
    onSpawner(
        () -> mounts.overlay(List.of(low, lowest), upper, work, target, Set.of(), "metacopy=off"));
    assertEquals("low", Files.readString(spawner.view(target).resolve("f")));
    Files.writeString(spawner.view(target).resolve("g"), "changed");
    assertEquals("changed", Files.readString(upper.resolve("g")));
    assertEquals("lowest", Files.readString(lowest.resolve("g")));
  }

  @Test
  void an_idmapped_mount_shows_the_owners_of_the_map() throws Exception {
    Path source = directory("s");
    Path target = directory("t");
    Path file = Files.writeString(source.resolve("f"), "x");
    List<IdRange> map = List.of(new IdRange(0, 700_000, 1000), new IdRange(5000, 900_000, 1));
    try (Fd fd = Fd.open(sys, file, Set.of(OpenFlag.READ));
        UserNamespace users = UserNamespace.create(sys, spawner, map, map)) {
      fd.chown(7, 5000);
      onSpawner(() -> mounts.bindIdmapped(source, target, users, Set.of(MountFlag.READ_ONLY)));
    }
    try (Fd fd = Fd.open(sys, spawner.view(target).resolve("f"), Set.of(OpenFlag.PATH_ONLY))) {
      assertEquals(700_007, fd.stat().uid());
      assertEquals(900_000, fd.stat().gid());
    }
    MountTable.Mount mount = MountTable.ofThread(spawner.tid()).at(target).orElseThrow();
    assertTrue(mount.options().containsAll(Set.of("ro", "idmapped")), mount.toString());
  }

  @Test
  void maps_that_the_kernel_refuses_are_refused_and_no_process_stays() {
    List<IdRange> overlapping = List.of(new IdRange(0, 700_000, 10), new IdRange(5, 800_000, 10));
    LinuxException e =
        assertThrows(
            LinuxException.class,
            () -> UserNamespace.create(sys, spawner, overlapping, overlapping));
    assertEquals(Errno.EINVAL, e.errno(), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new IdRange(0, 4_294_967_295L, 1));
    assertThrows(IllegalArgumentException.class, () -> new IdRange(0, 0, 0));
  }

  /** What the next test kills. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws InterruptedException {
      Syscalls sys = Syscalls.system();
      Path target = Path.of(arguments[0]);
      Spawner spawner = Spawner.openWithPrivateMounts(sys, "victim");
      MountNamespace mounts = new MountNamespace(sys);
      spawner.<Boolean, RuntimeException>call(
          () -> {
            mounts.tmpfs(target, 64 << 10, 0700, Set.of());
            return true;
          });
      SpawnRequest mortal =
          SpawnRequest.of(Path.of("/usr/bin/setpriv"), "--pdeathsig", "KILL", "/bin/sleep", "1000")
              .build();
      ChildProcess child = spawner.spawn(mortal);
      // It is sleep by now when /proc says so; its death signal is set before that.
      while (!name(child.pid()).equals("sleep")) {
        Thread.onSpinWait();
      }
      new java.io.PrintStream(
              new java.io.FileOutputStream(java.io.FileDescriptor.out),
              true,
              StandardCharsets.UTF_8)
          .println(spawner.tid() + " " + child.pid() + " " + ProcessHandle.current().pid());
      child.awaitExit();
    }

    private static String name(int pid) {
      try {
        return Files.readString(Path.of("/proc/" + pid + "/comm")).trim();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }

  @Test
  void killing_the_jvm_ends_its_mounts_and_the_children_that_want_to_die_with_it()
      throws Exception {
    Path target = directory("t");
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName(),
                target.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
      String[] told = lines.readLine().split(" ");
      Path table = Path.of("/proc/" + told[2] + "/task/" + told[0] + "/mountinfo");
      assertTrue(MountTable.parse(Files.readAllBytes(table)).at(target).isPresent());
      // The mount namespace lives while somebody is in it: a descriptor of it would not do.
      try (Pidfd child = Pidfd.open(sys, Integer.parseInt(told[1]))) {
        jvm.destroyForcibly();
        assertTrue(jvm.waitFor(30, TimeUnit.SECONDS));
        assertTrue(child.awaitExit(Duration.ofSeconds(30)));
      }
      assertFalse(Files.exists(table));
    } finally {
      jvm.destroyForcibly();
    }
  }
}
