package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Fifo;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell that stays in a container and starts programs there. It hears by a FIFO in a directory
 * that the container sees read-only at {@code /dev/.stapes}; being FIFOs, a later JVM can go on
 * with the same agent. What comes from inside is untrusted: it is bounded, and nothing is waited
 * for without a limit.
 */
final class Agent implements AutoCloseable {
  private static final long START_MILLIS = 10_000;
  private static final long SUSPICIOUS_MILLIS = 1_000;
  private static final long BORN_MILLIS = 8_000;
  private static final int SLICE_MILLIS = 50;
  private static final long REAPED_MILLIS = 1_500;

  /** Tells the programs of this JVM from those of one before it. */
  private static final String PREFIX = random();

  private static final AtomicLong COUNT = new AtomicLong();
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  private final Syscalls sys;
  private final Path directory;
  private final Optional<IdMapping> mapping;
  private final AtomicReference<@Nullable ExecFiles> prepared = new AtomicReference<>();
  private volatile boolean closed;
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

  /** Removes what a JVM left that has ended: its programs write to nobody. */
  void forgetOthers() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.[qsioe]")) {
      for (Path file : files) {
        if (!file.getFileName().toString().startsWith(PREFIX)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts a program.
   *
   * @param input whether it is given something to read
   */
  Program start(ExecSpec spec, boolean input) {
    try {
      try {
        return startNow(spec, input);
      } catch (StapesException e) {
        if (e.kind() != Kind.EXHAUSTED || !roomComes()) {
          throw e;
        }
        return startNow(spec, input);
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

  private Program startNow(ExecSpec spec, boolean input) {
    ExecFiles.Owners owners = owners(spec);
    for (int attempt = 0; ; attempt++) {
      Optional<ContainerTerminal> terminal = Optional.empty();
      if (spec.terminal().isPresent()) {
        terminal = Optional.of(terminals.open(owners.user(), owners.rootGroup()));
        terminal.get().resize(sys, spec.terminal().get());
      }
      Optional<Program> program = attempt(spec, input, owners, terminal);
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

  private static String nextId() {
    return PREFIX + "-" + COUNT.incrementAndGet();
  }

  private ExecFiles files(ExecFiles.Owners owners, ExecFiles.Streams streams) {
    ExecFiles ready = prepared.get();
    if (ready != null && ready.isSuch(owners, streams) && prepared.compareAndSet(ready, null)) {
      return ready;
    }
    return ExecFiles.create(sys, directory, nextId(), owners, streams);
  }

  /**
   * Makes the files of the next program, if there are none, such as most programs have them:
   * root's, without input. To be called when nothing else is to be done.
   */
  void prepareNext() {
    if (closed || prepared.get() != null) {
      return;
    }
    ExecFiles made;
    try {
      made =
          ExecFiles.create(
              sys,
              directory,
              nextId(),
              AgentDirectory.rootOwners(mapping),
              ExecFiles.Streams.OUTPUT);
    } catch (LinuxException e) {
      LOG.debug("nothing is prepared for the next program: {}", e.getMessage());
      return; // whoever wants a program hears of it
    }
    if (!prepared.compareAndSet(null, made)) {
      made.close();
    } else if (closed) {
      dropPrepared();
    }
  }

  private void dropPrepared() {
    ExecFiles ready = prepared.getAndSet(null);
    if (ready != null) {
      ready.close();
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
      ExecSpec spec, boolean input, ExecFiles.Owners owners, Optional<ContainerTerminal> terminal) {
    OptionalInt number =
        terminal.isPresent() ? OptionalInt.of(terminal.get().number()) : OptionalInt.empty();
    String request = ExecRequest.text(spec, input, number);
    ExecFiles files = null;
    boolean done = false;
    try {
      files = files(owners, ExecFiles.Streams.of(terminal, input));
      files.request(request);
      ProgramStatus status = new ProgramStatus();
      if (!send("r " + files.id()) || !awaitStart(spec, files, status)) {
        return Optional.empty();
      }
      letGo(); // there is an agent
      Program program = new Program(sys, this, files, terminal, status);
      files.unlink(); // while the program is being executed
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
        letGo(); // now it can be told whether there is an agent
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
    Optional<Fd> requests = new Fifo(sys).openWrite(directory.resolve(AgentDirectory.REQUESTS));
    requests.ifPresent(Fd::close);
    return requests.isPresent();
  }

  /** False: nobody reads, or has read for long. */
  private boolean send(String line) {
    byte[] bytes = (line + "\n").getBytes(StandardCharsets.US_ASCII);
    synchronized (writing) {
      Optional<Fd> requests = new Fifo(sys).openWrite(directory.resolve(AgentDirectory.REQUESTS));
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

  private void reviveNow() {
    try (Fd ready = AgentDirectory.openReady(sys, directory)) {
      AgentDirectory.forgetReady(sys, ready);
      revive.run();
      if (!AgentDirectory.awaitReady(sys, ready, START_MILLIS, () -> true)) {
        throw new StapesException(
            full.getAsBoolean() ? Kind.EXHAUSTED : Kind.UNAVAILABLE,
            "exec",
            "the agent in the instance has ended and does not come back");
      }
    }
  }

  private void letGo() {
    Fd open = early.getAndSet(null);
    if (open != null) {
      open.close();
    }
  }

  /** Lets go of what this JVM has open; the agent stays. */
  @Override
  public void close() {
    closed = true;
    letGo();
    dropPrepared();
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
    return new ExecFiles.Owners(
        AgentDirectory.hostUid(mapping, 0), AgentDirectory.hostGid(mapping, 0), user.getAsLong());
  }

  private static String subject(ExecSpec spec) {
    return "exec " + spec.command().get(0);
  }
}
