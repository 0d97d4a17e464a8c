package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.ShellWords;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A program in a guest, started by its agent, with streams of its own to this JVM. */
final class GuestExec implements Machine.Exec {
  private static final Logger LOG = LoggerFactory.getLogger(GuestExec.class);
  private static final String SCRIPT = Scripts.read("exec.sh");
  private static final Duration SOON = Duration.ofMillis(300);

  /** The longest line that is taken from the status port. */
  private static final int LONGEST = 100;

  private static final Map<String, String> DEFAULTS =
      Map.of(
          "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "LANG", "C.UTF-8");

  private final GuestAgent agent;
  private final ExecPorts ports;
  private final int slot;
  private final UnixSocket in;
  private final UnixSocket out;
  private final UnixSocket err;
  private final UnixSocket status;
  private final ExecInput stdin;
  private final InputStream stdout;
  private final InputStream stderr;
  private final CompletableFuture<Long> pid = new CompletableFuture<>();
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();
  private final CompletableFuture<Boolean> ended = new CompletableFuture<>();

  /** Processes in the guest that move what goes through a port, by its role. */
  private final Map<String, String> movers = new ConcurrentHashMap<>();

  private final AtomicBoolean closed = new AtomicBoolean();

  private GuestExec(
      GuestAgent agent,
      ExecPorts ports,
      int slot,
      UnixSocket in,
      UnixSocket out,
      UnixSocket err,
      UnixSocket status) {
    this.agent = agent;
    this.ports = ports;
    this.slot = slot;
    this.in = in;
    this.out = out;
    this.err = err;
    this.status = status;
    this.stdin = new ExecInput(in);
    this.stdout = out.fd().input();
    this.stderr = err.fd().input();
  }

  /**
   * Starts a program.
   *
   * @param input whether it is given something to read
   * @param reader runs what listens to how it is doing, until its end
   */
  static GuestExec start(
      GuestAgent agent, ExecPorts ports, ExecSpec spec, boolean input, Executor reader)
      throws InterruptedException {
    agent.await(); // a guest that is just booting may not hear that a port was connected
    int slot = ports.take();
    List<UnixSocket> sockets = new ArrayList<>();
    boolean started = false;
    try {
      for (ExecPorts.Role role : ExecPorts.Role.values()) {
        sockets.add(ports.connect(slot, role));
      }
      GuestExec exec =
          new GuestExec(
              agent, ports, slot, sockets.get(0), sockets.get(1), sockets.get(2), sockets.get(3));
      agent.exec(command(slot, spec, input));
      started = true;
      reader.execute(exec::listen);
      return exec;
    } finally {
      if (!started) {
        sockets.forEach(UnixSocket::close);
        ports.give(slot);
      }
    }
  }

  private static List<String> command(int slot, ExecSpec spec, boolean input) {
    TreeMap<String, String> environment = new TreeMap<>(DEFAULTS);
    if (spec.user() == 0) {
      environment.put("USER", "root");
    }
    spec.terminal().ifPresent(size -> environment.put("TERM", "xterm"));
    environment.putAll(spec.environment());
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, "stapes", Integer.toString(slot)));
    command.add(Long.toString(spec.user()));
    command.add(spec.group().map(gid -> Long.toString(gid)).orElse(spec.user() == 0 ? "0" : ""));
    command.add(spec.directory().orElse(""));
    command.add(input || spec.terminal().isPresent() ? "yes" : "");
    command.add(ShellWords.exports(environment));
    command.add(spec.terminal().map(size -> size.columns() + " " + size.rows()).orElse(""));
    command.addAll(spec.command());
    return command;
  }

  /** Reads what the script says of the program, to its end. */
  private void listen() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(status.fd().input(), StandardCharsets.UTF_8), LONGEST)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        hear(line);
        if (line.equals("end")) {
          break;
        }
      }
    } catch (IOException e) {
      LOG.debug("slot {}: {}", slot, e.toString());
    } finally {
      IOException gone = new IOException("the guest has let go of it");
      pid.completeExceptionally(gone);
      exit.completeExceptionally(gone);
      end(out);
      end(err);
      end(in);
      status.close();
      ports.give(slot);
      ended.complete(true);
    }
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
        if (words.length == 3 && words[2].matches("[0-9]{1,9}")) {
          movers.put(words[1], words[2]);
        }
      }
      case "in" -> movers.remove("in");
      case "out" -> {
        movers.remove("out");
        end(out);
      }
      case "err" -> {
        movers.remove("err");
        end(err);
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
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE, "exec", "how it ended is not known", e);
    }
  }

  private static long nanos(Duration limit) {
    return limit.compareTo(Duration.ofDays(10_000)) > 0 ? Long.MAX_VALUE : limit.toNanos();
  }

  @Override
  public void signal(int number) {
    leader().ifPresent(session -> tell(Signals.command(number, session)));
  }

  @Override
  public void resize(ExecSpec.TerminalSize size) {
    leader().ifPresent(session -> tell(Signals.resize(session, size)));
  }

  private void tell(List<String> command) {
    agent.exec(command);
  }

  /** Its session, as soon as it is known; empty where it has ended. */
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
        tell(Signals.end(leader(), List.copyOf(movers.values())));
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
