package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Fifo;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.IdMapping;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ShellWords;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The directory by which a container and this JVM speak: the scripts of its first program and of
 * its {@link Agent}, and FIFOs. The container sees it read-only.
 */
final class AgentDirectory {
  /** Where the container sees the directory. */
  static final String INSIDE = "dev/.stapes";

  private static final String[] SCRIPTS = {"boot", "agent"};

  /** What was read of them; a jar is slow to look into. */
  private static final Map<String, byte[]> TEXTS = new ConcurrentHashMap<>();

  static final String REQUESTS = "req";
  private static final String UP = "up";
  private static final String GO = "go";
  private static final String ENVIRONMENT = "environment";

  /** All FIFOs of the directory; the first four only the scripts use, among themselves. */
  private static final List<String> FIFOS =
      List.of("pause", "born", "turn0", "turn1", REQUESTS, UP, GO);

  private static final int SLICE_MILLIS = 50;

  private AgentDirectory() {}

  /** Fills a new, empty directory. */
  static void prepare(Syscalls sys, Path directory, Optional<IdMapping> mapping)
      throws IOException {
    for (String script : SCRIPTS) {
      byte[] text = TEXTS.get(script);
      if (text == null) {
        text = load(script);
        TEXTS.put(script, text);
      }
      Files.write(directory.resolve(script), text, StandardOpenOption.CREATE_NEW);
    }
    Files.createFile(directory.resolve("busybox"));
    Fifo fifo = new Fifo(sys);
    for (String name : FIFOS) {
      fifo.create(directory.resolve(name), 0600, hostUid(mapping, 0), hostGid(mapping, 0));
    }
  }

  private static byte[] load(String script) throws IOException {
    try (InputStream in = Agent.class.getResourceAsStream(script + ".sh")) {
      if (in == null) {
        throw new IOException("the script " + script + " is missing from the jar");
      }
      return in.readAllBytes();
    }
  }

  /** Gives a directory that was filled for another mapping to the container's root. */
  static void own(Syscalls sys, Path directory, Optional<IdMapping> mapping) {
    Fifo fifo = new Fifo(sys);
    for (String name : FIFOS) {
      fifo.chown(directory.resolve(name), hostUid(mapping, 0), hostGid(mapping, 0));
    }
  }

  /**
   * The first program of a container.
   *
   * @param early whether it says that it is there before the agent is: only where whoever started
   *     it holds the requests open until then, and nobody else will look for the agent
   * @param variables that it is given, and the agent is not to have
   */
  static List<String> boot(boolean early, Set<String> variables) {
    List<String> command =
        new ArrayList<>(List.of("/" + INSIDE + "/busybox", "sh", "/" + INSIDE + "/boot"));
    command.add(early ? "early" : "auto");
    command.addAll(variables);
    return command;
  }

  /** The first program of a container that is to wait for its root file system. */
  static List<String> waiting() {
    return List.of("/" + INSIDE + "/busybox", "sh", "/" + INSIDE + "/boot", "wait");
  }

  /**
   * Opens that for which a {@link #waiting} container waits: it ends where this is closed before
   * anything was written.
   */
  static Fd openGo(Syscalls sys, Path directory) {
    return new Fifo(sys).openBoth(directory.resolve(GO));
  }

  /** Lets a waiting container go on as that of an instance, with these variables. */
  static void go(
      Syscalls sys,
      Path directory,
      Optional<IdMapping> mapping,
      Fd go,
      Map<String, String> variables) {
    String text = ShellWords.exports(variables);
    ExecFiles.write(sys, directory.resolve(ENVIRONMENT), rootOwners(mapping), text);
    go.write(ByteBuffer.wrap(new byte[] {'\n'}));
  }

  /**
   * Whether a start need not wait for the agent: it is another JVM's to look for it where the
   * container outlives this one, and two agents would take the requests out of each other's mouths.
   */
  static boolean mayComeLate(Lifetime lifetime) {
    return lifetime == Lifetime.THROWAWAY;
  }

  /**
   * Opens the requests, so that they wait for an agent that is yet to come. Whether there is one
   * cannot be told meanwhile.
   */
  static Fd openRequests(Syscalls sys, Path directory) {
    return new Fifo(sys).openBoth(directory.resolve(REQUESTS));
  }

  /** Opens the end at which the container says that it is there; does not wait. */
  static Fd openReady(Syscalls sys, Path directory) {
    return new Fifo(sys).openBoth(directory.resolve(UP));
  }

  /**
   * Waits until the first process says that it is there, or an agent that was started again.
   *
   * @param possible whether it still can
   * @return false after the time, or when it cannot any more
   */
  static boolean awaitReady(Syscalls sys, Fd ready, long millis, BooleanSupplier possible) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while ((Polls.readable(sys, SLICE_MILLIS, ready)[0] & Constants.POLLIN) == 0) {
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(Kind.INTERRUPTED, "instance", "interrupted while it starts");
      }
      if (System.nanoTime() > deadline || !possible.getAsBoolean()) {
        return false;
      }
    }
    return true;
  }

  /** Forgets what has been said of being there. */
  static void forgetReady(Syscalls sys, Fd ready) {
    while ((Polls.readable(sys, 0, ready)[0] & Constants.POLLIN) != 0) {
      ready.read(Syscalls.buffer(4096));
    }
  }

  /** Of what only the container's root is to read. */
  static ExecFiles.Owners rootOwners(Optional<IdMapping> mapping) {
    long uid = hostUid(mapping, 0);
    return new ExecFiles.Owners(uid, hostGid(mapping, 0), uid);
  }

  /** A uid of the container as the host sees it. */
  static long hostUid(Optional<IdMapping> mapping, long uid) {
    return mapping.map(map -> map.hostUid(uid).orElse(uid)).orElse(uid);
  }

  /** A gid of the container as the host sees it. */
  static long hostGid(Optional<IdMapping> mapping, long gid) {
    return mapping.map(map -> map.hostGid(gid).orElse(gid)).orElse(gid);
  }
}
