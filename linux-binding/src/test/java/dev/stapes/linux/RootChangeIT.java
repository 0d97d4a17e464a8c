package dev.stapes.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A shell with an empty root of its own gets another one. */
@RequiresRoot
@RequiresTool("busybox")
@RequiresTool("unshare")
@Timeout(60)
class RootChangeIT {
  private static final List<String> CARRIED = List.of("tools", "proc");

  private final Syscalls sys = Syscalls.system();
  private final Spawner spawner = Spawner.openWithPrivateMounts(sys, "test");
  private final Path dir;
  private final Process shell;
  private final OutputStream in;
  private final BufferedReader out;

  RootChangeIT(@TempDir Path dir) throws IOException {
    this.dir = dir.toRealPath();
    this.shell = startShell(this.dir);
    this.in = shell.getOutputStream();
    this.out =
        new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Its root has busybox on one mount, proc(5) on another, and where a root can be attached. */
  private static Process startShell(Path dir) throws IOException {
    Path old = Files.createDirectory(dir.resolve("old"));
    for (String name : List.of("tools", "proc", RootChange.PLACE)) {
      Files.createDirectory(old.resolve(name));
    }
    Path tools = Files.createDirectory(dir.resolve("tools"));
    Path busybox =
        Files.isExecutable(Path.of("/bin/busybox"))
            ? Path.of("/bin/busybox")
            : Path.of("/usr/bin/busybox");
    Files.copy(busybox, tools.resolve("busybox"), StandardCopyOption.COPY_ATTRIBUTES);
    String script =
        "mount --bind $1 $1 && mount --bind $2 $1/tools && mount -t proc proc $1/proc && cd $1"
            + " && pivot_root . . && exec /tools/busybox sh -c '/tools/busybox umount -l . &&"
            + " /tools/busybox mount --make-rshared / && echo up;"
            + " while read -r line; do eval \"$line\"; done'";
    return new ProcessBuilder(
            List.of(
                "unshare",
                "--mount",
                "--uts",
                "--propagation",
                "private",
                "sh",
                "-c",
                script,
                "sh",
                old.toString(),
                tools.toString()))
        .redirectErrorStream(true)
        .start();
  }

  @BeforeEach
  void awaitShell() throws IOException {
    assertEquals("up", out.readLine());
  }

  @AfterEach
  void endShell() throws Exception {
    in.close();
    assertTrue(shell.waitFor(30, TimeUnit.SECONDS));
    spawner.close();
    assertEquals(List.of(), MountTable.ofProcess().below(dir));
  }

  private String ask(String command) throws IOException {
    in.write((command + "\n").getBytes(StandardCharsets.UTF_8));
    in.flush();
    return String.valueOf(out.readLine());
  }

  private Path newRoot(String... directories) throws IOException {
    Path root = Files.createDirectory(dir.resolve("new"));
    for (String name : directories) {
      Files.createDirectory(root.resolve(name));
    }
    Files.writeString(root.resolve("who"), "the new one\n");
    return root;
  }

  private void change(Path root) {
    try (Fd tree = spawner.call(() -> new MountNamespace(sys).cloneTree(root))) {
      new RootChange(sys).run(tree, shell.pid(), CARRIED, "other");
    }
  }

  private Path namespace(String name) throws IOException {
    return Files.readSymbolicLink(
        Path.of("/proc/self/task/" + spawner.tid() + "/ns").resolve(name));
  }

  @Test
  void processes_find_themselves_in_the_new_root_with_what_was_carried_over() throws Exception {
    Path mounts = namespace("mnt");
    Path names = namespace("uts");
    String host = InetAddress.getLocalHost().getHostName();
    assertEquals("old root", ask("[ -e /who ] && echo new root || echo old root"));

    change(newRoot("tools", "proc", "more"));

    assertEquals("the new one", ask("/tools/busybox cat /who"));
    assertEquals("other", ask("/tools/busybox hostname"));
    assertEquals("more proc tools who", ask("cd /; echo *"));
    assertEquals("3", ask("/tools/busybox wc -l </proc/self/mountinfo"));
    assertEquals("shared", ask("read -r a b c d e f g h </proc/self/mountinfo; echo ${g%:*}"));
    assertTrue(Files.exists(dir.resolve("new/who"), LinkOption.NOFOLLOW_LINKS));
    assertEquals(mounts, namespace("mnt"), "the thread is back");
    assertEquals(names, namespace("uts"), "the thread is back");
    assertEquals(host, InetAddress.getLocalHost().getHostName());
  }

  @Test
  void a_root_that_cannot_take_what_is_carried_over_is_refused() throws Exception {
    Path mounts = namespace("mnt");
    Path root = newRoot("tools");
    LinuxException missing = assertThrows(LinuxException.class, () -> change(root));
    assertEquals(Errno.ENOENT, missing.errno());
    assertEquals("old root", ask("[ -e /who ] && echo new root || echo old root"));
    assertEquals(mounts, namespace("mnt"), "the thread is back");
  }

  @Test
  void a_link_in_the_place_of_a_directory_leads_nowhere() throws Exception {
    Path root = newRoot("tools");
    Files.createSymbolicLink(root.resolve("proc"), Path.of("/" + RootChange.PLACE));
    LinuxException link = assertThrows(LinuxException.class, () -> change(root));
    assertTrue(link.is(Errno.ENOTDIR) || link.is(Errno.ELOOP), link::toString);
    assertEquals("old root", ask("[ -e /who ] && echo new root || echo old root"));
  }
}
