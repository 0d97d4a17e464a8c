package dev.stapes.testkit.fakes;

import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeGuest;
import dev.stapes.testkit.FakeProgram.Call;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the scripts of the instance contract do, without a shell that could read them. */
final class ContractPrograms {
  private static final Pattern EXIT = Pattern.compile("exit (\\d+)");
  private static final Pattern GONE = Pattern.compile("while kill -0 (\\d+) .*");
  private static final Pattern WRITE = Pattern.compile("echo (\\w+) (>>?)(/[^\\s;]+)(?:; sync)?");
  private static final Pattern READ = Pattern.compile("cat (\\S+) 2>/dev/null");

  private ContractPrograms() {}

  /** Answers on the console until it is asked to end. */
  static int init(Call call) throws Exception {
    call.print("contract booted\n");
    BufferedReader typed =
        new BufferedReader(new InputStreamReader(call.stdin(), StandardCharsets.UTF_8));
    try {
      for (String line = typed.readLine(); line != null; line = typed.readLine()) {
        call.print("typed: " + line + "\n");
      }
    } catch (InterruptedIOException e) {
      return 0;
    }
    return 0;
  }

  static int sh(Call call) throws Exception {
    String script = call.arguments().get(2);
    FakeGuest guest = call.guest().orElseThrow();
    Matcher matcher = EXIT.matcher(script);
    if (matcher.matches()) {
      return Integer.parseInt(matcher.group(1));
    }
    matcher = GONE.matcher(script);
    if (matcher.matches()) {
      long pid = Long.parseLong(matcher.group(1));
      while (guest.signal(pid, 0)) {
        pause();
      }
      call.print("gone\n");
      return 0;
    }
    matcher = WRITE.matcher(script);
    if (matcher.matches()) {
      return write(guest, matcher);
    }
    matcher = READ.matcher(script);
    return matcher.matches() ? read(call, guest, matcher.group(1)) : known(call, guest, script);
  }

  private static int write(FakeGuest guest, Matcher script) throws IOException {
    try (Tree files = guest.files();
        OutputStream out =
            script.group(2).equals(">")
                ? files.write(script.group(3), 0644)
                : files.append(script.group(3), 0644)) {
      out.write((script.group(1) + "\n").getBytes(StandardCharsets.UTF_8));
      files.chown(script.group(3), guest.user(), guest.group());
    }
    return 0;
  }

  private static int read(Call call, FakeGuest guest, String path) throws IOException {
    try (Tree files = guest.files()) {
      if (files.stat(path).isEmpty()) {
        return 1;
      }
      try (var in = files.read(path)) {
        in.transferTo(call.stdout());
      }
    }
    return 0;
  }

  private static int known(Call call, FakeGuest guest, String script) throws Exception {
    switch (script) {
      case "echo out; echo err >&2; exit 3" -> {
        call.print("out\n");
        complain(call, "err\n");
        return 3;
      }
      case "head -c 6000000 /dev/zero; head -c 5000000 /dev/zero >&2" -> {
        call.stdout().write(new byte[6_000_000]);
        call.stderr().write(new byte[5_000_000]);
        return 0;
      }
      case "echo $(id -u) $(id -g)" -> {
        call.print(guest.user() + " " + guest.group() + "\n");
        return 0;
      }
      case "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done" -> {
        call.print("ready\n");
        try {
          forever();
        } catch (InterruptedException e) {
          return 9;
        }
        return 0;
      }
      case "echo $$; exec sleep 1000" -> {
        call.print(guest.pid() + "\n");
        forever();
        return 0;
      }
      case "echo ready; exec sleep 1000" -> {
        call.print("ready\n");
        forever();
        return 0;
      }
      case "kill -TERM 1; sleep 1000" -> {
        guest.signal(1, 15);
        forever();
        return 0;
      }
      default -> {
        return terminal(call, guest, script);
      }
    }
  }

  private static int terminal(Call call, FakeGuest guest, String script) throws Exception {
    if (guest.terminal().isEmpty()) {
      complain(call, "sh: what is \"" + script + "\"?\n");
      return 2;
    }
    if (script.startsWith("[ -t 0 ]")) {
      call.print(size(guest) + "\n");
      complain(call, "err\n");
      return 0;
    }
    call.print("ready\n");
    while (!size(guest).equals("40 120")) {
      pause();
    }
    call.print("resized\n");
    return 0;
  }

  private static String size(FakeGuest guest) {
    var size = guest.terminal().orElseThrow();
    return size.rows() + " " + size.columns();
  }

  private static void complain(Call call, String text) throws IOException {
    call.stderr().write(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void forever() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  private static void pause() throws InterruptedException {
    if (new CountDownLatch(1).await(1, TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException("nobody counts down");
    }
  }
}
