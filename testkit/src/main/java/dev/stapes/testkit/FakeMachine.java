package dev.stapes.testkit;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** A driver's hold on a running fake instance. */
final class FakeMachine implements Machine {
  private final FakeRunning running;
  private final List<Consumer<Incident>> listeners = new CopyOnWriteArrayList<>();

  FakeMachine(FakeRunning running) {
    this.running = running;
  }

  @Override
  public InstanceId id() {
    return running.spec().id();
  }

  @Override
  public long pid() {
    return running.pid();
  }

  @Override
  public Instant startedAt() {
    return running.startedAt();
  }

  @Override
  public CompletionStage<Exit> exit() {
    return running.exit();
  }

  @Override
  public void listen(Consumer<Incident> listener) {
    listeners.add(listener);
    running.listen(listener);
  }

  @Override
  public void requestShutdown() {
    running.requestShutdown();
  }

  @Override
  public void kill() {
    running.kill();
  }

  @Override
  public void freeze() {
    running.freeze(true);
  }

  @Override
  public void unfreeze() {
    running.freeze(false);
  }

  @Override
  public boolean isFrozen() {
    return running.isFrozen();
  }

  @Override
  public Exec exec(ExecSpec spec) {
    return new FakeExec(running.exec(spec));
  }

  @Override
  public Tree files() {
    return running.files();
  }

  @Override
  public Optional<IdMapping> idMapping() {
    return FakeInstances.mappingOf(running.spec().config());
  }

  @Override
  public InstanceState state() {
    if (running.isOver()) {
      return InstanceState.stopped(InstanceStatus.STOPPED, Optional.empty());
    }
    return new InstanceState(
        running.isFrozen() ? InstanceStatus.FROZEN : InstanceStatus.RUNNING,
        OptionalLong.of(running.pid()),
        Optional.of(running.startedAt()),
        Duration.ZERO,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalLong.empty(),
        0,
        Optional.empty(),
        new TreeMap<>());
  }

  @Override
  public Console console() {
    return running.console().open();
  }

  @Override
  public Path consoleLog() {
    return running.log();
  }

  @Override
  public void update(Spec spec) {
    running.update(spec);
  }

  @Override
  public void close() {
    running.forget(listeners); // it goes on; the room holds it
  }

  private static final class FakeExec implements Exec {
    private static final int CONTROL_C = 3;
    private static final int SIGINT = 2;

    private final FakeProcess process;
    private final FakeRunning.Started started;

    FakeExec(FakeRunning.Started started) {
      this.started = started;
      this.process = started.process();
    }

    @Override
    public OutputStream stdin() {
      OutputStream pipe = process.stdin.output();
      return started.terminal().size().isEmpty() ? pipe : new Keyboard(pipe);
    }

    @Override
    public InputStream stdout() {
      return process.stdout.input();
    }

    @Override
    public InputStream stderr() {
      return started.terminal().size().isEmpty()
          ? process.stderr.input()
          : InputStream.nullInputStream();
    }

    @Override
    public OptionalInt await(Duration limit) throws InterruptedException {
      try {
        return OptionalInt.of(
            process.exitFuture().get(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS));
      } catch (TimeoutException e) {
        return OptionalInt.empty();
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void signal(int number) {
      process.signal(number);
    }

    @Override
    public void resize(ExecSpec.TerminalSize size) {
      started.terminal().resize(size);
    }

    @Override
    public void close() {
      process.signal(9);
      process.stdout.closeReader();
      process.stderr.closeReader();
    }

    /** What is typed on a terminal: Control-C is a signal and no input. */
    private final class Keyboard extends FilterOutputStream {
      Keyboard(OutputStream pipe) {
        super(pipe);
      }

      @Override
      public void write(int value) throws IOException {
        if (value == CONTROL_C) {
          process.signal(SIGINT);
        } else {
          out.write(value);
        }
      }
    }
  }
}
