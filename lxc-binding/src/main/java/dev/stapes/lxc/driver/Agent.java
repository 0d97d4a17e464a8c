package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Fifo;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.IdMapping;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The shell that stays in a container and starts programs there. It hears by a FIFO in a directory
 * that the container sees read-only at {@code /dev/.stapes}; being FIFOs, a later JVM can go on
 * with the same agent. What comes from inside is untrusted: it is bounded, and nothing is waited
 * for without a limit.
 */
final class Agent implements AutoCloseable {
  /** Where the container sees the directory. */
  static final String INSIDE = "dev/.stapes";

  private static final String[] SCRIPTS = {"boot", "agent"};

  private static final String REQUESTS = "req";
  private static final String UP = "up";
  private static final String GO = "go";
  private static final String ENVIRONMENT = "environment";

  /** All FIFOs of the directory; the first four only the scripts use, among themselves. */
  private static final List<String> FIFOS =
      List.of("pause", "born", "turn0", "turn1", REQUESTS, UP, GO);

  private static final long START_MILLIS = 10_000;
  private static final long SUSPICIOUS_MILLIS = 1_000;
  private static final long BORN_MILLIS = 8_000;
  private static final int SLICE_MILLIS = 50;
  private static final long REAPED_MILLIS = 1_500;

  /** Tells the programs of this JVM from those of one before it. */
  private static final String PREFIX = random();

  private static final AtomicLong COUNT = new AtomicLong();

  private final Syscalls sys;
  private final Path directory;
  private final Optional<IdMapping> mapping;
  private final Runnable revive;
  private final Terminals terminals;
  private final BooleanSupplier full;
  private final Object writing = new Object();
  private final Object reviving = new Object();
  private final AtomicReference<@Nullable Fd> early;

  /** Makes terminals in the container. */
  interface Terminals {
    /** One that belongs to these ids of the host. */
    ContainerTerminal open(long uid, long gid);
  }

  /**
   * An agent.
   *
   * @param early the requests, where it may be that the agent is yet to come
   * @param revive starts it again in the running container
   * @param terminals where terminals come from
   * @param full whether the container may have no process more
   */
  Agent(
      Syscalls sys,
      Path directory,
      Optional<IdMapping> mapping,
      Optional<Fd> early,
      Runnable revive,
      Terminals terminals,
      BooleanSupplier full) {
    this.sys = sys;
    this.directory = directory;
    this.mapping = mapping;
    this.early = new AtomicReference<>(early.orElse(null));
    this.revive = revive;
    this.terminals = terminals;
    this.full = full;
  }

  private static String random() {
    byte[] random = new byte[6];
    new SecureRandom().nextBytes(random);
    return HexFormat.of().formatHex(random);
  }

  /** Fills a new, empty directory. */
  static void prepare(Syscalls sys, Path directory, Optional<IdMapping> mapping)
      throws IOException {
    for (String script : SCRIPTS) {
      try (InputStream in = Agent.class.getResourceAsStream(script + ".sh")) {
        if (in == null) {
          throw new IOException("the script " + script + " is missing from the jar");
        }
        Files.copy(in, directory.resolve(script));
      }
    }
    Files.createFile(directory.resolve("busybox"));
    Fifo fifo = new Fifo(sys);
    for (String name : FIFOS) {
      fifo.create(directory.resolve(name), 0600, hostUid(mapping, 0), hostGid(mapping, 0));
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
    StringBuilder text = new StringBuilder();
    variables.forEach(
        (name, value) -> {
          text.append("export ").append(name).append('=');
          text.append(ShellWords.quote(value)).append('\n');
        });
    ExecFiles.Owners owners =
        new ExecFiles.Owners(hostUid(mapping, 0), hostGid(mapping, 0), hostUid(mapping, 0));
    ExecFiles.write(sys, directory.resolve(ENVIRONMENT), owners, text.toString());
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

  /** Removes what a JVM left that has ended: its programs write to nobody. */
  void forgetOthers() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.[qsioe]")) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts a program. */
  Program start(ExecSpec spec) {
    try {
      try {
        return startNow(spec);
      } catch (StapesException e) {
        if (e.kind() != Kind.EXHAUSTED || !roomComes()) {
          throw e;
        }
        return startNow(spec);
      }
    } catch (LinuxException e) {
      throw KernelError.of(e, subject(spec), "cannot be started");
    }
  }

  /**
   * Whether the container gets room for processes soon. Some inits, busybox's is one, reap what is
   * left to them only once a second; until then the dead count as processes.
   */
  private boolean roomComes() {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(REAPED_MILLIS);
    while (full.getAsBoolean()) {
      if (System.nanoTime() > deadline || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(SLICE_MILLIS));
    }
    return true;
  }

  private Program startNow(ExecSpec spec) {
    ExecFiles.Owners owners = owners(spec);
    for (int attempt = 0; ; attempt++) {
      Optional<ContainerTerminal> terminal = Optional.empty();
      if (spec.terminal().isPresent()) {
        terminal = Optional.of(terminals.open(owners.user(), owners.rootGroup()));
        terminal.get().resize(sys, spec.terminal().get());
      }
      Optional<Program> program = attempt(spec, owners, terminal);
      if (program.isPresent()) {
        return program.get();
      }
      if (attempt > 0) {
        throw new StapesException(
            Kind.UNAVAILABLE, subject(spec), "the agent in the instance ends again and again");
      }
      revive();
    }
  }

  /** Tells the agent to send a signal to a process group. */
  void signal(int number, long group) {
    if (!send("k " + number + " -" + group)) {
      revive();
      send("k " + number + " -" + group);
    }
  }

  /** Empty: the agent is not there. */
  private Optional<Program> attempt(
      ExecSpec spec, ExecFiles.Owners owners, Optional<ContainerTerminal> terminal) {
    String id = PREFIX + "-" + COUNT.incrementAndGet();
    OptionalInt number =
        terminal.isPresent() ? OptionalInt.of(terminal.get().number()) : OptionalInt.empty();
    String request = ExecRequest.text(spec, number);
    ExecFiles files = null;
    boolean done = false;
    try {
      files = ExecFiles.create(sys, directory, id, owners, request, terminal.isEmpty());
      ProgramStatus status = new ProgramStatus();
      if (!send("r " + id) || !awaitStart(spec, files, status)) {
        return Optional.empty();
      }
      close(); // there is an agent
      files.removeRequest();
      Program program = new Program(sys, this, files, terminal, status);
      done = true;
      return Optional.of(program);
    } finally {
      if (!done) {
        terminal.ifPresent(ContainerTerminal::close);
        if (files != null) {
          files.close();
        }
      }
    }
  }

  /** False: the agent died meanwhile. */
  private boolean awaitStart(ExecSpec spec, ExecFiles files, ProgramStatus status) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
    long suspicious = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SUSPICIOUS_MILLIS);
    long born = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(BORN_MILLIS);
    boolean heard = false;
    boolean wasFull = false;
    while (System.nanoTime() < deadline) {
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(
            Kind.INTERRUPTED, subject(spec), "interrupted before the program started");
      }
      int[] events = Polls.readable(sys, SLICE_MILLIS, files.status());
      if (events[0] != 0) {
        heard = true;
        status.read(files.status());
      }
      if (status.isStarted()) {
        return true;
      }
      // The container cannot always say that it failed: that needs a process too.
      wasFull |= System.nanoTime() > suspicious && full.getAsBoolean();
      if (status.isRefused() || status.code().isPresent() || (wasFull && !heard)) {
        throw exhausted(spec);
      }
      if (System.nanoTime() > born) {
        close(); // now it can be told whether there is an agent
      }
      if (events[0] == 0 && !heard && !isListening()) {
        return false;
      }
    }
    if (wasFull) {
      throw exhausted(spec);
    }
    throw new StapesException(
        Kind.TIMED_OUT,
        subject(spec),
        "the instance did not start the program within " + START_MILLIS + " ms");
  }

  private static StapesException exhausted(ExecSpec spec) {
    return new StapesException(
        Kind.EXHAUSTED,
        subject(spec),
        "the instance could not start another process: limits.processes or its memory");
  }

  /** Whether somebody has the other end of the requests open. */
  private boolean isListening() {
    Optional<Fd> requests = new Fifo(sys).openWrite(directory.resolve(REQUESTS));
    requests.ifPresent(Fd::close);
    return requests.isPresent();
  }

  /** False: nobody reads, or has read for long. */
  private boolean send(String line) {
    byte[] bytes = (line + "\n").getBytes(StandardCharsets.US_ASCII);
    synchronized (writing) {
      Optional<Fd> requests = new Fifo(sys).openWrite(directory.resolve(REQUESTS));
      if (requests.isEmpty()) {
        return false;
      }
      try (Fd fd = requests.get()) {
        // Shorter than PIPE_BUF: all of it or nothing.
        fd.write(ByteBuffer.wrap(bytes));
        return true;
      } catch (LinuxException e) {
        if (e.errno() == Errno.EAGAIN || e.errno() == Errno.EPIPE) {
          return false;
        }
        throw e;
      }
    }
  }

  /** Once for all who miss it: two agents would take the requests out of each other's mouths. */
  private void revive() {
    synchronized (reviving) {
      if (!isListening()) {
        reviveNow();
      }
    }
  }

  /** Forgets what has been said of being there. */
  static void forgetReady(Syscalls sys, Fd ready) {
    while ((Polls.readable(sys, 0, ready)[0] & Constants.POLLIN) != 0) {
      ready.read(Syscalls.buffer(4096));
    }
  }

  private void reviveNow() {
    try (Fd ready = openReady(sys, directory)) {
      forgetReady(sys, ready);
      revive.run();
      if (!awaitReady(sys, ready, START_MILLIS, () -> true)) {
        throw new StapesException(
            full.getAsBoolean() ? Kind.EXHAUSTED : Kind.UNAVAILABLE,
            "exec",
            "the agent in the instance has ended and does not come back");
      }
    }
  }

  /** Lets go of the requests; the agent stays. */
  @Override
  public void close() {
    Fd open = early.getAndSet(null);
    if (open != null) {
      open.close();
    }
  }

  private ExecFiles.Owners owners(ExecSpec spec) {
    OptionalLong user =
        mapping.isPresent() ? mapping.get().hostUid(spec.user()) : OptionalLong.of(spec.user());
    OptionalLong group =
        mapping.isPresent() && spec.group().isPresent()
            ? mapping.get().hostGid(spec.group().get())
            : OptionalLong.of(0);
    if (user.isEmpty() || group.isEmpty()) {
      throw StapesException.invalid(
          subject(spec),
          "not in the instance's id map: user "
              + spec.user()
              + spec.group().map(gid -> " group " + gid).orElse(""));
    }
    return new ExecFiles.Owners(hostUid(mapping, 0), hostGid(mapping, 0), user.getAsLong());
  }

  private static String subject(ExecSpec spec) {
    return "exec " + spec.command().get(0);
  }

  private static long hostUid(Optional<IdMapping> mapping, long uid) {
    return mapping.map(map -> map.hostUid(uid).orElse(uid)).orElse(uid);
  }

  private static long hostGid(Optional<IdMapping> mapping, long gid) {
    return mapping.map(map -> map.hostGid(gid).orElse(gid)).orElse(gid);
  }
}
