package dev.stapes.benchmarks.lifecycle;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Pidfd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.Ready;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A running container, started by hand: {@code lxc-start} in the foreground, a shell as its first
 * process that executes what it reads, ended by two signals and the removal of its cgroups.
 */
final class HandContainer {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String LOOP =
      "echo ready; while read -r line; do $line </dev/null >/dev/null 2>&1; echo $?; done";

  private final Syscalls sys;
  private final List<Path> groups;
  private final String name;
  private final ChildProcess monitor;
  private final Pipe in;
  private final Pipe out;

  private HandContainer(
      Syscalls sys, List<Path> groups, String name, ChildProcess monitor, Pipe in, Pipe out) {
    this.sys = sys;
    this.groups = groups;
    this.name = name;
    this.monitor = monitor;
    this.in = in;
    this.out = out;
  }

  /**
   * Starts one; it is ready when this returns.
   *
   * @param groups where its cgroups will be, one for each hierarchy
   */
  static HandContainer start(
      Syscalls sys, Spawner spawner, List<Path> groups, Path program, Path where, String name)
      throws IOException, InterruptedException {
    Pipe in = Pipe.open(sys);
    Pipe out = Pipe.open(sys);
    // Without newuidmap on the PATH lxc-start writes the maps itself, and saves two shells.
    SpawnRequest request =
        SpawnRequest.of(
                program,
                List.of(
                    "-P", where.toString(), "-n", name, "-F", "-C", "--", "/bin/sh", "-c", LOOP))
            .environment("PATH", "/nonexistent")
            .environment("LC_ALL", "C")
            .stdin(in.read())
            .stdout(out.write())
            .build();
    HandContainer container = new HandContainer(sys, groups, name, spawner.spawn(request), in, out);
    in.read().close();
    out.write().close();
    String said = container.line();
    if (!said.equals("ready")) {
      container.kill();
      throw new IOException(name + " says \"" + said + "\": see the log in " + where);
    }
    return container;
  }

  private String line() throws InterruptedException {
    Ready ready = new Ready(sys, PATIENCE);
    StringBuilder line = new StringBuilder();
    ByteBuffer one = ByteBuffer.allocateDirect(64);
    while (true) {
      if (ready.await(List.of(out.read())).isEmpty()) {
        return line + "<nothing more>";
      }
      int count = out.read().read(one.clear());
      if (count < 0) {
        return line + "<end>";
      }
      line.append(StandardCharsets.US_ASCII.decode(one.flip()));
      int end = line.indexOf("\n");
      if (end >= 0) {
        return line.substring(0, end).strip();
      }
    }
  }

  /** Executes a command and returns its exit code. */
  String execute(String command) throws InterruptedException {
    in.write().write(ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.US_ASCII)));
    return line();
  }

  /** Ends it: nothing of it runs and its cgroups are gone when this returns. */
  void kill() throws IOException, InterruptedException {
    int pid = monitor.pid();
    Path children = Path.of("/proc/" + pid + "/task/" + pid + "/children");
    for (String child : Files.readString(children).strip().split(" ")) {
      if (!child.isEmpty()) {
        try (Pidfd init = Pidfd.open(sys, Integer.parseInt(child))) {
          init.signal(Signal.KILL);
          monitor.signal(Signal.KILL);
          init.awaitExit(PATIENCE);
        }
      }
    }
    monitor.signal(Signal.KILL);
    monitor.awaitExit(PATIENCE);
    in.close();
    out.close();
    for (Path parent : groups) {
      removeGroup(parent.resolve("lxc.payload." + name));
      removeGroup(parent.resolve("lxc.monitor." + name));
    }
  }

  private static void removeGroup(Path group) throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        Files.delete(group);
        return;
      } catch (NoSuchFileException e) {
        return;
      } catch (DirectoryNotEmptyException e) {
        try (var below = Files.newDirectoryStream(group, Files::isDirectory)) {
          for (Path child : below) {
            removeGroup(child);
          }
        }
      } catch (FileSystemException e) {
        if (System.nanoTime() > deadline) {
          throw e; // its last process was still there all that time
        }
        Thread.onSpinWait();
      }
    }
  }
}
