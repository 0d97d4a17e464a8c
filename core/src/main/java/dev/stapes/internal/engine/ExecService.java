package dev.stapes.internal.engine;

import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Executes programs in running instances. */
public final class ExecService {
  private static final int MOST_OUTPUT = 64 << 20;
  private static final int CHUNK = 64 << 10;
  private static final Logger LOG = LoggerFactory.getLogger(ExecService.class);
  private static final int SIGKILL = 9;
  private static final Duration AFTER_KILL = Duration.ofSeconds(10);
  private static final Duration LONG = Duration.ofDays(3650);

  private final Machines machines;
  private final Host host;
  private final ExecutorService streams;

  ExecService(Machines machines, Host host, ExecutorService streams) {
    this.machines = machines;
    this.host = host;
    this.streams = streams;
  }

  /** Starts a program. */
  public Machine.Exec start(InstanceId id, ExecSpec spec) {
    return start(id, spec, true);
  }

  private Machine.Exec start(InstanceId id, ExecSpec spec, boolean input) {
    Machine machine = machines.require(id).machine();
    try (Host.Busy busy = host.busy()) {
      return input ? machine.exec(spec) : machine.execWithoutInput(spec);
    }
  }

  /** Runs a program to its end. */
  public ExecResult run(InstanceId id, ExecSpec spec, byte[] input) {
    String subject = subject(spec);
    try (Machine.Exec exec = start(id, spec, input.length > 0)) {
      if (input.length == 0) {
        Optional<ExecResult> collected = collect(exec, spec);
        if (collected.isPresent()) {
          return collected.get();
        }
      }
      CompletableFuture<byte[]> errors = drain(exec.stderr(), exec, subject);
      feed(exec.stdin(), input);
      CompletableFuture<byte[]> output = drain(exec.stdout(), exec, subject);
      int code = awaitOrKill(exec, spec);
      // What it has not read by now is for nobody, even if a program that it left behind holds the
      // other end: closing the program ends the thread that still writes.
      return new ExecResult(
          spec.command(),
          code,
          new ExecResult.Bytes(join(output)),
          new ExecResult.Bytes(join(errors)));
    }
  }

  private static Optional<ExecResult> collect(Machine.Exec exec, ExecSpec spec) {
    Optional<Machine.Collected> collected;
    try {
      collected = exec.collect(MOST_OUTPUT, spec.timeout().orElse(LONG));
    } catch (InterruptedException e) {
      throw interrupted(exec, spec, e);
    }
    if (collected.isEmpty()) {
      return Optional.empty();
    }
    Machine.Collected all = collected.get();
    if (all.tooMuch()) {
      kill(exec);
      throw tooMuch(subject(spec));
    }
    // Without a code its time is over: it is killed, and that is what is told.
    return Optional.of(
        new ExecResult(
            spec.command(),
            all.code().orElseThrow(() -> killed(exec, spec)),
            new ExecResult.Bytes(all.stdout()),
            new ExecResult.Bytes(all.stderr())));
  }

  /** Waits for the end of a program, which comes at the spec's timeout or an interrupt. */
  public static int awaitOrKill(Machine.Exec exec, ExecSpec spec) {
    try {
      OptionalInt code = exec.await(spec.timeout().orElse(LONG));
      return code.orElseThrow(() -> killed(exec, spec));
    } catch (InterruptedException e) {
      throw interrupted(exec, spec, e);
    }
  }

  private static StapesException killed(Machine.Exec exec, ExecSpec spec) {
    kill(exec);
    try {
      exec.await(AFTER_KILL);
    } catch (InterruptedException e) {
      return interrupted(exec, spec, e);
    }
    return new StapesException(
        Kind.TIMED_OUT, subject(spec), "killed after " + spec.timeout().orElse(LONG));
  }

  /** What cannot be told to end is not waited for either: the caller hears why it was to end. */
  private static void kill(Machine.Exec exec) {
    try {
      exec.signal(SIGKILL);
    } catch (StapesException e) {
      LOG.warn("a program may go on: {}", e.getMessage());
    }
  }

  private static StapesException interrupted(
      Machine.Exec exec, ExecSpec spec, InterruptedException e) {
    kill(exec);
    Thread.currentThread().interrupt();
    return new StapesException(
        Kind.INTERRUPTED, subject(spec), "killed, as the waiting thread was interrupted", e);
  }

  private static StapesException tooMuch(String subject) {
    return new StapesException(
        Kind.EXHAUSTED, subject, "killed, as it wrote more than " + MOST_OUTPUT);
  }

  private static String subject(ExecSpec spec) {
    return "exec " + spec.command().get(0);
  }

  private CompletableFuture<byte[]> drain(InputStream in, Machine.Exec exec, String subject) {
    return CompletableFuture.supplyAsync(
        () -> {
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          byte[] chunk = new byte[CHUNK];
          try {
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
              out.write(chunk, 0, n);
              if (out.size() > MOST_OUTPUT) {
                kill(exec);
                throw tooMuch(subject);
              }
            }
          } catch (IOException e) {
            throw new StapesException(Kind.UNAVAILABLE, subject, "its output broke off", e);
          }
          return out.toByteArray();
        },
        streams);
  }

  private void feed(OutputStream to, byte[] input) {
    if (input.length == 0) {
      write(to, input);
    } else {
      streams.execute(() -> write(to, input));
    }
  }

  private static void write(OutputStream to, byte[] input) {
    try (to) {
      to.write(input);
    } catch (IOException e) {
      // The program does not want to read on; its exit code tells what it thinks of that.
    }
  }

  private static byte[] join(CompletableFuture<byte[]> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof StapesException known ? known : e;
    }
  }

  /** What a running instance says of itself. */
  public GuestInfo guest(InstanceId id) {
    Running running = machines.require(id);
    return running
        .machine()
        .guest()
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED,
                    "instance " + running.spec().name(),
                    "nobody in it can be asked: virtual machines alone have an agent"));
  }

  /** The console of a running instance. */
  public Machine.Console console(InstanceId id) {
    return machines.require(id).machine().console();
  }

  /** The screen of a running instance. */
  public Machine.Screen screen(InstanceId id) {
    Running running = machines.require(id);
    return running
        .machine()
        .screen()
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED,
                    "instance " + running.spec().name(),
                    "has no screen: virtual machines have one with qemu.display=vnc"));
  }
}
