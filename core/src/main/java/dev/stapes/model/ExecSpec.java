package dev.stapes.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A program to execute in an instance.
 *
 * @param command program and arguments, not empty; the program is looked up in the instance's PATH;
 *     copied
 * @param environment on top of the instance's {@code environment.*}; copied
 * @param directory working directory, absolute; empty: the user's home, or {@code /}
 * @param user numeric uid inside
 * @param group numeric gid inside; empty: the primary group of the user, or the same number
 * @param terminal with a pseudo terminal of this size; then stderr is part of stdout
 * @param timeout the program is killed after it; empty: no limit
 */
public record ExecSpec(
    List<String> command,
    SortedMap<String, String> environment,
    Optional<String> directory,
    long user,
    Optional<Long> group,
    Optional<TerminalSize> terminal,
    Optional<Duration> timeout) {
  private static final long MAX_ID = 0xFFFF_FFFEL;

  /** Validates and copies. */
  public ExecSpec {
    command = List.copyOf(command);
    environment = Collections.unmodifiableSortedMap(new TreeMap<>(environment));
    if (command.isEmpty() || command.get(0).isEmpty()) {
      throw StapesException.invalid("exec", "no command: " + command);
    }
    command.forEach(argument -> noNul("argument", argument));
    environment.forEach(
        (name, value) -> {
          if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
            throw StapesException.invalid("exec", "not a variable name: \"" + name + "\"");
          }
          noNul("variable " + name, value);
        });
    directory.ifPresent(
        path -> {
          noNul("directory", path);
          if (!path.startsWith("/")) {
            throw StapesException.invalid("exec", "directory must be absolute: \"" + path + "\"");
          }
        });
    id("user", user);
    group.ifPresent(gid -> id("group", gid));
    timeout.ifPresent(
        limit -> {
          if (limit.isNegative() || limit.isZero()) {
            throw StapesException.invalid("exec", "timeout must be positive: " + limit);
          }
        });
  }

  /**
   * Size of a terminal.
   *
   * @param columns 1 to 65535
   * @param rows 1 to 65535
   */
  public record TerminalSize(int columns, int rows) {
    /** Validates. */
    public TerminalSize {
      if (columns < 1 || columns > 0xFFFF || rows < 1 || rows > 0xFFFF) {
        throw StapesException.invalid("terminal", "not a size: " + columns + "x" + rows);
      }
    }
  }

  /** The command as root, without a terminal or time limit. */
  public static ExecSpec of(String... command) {
    return builder(command).build();
  }

  /** Starts a spec. */
  public static Builder builder(String... command) {
    return new Builder(List.of(command));
  }

  private static void noNul(String what, String text) {
    if (text.indexOf('\0') >= 0) {
      throw StapesException.invalid("exec", what + " has a NUL character");
    }
  }

  private static void id(String what, long id) {
    if (id < 0 || id > MAX_ID) {
      throw StapesException.invalid("exec", what + " id out of range: " + id);
    }
  }

  /** Collects the options; the last call of an option holds. */
  public static final class Builder {
    private final List<String> command;
    private final TreeMap<String, String> environment = new TreeMap<>();
    private Optional<String> directory = Optional.empty();
    private long user;
    private Optional<Long> group = Optional.empty();
    private Optional<TerminalSize> terminal = Optional.empty();
    private Optional<Duration> timeout = Optional.empty();

    private Builder(List<String> command) {
      this.command = new ArrayList<>(command);
    }

    /** One variable. */
    public Builder environment(String name, String value) {
      environment.put(name, value);
      return this;
    }

    /** Several variables. */
    public Builder environment(Map<String, String> variables) {
      environment.putAll(variables);
      return this;
    }

    /** Working directory, absolute. */
    public Builder directory(String path) {
      directory = Optional.of(path);
      return this;
    }

    /** Numeric uid inside, default 0. */
    public Builder user(long uid) {
      user = uid;
      return this;
    }

    /** Numeric gid inside. */
    public Builder group(long gid) {
      group = Optional.of(gid);
      return this;
    }

    /** With a pseudo terminal. */
    public Builder terminal(int columns, int rows) {
      terminal = Optional.of(new TerminalSize(columns, rows));
      return this;
    }

    /** Killed after this time. */
    public Builder timeout(Duration limit) {
      timeout = Optional.of(limit);
      return this;
    }

    /** The spec. */
    public ExecSpec build() {
      return new ExecSpec(command, environment, directory, user, group, terminal, timeout);
    }
  }
}
