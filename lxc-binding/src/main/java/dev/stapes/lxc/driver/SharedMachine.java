package dev.stapes.lxc.driver;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One of several holds on the same running container; the last one that is closed lets go of it.
 */
final class SharedMachine implements Machine {
  private final LxcMachine machine;
  private final AtomicBoolean closed = new AtomicBoolean();

  SharedMachine(LxcMachine machine) {
    this.machine = machine;
    machine.hold();
  }

  @Override
  public InstanceId id() {
    return machine.id();
  }

  @Override
  public long pid() {
    return machine.pid();
  }

  @Override
  public Instant startedAt() {
    return machine.startedAt();
  }

  @Override
  public CompletionStage<Exit> exit() {
    return machine.exit();
  }

  @Override
  public Optional<IdMapping> idMapping() {
    return machine.idMapping();
  }

  @Override
  public void requestShutdown() {
    machine.requestShutdown();
  }

  @Override
  public void kill() {
    machine.kill();
  }

  @Override
  public void freeze() {
    machine.freeze();
  }

  @Override
  public void unfreeze() {
    machine.unfreeze();
  }

  @Override
  public boolean isFrozen() {
    return machine.isFrozen();
  }

  @Override
  public Exec execWithoutInput(ExecSpec spec) {
    return machine.execWithoutInput(spec);
  }

  @Override
  public Exec exec(ExecSpec spec) {
    return machine.exec(spec);
  }

  @Override
  public Tree files() {
    return machine.files();
  }

  @Override
  public InstanceState state() {
    return machine.state();
  }

  @Override
  public Console console() {
    return machine.console();
  }

  @Override
  public Path consoleLog() {
    return machine.consoleLog();
  }

  @Override
  public void update(Spec spec) {
    machine.update(spec);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      machine.letGo();
    }
  }
}
