package dev.stapes.testkit;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** A running fake program: a thread with three pipes. */
final class FakeProcess {
  /** Beyond what a kernel gives to a real process (PID_MAX_LIMIT, 2^22). */
  private static final AtomicLong PIDS = new AtomicLong(5_000_000);

  private static final int SIGKILL = 9;

  final long pid = PIDS.incrementAndGet();
  final FakePipe stdin = new FakePipe();
  final FakePipe stdout = new FakePipe();
  final FakePipe stderr;
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();
  private final Thread thread;
  private IntSupplier work = () -> 0;
  private int lastSignal;

  /**
   * A process that does not run yet.
   *
   * @param oneOutput whether standard output and error are the same, as on a terminal
   */
  FakeProcess(String name, boolean oneOutput) {
    stderr = oneOutput ? stdout : new FakePipe();
    thread = new Thread(() -> run(), "fake-" + name + "-" + pid);
    thread.setDaemon(true);
  }

  /** Starts one of a host. */
  static FakeProcess start(
      FakeProgram program,
      List<String> arguments,
      Map<String, String> environment,
      boolean oneOutput) {
    FakeProcess process = new FakeProcess(arguments.get(0), oneOutput);
    process.start(program, arguments, environment, Optional.empty());
    return process;
  }

  void start(
      FakeProgram program,
      List<String> arguments,
      Map<String, String> environment,
      Optional<FakeGuest> guest) {
    FakeProgram.Call call =
        new FakeProgram.Call(
            arguments, environment, stdin.input(), stdout.output(), stderr.output(), guest);
    work = () -> run(program, call);
    thread.start();
  }

  private void run() {
    int code = work.getAsInt();
    stdout.closeWriter();
    stderr.closeWriter();
    stdin.closeReader();
    exit.complete(code);
  }

  private int run(FakeProgram program, FakeProgram.Call call) {
    try {
      return program.run(call);
    } catch (InterruptedException | InterruptedIOException e) {
      return 128 + takeSignal();
    } catch (Exception e) {
      complain(call.stderr(), e);
      return 1;
    }
  }

  private static void complain(OutputStream stderr, @Nullable Exception problem) {
    try {
      stderr.write((problem + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // Nobody reads it any more; the exit code tells.
    }
  }

  /** Any signal but 0 interrupts it; SIGKILL ends it whether it listens to that or not. */
  void signal(int number) {
    if (number == 0 || exit.isDone()) {
      return;
    }
    synchronized (this) {
      lastSignal = number;
    }
    if (number == SIGKILL) {
      exit.complete(128 + SIGKILL);
      hold(false);
      stdin.closeWriter();
      stdin.closeReader();
      stdout.closeWriter();
      stderr.closeWriter();
    }
    thread.interrupt();
  }

  /** Suspends it where it reads or writes next, or lets it go on. */
  void hold(boolean held) {
    stdin.holdReader(held);
    stdout.holdWriter(held);
    stderr.holdWriter(held);
  }

  synchronized int takeSignal() {
    int signal = lastSignal;
    lastSignal = 0;
    return signal;
  }

  boolean isAlive() {
    return !exit.isDone();
  }

  CompletionStage<Integer> exit() {
    return exit.minimalCompletionStage();
  }

  CompletableFuture<Integer> exitFuture() {
    return exit;
  }
}
