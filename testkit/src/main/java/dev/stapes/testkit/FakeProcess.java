package dev.stapes.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
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
  private int killedBy;

  private FakeProcess(
      FakeProgram program, List<String> arguments, Map<String, String> environment, boolean one) {
    stderr = one ? stdout : new FakePipe();
    FakeProgram.Call call =
        new FakeProgram.Call(
            arguments, environment, stdin.input(), stdout.output(), stderr.output());
    thread = new Thread(() -> run(program, call), "fake-" + arguments.get(0) + "-" + pid);
    thread.setDaemon(true);
  }

  /**
   * Starts one.
   *
   * @param oneOutput whether standard output and error are the same, as on a terminal
   */
  static FakeProcess start(
      FakeProgram program,
      List<String> arguments,
      Map<String, String> environment,
      boolean oneOutput) {
    FakeProcess process = new FakeProcess(program, arguments, environment, oneOutput);
    process.thread.start();
    return process;
  }

  private void run(FakeProgram program, FakeProgram.Call call) {
    int code;
    try {
      code = program.run(call);
    } catch (Exception e) {
      code = 1;
      complain(call.stderr(), e);
    }
    stdout.closeWriter();
    stderr.closeWriter();
    stdin.closeReader();
    exit.complete(signal() == 0 ? code : 128 + signal());
  }

  private static void complain(OutputStream stderr, @Nullable Exception problem) {
    try {
      stderr.write((problem + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // Nobody reads it any more; the exit code tells.
    }
  }

  /** Any signal but 0 ends it; SIGKILL also where it does not listen to interrupts. */
  void signal(int number) {
    if (number == 0 || exit.isDone()) {
      return;
    }
    synchronized (this) {
      killedBy = killedBy == 0 ? number : killedBy;
    }
    thread.interrupt();
    if (number == SIGKILL) {
      stdin.closeWriter();
      stdin.closeReader();
      stdout.closeWriter();
      stderr.closeWriter();
      exit.complete(128 + SIGKILL);
    }
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

  InputStream output() {
    return stdout.input();
  }

  private synchronized int signal() {
    return killedBy;
  }
}
