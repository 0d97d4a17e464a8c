package dev.stapes.storage.zfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Whether a zpool has stopped, because it cannot write: the kernel tells without a command, which
 * might wait for it without end.
 */
final class Suspension {
  private final Path states;

  /**
   * Of any machine.
   *
   * @param states the directory in which each zpool has one
   */
  Suspension(Path states) {
    this.states = states;
  }

  /** That of a machine, by its root directory. */
  static Suspension of(Path machine) {
    return new Suspension(machine.resolve("proc/spl/kstat/zfs"));
  }

  /** Whether it is so now; a zpool that nobody knows is not. */
  boolean of(String zpool) {
    try {
      return Files.readString(states.resolve(zpool).resolve("state")).strip().equals("SUSPENDED");
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * The zpool that a command works on, by the last of its arguments that is no path; empty text
   * where that is no name of anything in one.
   */
  static String zpool(List<String> arguments) {
    String last = "";
    for (String argument : arguments) {
      last = argument.startsWith("/") ? last : argument;
    }
    String name = last.split("[/@]", 2)[0];
    return DatasetName.isName(name) ? name : "";
  }
}
