package dev.stapes.benchmarks.lifecycle;

import dev.stapes.linux.ChildProcess;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.Signal;
import dev.stapes.linux.SpawnRequest;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes an idle child into the cgroup that it is in, every 8 ms while something is done and a
 * quarter of a second more: moving processes between cgroups then needs no grace period of the
 * kernel.
 */
final class HandTicker implements AutoCloseable {
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(8);
  private static final long TAIL = TimeUnit.MILLISECONDS.toNanos(250);

  private final ChildProcess idler;
  private final Pipe input;
  private final Path procs;
  private final byte[] pid;
  private final Thread thread;
  private volatile long until = System.nanoTime();
  private volatile boolean closed;

  HandTicker(Syscalls sys, Spawner spawner) throws IOException {
    input = Pipe.open(sys);
    idler = spawner.spawn(SpawnRequest.of(Path.of("/bin/cat")).stdin(input.read()).build());
    pid = Integer.toString(idler.pid()).getBytes(StandardCharsets.US_ASCII);
    procs = groups(Integer.toString(idler.pid())).get(0).resolve("cgroup.procs");
    thread = new Thread(this::run, "by-hand-ticker");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * The cgroups that a process is in, one for each hierarchy that can be seen.
   *
   * @param process its number, or {@code self}
   */
  static List<Path> groups(String process) throws IOException {
    Path top = Path.of("/sys/fs/cgroup");
    boolean hybrid = Files.isDirectory(top.resolve("unified"));
    List<Path> groups = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc", process, "cgroup"))) {
      String[] parts = line.split(":", 3);
      String controllers = parts[1].startsWith("name=") ? parts[1].substring(5) : parts[1];
      String hierarchy = controllers.isEmpty() && hybrid ? "unified" : controllers;
      Path group = top.resolve(hierarchy).resolve(parts[2].substring(1));
      if (Files.isDirectory(group)) {
        groups.add(group);
      }
    }
    return groups;
  }

  /** Ticks from now on, until a moment after the last call. */
  void wanted() {
    until = System.nanoTime() + TAIL;
    LockSupport.unpark(thread);
  }

  private void run() {
    while (!closed) {
      if (until - System.nanoTime() > 0) {
        touch();
        LockSupport.parkNanos(PERIOD);
      } else {
        LockSupport.park();
      }
    }
  }

  private void touch() {
    try {
      Files.write(procs, pid);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    LockSupport.unpark(thread);
    thread.join();
    idler.signal(Signal.KILL);
    idler.awaitExit();
    input.close();
  }
}
