package dev.stapes.spi;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState;
import dev.stapes.model.Size;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * One of several holds on the same running machine, for a driver that was asked for it again: with
 * the last one that is closed it lets go of it.
 */
public final class SharedMachine implements Machine {
  private final Machine machine;
  private final Runnable letGo;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * A hold that has been counted.
   *
   * @param letGo called at the first close
   */
  public SharedMachine(Machine machine, Runnable letGo) {
    this.machine = machine;
    this.letGo = letGo;
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
  public Optional<FileSystems> fileSystems() {
    return machine.fileSystems();
  }

  @Override
  public Optional<String> failure() {
    return machine.failure();
  }

  @Override
  public void listen(Consumer<Incident> listener) {
    machine.listen(listener);
  }

  @Override
  public Optional<Screen> screen() {
    return machine.screen();
  }

  @Override
  public Optional<GuestInfo> guest() {
    return machine.guest();
  }

  @Override
  public void rootGrew(Size size) {
    machine.rootGrew(size);
  }

  @Override
  public void settle(Spec attempted, Spec wanted) {
    machine.settle(attempted, wanted);
  }

  @Override
  public void attached(Spec spec) {
    machine.attached(spec);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      letGo.run();
    }
  }
}
