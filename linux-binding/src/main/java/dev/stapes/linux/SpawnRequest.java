package dev.stapes.linux;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What to start and with what. The child has exactly the descriptors named here and {@code
 * /dev/null} for those of 0, 1 and 2 that are not; the environment named here and nothing else;
 * default signal handlers, an empty signal mask; a session of its own.
 */
public final class SpawnRequest {
  private final Path program;
  private final List<String> arguments;
  private final Map<String, String> environment;
  private final Map<Integer, Fd> descriptors;
  private final @Nullable Path directory;
  private final @Nullable Fd terminal;

  private SpawnRequest(Builder builder) {
    this.program = builder.program;
    this.arguments = List.copyOf(builder.arguments);
    this.environment = new LinkedHashMap<>(builder.environment);
    this.descriptors = new TreeMap<>(builder.descriptors);
    this.directory = builder.directory;
    this.terminal = builder.terminal;
    if (terminal != null && descriptors.keySet().stream().anyMatch(target -> target <= 2)) {
      throw new IllegalArgumentException(
          program + ": both a terminal and descriptors for 0, 1 or 2: " + descriptors.keySet());
    }
  }

  /**
   * Starts a request.
   *
   * @param program absolute; nothing is searched
   * @param arguments those after the program's own name
   */
  public static Builder of(Path program, String... arguments) {
    return new Builder(program, List.of(arguments));
  }

  /** As {@link #of(Path, String...)}. */
  public static Builder of(Path program, List<String> arguments) {
    return new Builder(program, arguments);
  }

  Path program() {
    return program;
  }

  List<String> argv() {
    List<String> argv = new ArrayList<>(arguments.size() + 1);
    argv.add(program.toString());
    argv.addAll(arguments);
    return argv;
  }

  List<String> envp() {
    List<String> envp = new ArrayList<>(environment.size());
    environment.forEach((name, value) -> envp.add(name + "=" + value));
    return envp;
  }

  Map<Integer, Fd> descriptors() {
    return descriptors;
  }

  Optional<Path> directory() {
    return Optional.ofNullable(directory);
  }

  Optional<Fd> terminal() {
    return Optional.ofNullable(terminal);
  }

  /** Collects a request. */
  public static final class Builder {
    private final Path program;
    private final List<String> arguments;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Map<Integer, Fd> descriptors = new TreeMap<>();
    private @Nullable Path directory;
    private @Nullable Fd terminal;

    private Builder(Path program, List<String> arguments) {
      if (!program.isAbsolute()) {
        throw new IllegalArgumentException(program + ": the program's path is not absolute");
      }
      this.program = program;
      this.arguments = List.copyOf(arguments);
    }

    /** Adds an environment variable; the environment is empty by default. */
    public Builder environment(String name, String value) {
      if (name.isEmpty() || name.indexOf('=') >= 0) {
        throw new IllegalArgumentException("not a variable's name: \"" + name + '"');
      }
      environment.put(name, value);
      return this;
    }

    /** Adds environment variables. */
    public Builder environment(Map<String, String> variables) {
      variables.forEach(this::environment);
      return this;
    }

    /** The child's working directory; {@code /} by default. */
    public Builder directory(Path path) {
      this.directory = path;
      return this;
    }

    /**
     * Gives the child a copy of a descriptor. The caller keeps its own and closes it.
     *
     * @param target its number in the child; all numbers up to the highest are given or {@code
     *     /dev/null}
     */
    public Builder descriptor(int target, Fd source) {
      if (target < 0 || target > 1000) {
        throw new IllegalArgumentException("descriptor " + target + " is not in 0 to 1000");
      }
      descriptors.put(target, source);
      return this;
    }

    /** The child's standard input. */
    public Builder stdin(Fd source) {
      return descriptor(0, source);
    }

    /** The child's standard output. */
    public Builder stdout(Fd source) {
      return descriptor(1, source);
    }

    /** The child's standard error. */
    public Builder stderr(Fd source) {
      return descriptor(2, source);
    }

    /** Descriptors 0, 1 and 2 become this slave side, which becomes the controlling terminal. */
    public Builder terminal(Fd slave) {
      this.terminal = slave;
      return this;
    }

    /** The request as it is now. */
    public SpawnRequest build() {
      return new SpawnRequest(this);
    }
  }
}
