package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.qmp.guest.GuestExecResult;
import dev.stapes.spi.Machine;
import dev.stapes.spi.ShellWords;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A program in a guest, started by its agent, with streams of its own to this JVM. */
final class GuestExec implements Machine.Exec {
  private static final Logger LOG = LoggerFactory.getLogger(GuestExec.class);
  private static final String SCRIPT = Scripts.read("exec.sh");
  private static final Duration SOON = Duration.ofMillis(300);

  /** The longest line that is taken from the status port. */
  private static final int LONGEST = 100;

  private static final Duration BEGINNING = Duration.ofSeconds(30);
  private static final Duration TELLING = Duration.ofSeconds(30);
  private static final SecureRandom RANDOM = new SecureRandom();

  /** As a shell tells of SIGKILL. */
  private static final int KILLED = 137;

  private static final Set<String> MOVERS = Set.of("in", "out", "err");

  private static final String PATH = "PATH";

  private static final Map<String, String> DEFAULTS =
      Map.of(
          PATH, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG", "C.UTF-8");

  private final GuestAgent agent;
  private final ExecPorts ports;
  private final int slot;
  private final UnixSocket in;
  private final UnixSocket status;
  private final BooleanSupplier machineEnds;
  private final ExecInput stdin;
  private final ExecOutput stdout;
  private final ExecOutput stderr;
  private final String word;
  private final CompletableFuture<Boolean> begun = new CompletableFuture<>();

  /** The two outputs, and how it is doing: the slot is free when all three are over. */
  private final AtomicInteger parts = new AtomicInteger(3);

  private final CompletableFuture<Long> pid = new CompletableFuture<>();
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();
  private final CompletableFuture<Boolean> ended = new CompletableFuture<>();

  /** Processes in the guest that move what goes through a port, by its role. */
  private final Map<String, String> movers = new ConcurrentHashMap<>();

  /** The outputs that have been written to their end. */
  private final Set<String> outputs = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean closed = new AtomicBoolean();

  private GuestExec(
      GuestAgent agent,
      ExecPorts ports,
      int slot,
      String word,
      UnixSocket in,
      UnixSocket out,
      UnixSocket err,
      UnixSocket status,
      BooleanSupplier machineEnds) {
    this.machineEnds = machineEnds;
    this.agent = agent;
    this.ports = ports;
    this.slot = slot;
    this.in = in;
    this.status = status;
    this.stdin = new ExecInput(in);
    this.word = word;
    byte[] trailer = (word + '\n').getBytes(StandardCharsets.US_ASCII);
    this.stdout = new ExecOutput(out, trailer, this::partIsOver);
    this.stderr = new ExecOutput(err, trailer, this::partIsOver);
  }

  /**
   * Starts a program.
   *
   * @param input whether it is given something to read
   * @param reader runs what listens to how it is doing, until its end
   * @param machineEnds asked where nobody in the guest says any more how it is doing
   */
  static GuestExec start(
      GuestAgent agent,
      ExecPorts ports,
      ExecSpec spec,
      boolean input,
      Executor reader,
      BooleanSupplier machineEnds)
      throws InterruptedException {
    agent.await(); // a guest that is just booting may not hear that a port was connected
    int slot = ports.take();
    List<UnixSocket> sockets = new ArrayList<>();
    boolean started = false;
    try {
      for (ExecPorts.Role role : ExecPorts.Role.values()) {
        sockets.add(ports.connect(slot, role));
      }
      String word = word();
      GuestExec exec =
          new GuestExec(
              agent,
              ports,
              slot,
              word,
              sockets.get(0),
              sockets.get(1),
              sockets.get(2),
              sockets.get(3),
              machineEnds);
      agent.exec(command(slot, spec, input, word), variables(spec));
      ports.hold(exec, exec::abandon);
      reader.execute(exec::listen);
      started = true;
      exec.awaitBeginning();
      return exec;
    } finally {
      if (!started) {
        sockets.forEach(UnixSocket::close);
        ports.give(slot);
      }
    }
  }

  /** What tells it from all others. */
  private static String word() {
    byte[] bytes = new byte[16];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** A guest that took the command and does not say that it runs may have the port in use. */
  private void awaitBeginning() throws InterruptedException {
    boolean done = false;
    try {
      begun.get(BEGINNING.toMillis(), TimeUnit.MILLISECONDS);
      done = true;
    } catch (ExecutionException | TimeoutException e) {
      throw new StapesException(
          StapesException.Kind.TIMED_OUT, "exec", "the guest does not begin with it", e);
    } finally {
      if (!done) {
        end(status);
        close();
      }
    }
  }

  /** Ends what listens to it: the machine is let go of, or begins anew. */
  private void abandon() {
    end(status);
  }

  /** Of the script; others in the guest cannot read them, as they can its arguments. */
  private static List<String> variables(ExecSpec spec) {
    TreeMap<String, String> environment = new TreeMap<>(DEFAULTS);
    if (spec.user() == 0) {
      environment.put("USER", "root");
    }
    spec.terminal().ifPresent(size -> environment.put("TERM", "xterm"));
    environment.putAll(spec.environment());
    return List.of(
        PATH + "=" + DEFAULTS.get(PATH), "_variables=" + ShellWords.exports(environment));
  }

  private static List<String> command(int slot, ExecSpec spec, boolean input, String word) {
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, "stapes", Integer.toString(slot)));
    command.add(Long.toString(spec.user()));
    command.add(spec.group().map(gid -> Long.toString(gid)).orElse(spec.user() == 0 ? "0" : ""));
    command.add(spec.directory().orElse(""));
    command.add(input || spec.terminal().isPresent() ? "yes" : "");
    command.add(spec.terminal().map(size -> size.columns() + " " + size.rows()).orElse(""));
    command.add(word);
    command.addAll(spec.command());
    return command;
  }

  /** Reads what the script says of the program, to its end. */
  private void listen() {
    try (InputStream lines = new BufferedInputStream(status.fd().input())) {
      for (String line = line(lines); !line.isEmpty(); line = line(lines)) {
        if (line.equals("begin " + word)) {
          begun.complete(true);
        }
        if (begun.isDone()) {
          hear(line);
        }
        if (begun.isDone() && line.equals("end")) {
          break;
        }
      }
    } catch (IOException e) {
      LOG.debug("slot {}: {}", slot, e.toString());
    } finally {
      IOException gone = new IOException("the guest has let go of it");
      pid.completeExceptionally(gone);
      exit.completeExceptionally(gone);
      begun.completeExceptionally(gone);
      if (!outputs.contains("out")) {
        stdout.shutDown();
      }
      if (!outputs.contains("err")) {
        stderr.shutDown();
      }
      end(in);
      status.close();
      ports.letGo(this);
      partIsOver();
      ended.complete(true);
    }
  }

  private void partIsOver() {
    if (parts.decrementAndGet() == 0) {
      ports.give(slot);
    }
  }

  /** A line, which the guest may make as long as it likes; empty at the end. */
  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
      if (line.length() > LONGEST) {
        throw new IOException("the guest says more of a program than there is to be said");
      }
    }
    return line.toString();
  }

  private void hear(String line) {
    String[] words = line.split(" ", -1);
    switch (words[0]) {
      case "pid" -> pid.complete(number(words));
      case "exit" -> {
        exit.complete((int) number(words) & 0xFF);
        end(in); // what it has not read is for nobody
      }
      case "cat" -> {
        if (words.length == 3 && MOVERS.contains(words[1]) && words[2].matches("[0-9]{1,9}")) {
          movers.put(words[1], words[2]);
        }
      }
      case "in" -> movers.remove("in");
      case "out", "err" -> {
        movers.remove(words[0]);
        outputs.add(words[0]); // its end is behind what is still on its way
      }
      default -> {}
    }
  }

  /** No more comes; what is there can be read. It may have been closed meanwhile. */
  private static void end(UnixSocket socket) {
    try {
      if (socket.fd().isOpen()) {
        socket.shutdown();
      }
    } catch (LinuxException | IllegalStateException e) {
      LOG.trace("closed already: {}", e.toString());
    }
  }

  private static long number(String[] words) {
    return words.length == 2 && words[1].matches("[0-9]{1,18}") ? Long.parseLong(words[1]) : -1;
  }

  @Override
  public OutputStream stdin() {
    return stdin;
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public OptionalInt await(Duration limit) throws InterruptedException {
    try {
      return OptionalInt.of(exit.get(nanos(limit), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      return OptionalInt.empty();
    } catch (ExecutionException e) {
      if (machineEnds.getAsBoolean()) {
        return OptionalInt.of(KILLED); // with all that ran there
      }
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE, "exec", "how it ended is not known", e);
    }
  }

  private static long nanos(Duration limit) {
    return limit.compareTo(Duration.ofDays(10_000)) > 0 ? Long.MAX_VALUE : limit.toNanos();
  }

  @Override
  public void signal(int number) {
    Optional<GuestExecResult> unused =
        session().map(session -> tell(Signals.command(number, session)));
  }

  @Override
  public void resize(ExecSpec.TerminalSize size) {
    Optional<GuestExecResult> result =
        session().map(session -> tell(Signals.resize(session, size)));
    if (result.isPresent() && result.get().exitcode().orElse(0) == Signals.NO_PROGRAM) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED, "exec", "the guest has no stty(1), which resizes");
    }
  }

  /** It has been done when this returns: what is written to the program afterwards comes later. */
  private GuestExecResult tell(List<String> command) {
    return agent.run(command, TELLING);
  }

  /**
   * Its session, as soon as it is known; empty where it has ended.
   *
   * @throws StapesException TIMED_OUT where the guest does not tell it; INTERRUPTED
   */
  private Optional<Long> session() {
    Optional<Long> known = leader();
    if (known.isEmpty() && !exit.isDone()) {
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(StapesException.Kind.INTERRUPTED, "exec", "interrupted");
      }
      if (!pid.isDone()) {
        throw new StapesException(
            StapesException.Kind.TIMED_OUT, "exec", "the guest does not say which process it is");
      }
    }
    return known;
  }

  /** The same for who does what can be done: empty also where it is not known. */
  private Optional<Long> leader() {
    if (exit.isDone()) {
      return Optional.empty();
    }
    try {
      return Optional.of(pid.get(10, TimeUnit.SECONDS)).filter(number -> number > 0);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (ExecutionException | TimeoutException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      if (!exit.isDone() || !endsSoon()) {
        agent.exec(Signals.end(leader(), List.copyOf(movers.values())));
      }
    } catch (StapesException e) {
      LOG.debug("slot {}: its program cannot be killed: {}", slot, e.getMessage());
    } finally {
      close(stdin::free);
      close(stdout);
      close(stderr);
    }
  }

  /** What it left behind may have its streams, and what was never read may be stuck in them. */
  private boolean endsSoon() {
    try {
      return ended.get(SOON.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private static void close(Closeable stream) {
    try {
      stream.close();
    } catch (IOException e) {
      LOG.trace("closed already: {}", e.toString());
    }
  }
}
