package dev.stapes.testkit;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The programs that every fake instance has. Never instantiated. */
final class FakePrograms {
  private static final int SIGPWR = 30;
  private static final int SIGKILL = 9;

  private FakePrograms() {}

  static Map<String, FakeProgram> usual() {
    return Map.of(
        "true", call -> 0,
        "false", call -> 1,
        "echo", FakePrograms::echo,
        "cat", FakePrograms::cat,
        "env", FakePrograms::env,
        "pwd", FakePrograms::pwd,
        "sleep", FakePrograms::sleep);
  }

  /** A first process: ends when it is asked to shut down, whatever else happens. */
  static int waitForShutdown(FakeProgram.Call call) {
    int signal = waitForSignal(call);
    while (signal != SIGPWR && signal != SIGKILL) {
      signal = waitForSignal(call); // like a real one it is deaf to what it does not handle
    }
    return 0;
  }

  /** A first process that nothing but its kill ends. */
  static int waitForKill(FakeProgram.Call call) {
    while (waitForSignal(call) != SIGKILL) {
      // deaf
    }
    return 0;
  }

  private static int waitForSignal(FakeProgram.Call call) {
    try {
      new CountDownLatch(1).await();
      return 0;
    } catch (InterruptedException e) {
      return call.guest().map(FakeGuest::takeSignal).orElse(0);
    }
  }

  private static int echo(FakeProgram.Call call) throws Exception {
    call.print(String.join(" ", call.arguments().subList(1, call.arguments().size())) + "\n");
    return 0;
  }

  private static int cat(FakeProgram.Call call) throws Exception {
    if (call.arguments().size() == 1) {
      call.stdin().transferTo(call.stdout());
      return 0;
    }
    if (call.guest().isEmpty()) {
      throw new UnsupportedOperationException("a host's cat has no files");
    }
    try (var files = call.guest().get().files()) {
      for (String file : call.arguments().subList(1, call.arguments().size())) {
        try (var in = files.read(file)) {
          in.transferTo(call.stdout());
        }
      }
    }
    return 0;
  }

  private static int env(FakeProgram.Call call) throws Exception {
    StringBuilder all = new StringBuilder();
    new TreeMap<>(call.environment())
        .forEach((name, value) -> all.append(name).append('=').append(value).append('\n'));
    call.print(all.toString());
    return 0;
  }

  private static int pwd(FakeProgram.Call call) throws Exception {
    call.print(call.guest().map(FakeGuest::directory).orElse("/") + "\n");
    return 0;
  }

  private static int sleep(FakeProgram.Call call) throws Exception {
    double seconds = Double.parseDouble(call.arguments().get(1));
    boolean woken = new CountDownLatch(1).await(Math.round(seconds * 1_000), TimeUnit.MILLISECONDS);
    return woken ? 1 : 0;
  }
}
