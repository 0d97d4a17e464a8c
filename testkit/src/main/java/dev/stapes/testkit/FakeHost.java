package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.INTERRUPTED;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.TIMED_OUT;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Output;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A machine that is not there: given facts, scripted programs, a mount table in memory. It needs no
 * privilege.
 *
 * <p>{@code mount} gives an empty file system in memory, whatever its type; {@code bind} shows a
 * directory of one. {@link #tree} opens what is mounted, or else a real directory, of which owners,
 * devices and extended attributes are remembered as they are set and never changed really. Programs
 * and processes are the {@link FakeProgram}s that it was given.
 */
public final class FakeHost implements Host {
  private final Facts facts;
  private final Map<String, FakeProgram> scripts;
  private final FakeMounts mounts = new FakeMounts();
  private final FakeOwners owners = new FakeOwners();
  private final FakeProcesses processes;
  private final List<Command> commands = Collections.synchronizedList(new ArrayList<>());
  private volatile boolean closed;

  private FakeHost(Facts facts, Map<String, FakeProgram> scripts) {
    this.facts = facts;
    this.scripts = Map.copyOf(scripts);
    this.processes = new FakeProcesses(this.scripts);
  }

  /** Two CPUs, 4 GiB, root, no programs. */
  public static FakeHost create() {
    return builder().build();
  }

  /** Describes a machine. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public Programs programs() {
    return new ScriptedPrograms();
  }

  @Override
  public Processes processes() {
    return processes;
  }

  @Override
  public Mounts mounts() {
    return mounts;
  }

  @Override
  public Tree tree(Path directory, Tree.Resolution resolution, Optional<IdMapping> mapping) {
    ensureOpen();
    Optional<FakeTree> mounted = mounts.find(directory, resolution, mapping);
    if (mounted.isPresent()) {
      return mounted.get();
    }
    if (!Files.isDirectory(directory)) {
      throw new StapesException(NOT_FOUND, directory.toString(), "no such directory");
    }
    return new FakeDirectoryTree(directory, resolution, owners);
  }

  @Override
  public Busy busy() {
    return () -> {};
  }

  /** The commands that were run, in order. */
  public List<Command> commands() {
    synchronized (commands) {
      return List.copyOf(commands);
    }
  }

  /** Its mount table, for fakes that attach what they keep in memory. */
  FakeMounts table() {
    return mounts;
  }

  @Override
  public void close() {
    closed = true;
    processes.close();
    mounts.clear();
  }

  private void ensureOpen() {
    if (closed) {
      throw new StapesException(UNAVAILABLE, "host", "closed");
    }
  }

  private final class ScriptedPrograms implements Programs {
    @Override
    public Optional<Path> find(String name) {
      return scripts.containsKey(name)
          ? Optional.of(Path.of("/usr/bin").resolve(name))
          : Optional.empty();
    }

    @Override
    public Output run(Command command) {
      ensureOpen();
      commands.add(command);
      String name = FakeProcesses.name(command.arguments());
      FakeProgram script = scripts.get(name);
      if (script == null) {
        throw new StapesException(UNAVAILABLE, name, "not found on PATH");
      }
      Map<String, String> environment = new TreeMap<>(command.environment());
      environment.putIfAbsent("LC_ALL", "C");
      environment.putIfAbsent("PATH", "/usr/sbin:/usr/bin");
      FakeProcess process = FakeProcess.start(script, command.arguments(), environment, false);
      process.stdin.closeWriter();
      return collect(command, process);
    }

    private Output collect(Command command, FakeProcess process) {
      String name = FakeProcesses.name(command.arguments());
      FakeReader out = FakeReader.start(process.stdout);
      FakeReader err = FakeReader.start(process.stderr);
      try {
        int code =
            process
                .exitFuture()
                .get(TimeUnit.NANOSECONDS.convert(command.timeout()), TimeUnit.NANOSECONDS);
        Output output = new Output(out.text(), err.text());
        if (code != 0) {
          throw new StapesException(
              INTERNAL, name, "exit code " + code + ": " + output.stderr().strip());
        }
        return output;
      } catch (TimeoutException e) {
        process.signal(9);
        throw new StapesException(TIMED_OUT, name, "did not end in " + command.timeout(), e);
      } catch (InterruptedException e) {
        process.signal(9);
        Thread.currentThread().interrupt();
        throw new StapesException(INTERRUPTED, name, "interrupted", e);
      } catch (ExecutionException e) {
        throw new StapesException(INTERNAL, name, "cannot be run", e);
      }
    }
  }

  /** Reads a pipe to its end. */
  private static final class FakeReader {
    private final Thread thread;
    private byte[] bytes = new byte[0];

    private FakeReader(FakePipe pipe) {
      thread =
          new Thread(
              () -> {
                try {
                  bytes = pipe.input().readAllBytes();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      thread.setDaemon(true);
    }

    static FakeReader start(FakePipe pipe) {
      FakeReader reader = new FakeReader(pipe);
      reader.thread.start();
      return reader;
    }

    String text() throws InterruptedException {
      thread.join();
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** Describes a fake machine. */
  public static final class Builder {
    private Facts facts =
        new Facts("6.1.0-fake", "x86_64", Set.of(0, 1), Size.ofGibibytes(4), true);
    private final Map<String, FakeProgram> scripts = new TreeMap<>();

    private Builder() {}

    /** Its facts; by default two CPUs and 4 GiB, with a JVM that runs as root. */
    public Builder facts(Facts given) {
      facts = given;
      return this;
    }

    /** Installs a program by its name without a directory. */
    public Builder program(String name, FakeProgram script) {
      scripts.put(name, script);
      return this;
    }

    /** The machine. */
    public FakeHost build() {
      return new FakeHost(facts, scripts);
    }

    /** Opens such a machine, a new one each time, under the name {@code fake}. */
    public HostProvider provider() {
      return new HostProvider() {
        @Override
        public String name() {
          return "fake";
        }

        @Override
        public Availability probe() {
          return Availability.available();
        }

        @Override
        public Host open() {
          return build();
        }
      };
    }
  }
}
