package dev.stapes.storage.zfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process, as proc(5) tells of it in {@code stat}: which costs less than its command line, and
 * waits for nobody.
 *
 * @param name of its program, at most 15 bytes of it
 * @param over whether it has ended; a zombie has, unless a thread of it goes on in the kernel
 * @param started when, in clock ticks after the boot: its number may be another one's later
 */
record ProcessState(String name, boolean over, String started) {
  /** Number, name, state, 16 numbers, how many threads, one number, when it was started. */
  private static final Pattern STAT =
      Pattern.compile(
          "\\d+ \\((.*)\\) (\\S)(?: -?\\d+){16} (\\d+) -?\\d+ (\\d+) .*", Pattern.DOTALL);

  /** Reads the text of a {@code stat}. */
  static Optional<ProcessState> parse(String text) {
    Matcher matcher = STAT.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    boolean dead = "ZXx".contains(matcher.group(2));
    boolean over = dead && Long.parseLong(matcher.group(3)) <= 1;
    return Optional.of(new ProcessState(matcher.group(1), over, matcher.group(4)));
  }

  /** That of a process, by its directory in /proc; empty where there is none. */
  static Optional<ProcessState> of(Path process) {
    try {
      return parse(Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
