package dev.stapes.qemu.driver;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.QmpListener;
import dev.stapes.qmp.qemu.BlockResize;
import dev.stapes.qmp.qemu.Cont;
import dev.stapes.qmp.qemu.GuestPanickedEvent;
import dev.stapes.qmp.qemu.QueryStatus;
import dev.stapes.qmp.qemu.ResetEvent;
import dev.stapes.qmp.qemu.ResumeEvent;
import dev.stapes.qmp.qemu.RunState;
import dev.stapes.qmp.qemu.ShutdownEvent;
import dev.stapes.qmp.qemu.Stop;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.SharedMachine;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running virtual machine. */
final class QemuMachine implements Machine {
  private static final Logger LOG = LoggerFactory.getLogger(QemuMachine.class);
  private static final String ENVIRONMENT = "environment.";

  private final DriverContext context;
  private final VmFiles files;
  private final Emulator emulator;
  private final Instant startedAt;
  private final Monitor monitor;
  private final GuestAgent agent;
  private final AgentConnection agentConnection;
  private final ExecPorts ports;
  private final GuestPrograms programs;
  private final PowerButton button;
  private final SerialConsole serial;
  private final LiveLimits limits;
  private final VmNics nics;
  private final HotPlug slots;
  private final VmDevices devices;
  private final Daemons daemons;
  private final ConsoleLogTurns log;
  private final Consumer<QemuMachine> gone;
  private final CompletableFuture<Exit> exit = new CompletableFuture<>();
  private final CompletableFuture<Exit> removed = new CompletableFuture<>();
  private final VmCondition condition = new VmCondition();
  private final AtomicInteger holders = new AtomicInteger();
  private volatile boolean killed;
  private volatile boolean released;
  private volatile @Nullable String shutdownReason;
  private final Awakening awakening;
  private volatile Spec spec;

  /** As of which its disks and shares are. */
  private Spec devicesOf;

  QemuMachine(
      DriverContext context,
      Spec spec,
      VmFiles files,
      Processes.Handle process,
      Monitor monitor,
      Instant startedAt,
      Consumer<QemuMachine> gone) {
    String subject = "instance " + spec.name();
    this.context = context;
    this.spec = spec;
    this.devicesOf = spec;
    this.files = files;
    this.emulator = new Emulator(subject, process);
    this.monitor = monitor;
    this.startedAt = startedAt;
    this.gone = gone;
    this.agentConnection = new AgentConnection(context.loop(), files, subject, monitor, startedAt);
    this.agent = new GuestAgent(subject, agentConnection);
    this.awakening = new Awakening(agent, agentConnection, monitor);
    this.ports = new ExecPorts(context.sys(), subject, files.directory(), monitor);
    this.programs = new GuestPrograms(subject, agent, ports, context.behind(), emulator::endsNow);
    this.button = new PowerButton(subject, monitor, agent, agentConnection, context.behind());
    this.serial = new SerialConsole(context.sys(), subject, files.console());
    this.limits =
        new LiveLimits(
            new VmLimits(subject, monitor),
            new CpuAffinity(context.host(), context.root(), monitor),
            emulator.pid());
    this.slots = new HotPlug(subject, monitor);
    this.nics = new VmNics(files.id(), monitor, slots, context.sys(), context.root());
    this.daemons = new Daemons(context, files, subject);
    this.devices = devices(subject);
    this.log = new ConsoleLogTurns(context.sys(), consoleLog());
    condition.askAfterStops(context.behind(), () -> monitor.execute(QueryStatus.of()).status());
    monitor.client().subscribe(QmpEvent.class, listener());
    emulator.exit().thenAccept(this::processEnded);
    log.watch(context.behind());
  }

  private VmDevices devices(String subject) {
    return new VmDevices(
        context,
        subject,
        slots,
        new VmShares(monitor, slots, new ShareDaemons(context, files, subject)),
        new GuestMounts(subject, agent::await, this::execWithoutInput),
        agentConnection::isOpen);
  }

  private QmpListener<QmpEvent> listener() {
    return event -> {
      condition.hear(event);
      if (event instanceof ShutdownEvent shutdown) {
        shutdownReason = shutdown.reason().text();
      } else if (event instanceof ResumeEvent) {
        agentConnection.goesOn();
      } else if (event instanceof ResetEvent || event instanceof GuestPanickedEvent) {
        agentConnection.restarted();
        agent.disconnect(); // the next one comes when the guest has booted
        ports.abandon(); // nobody is left who could say how they ended
        devices.mountAll(this::spec);
      }
    };
  }

  @Override
  public InstanceId id() {
    return files.id();
  }

  Spec spec() {
    return spec;
  }

  private String subject() {
    return "instance " + spec().name();
  }

  Lifetime lifetime() {
    return spec().lifetime();
  }

  boolean isAlive() {
    return !exit.isDone() && emulator.isAlive();
  }

  /** Completes when nothing of it is left on the host. */
  CompletionStage<Exit> removed() {
    return removed.minimalCompletionStage();
  }

  @Override
  public long pid() {
    return emulator.pid();
  }

  @Override
  public Instant startedAt() {
    return startedAt;
  }

  @Override
  public CompletionStage<Exit> exit() {
    return exit.minimalCompletionStage();
  }

  @Override
  public void requestShutdown() {
    if (!isAlive()) {
      return;
    }
    if (isFrozen() || failure().isPresent()) {
      unfreeze(); // else it would never hear of it
    }
    button.press();
  }

  @Override
  public void kill() {
    killed = true;
    emulator.kill();
    complete(new Exit("killed", false));
  }

  /** When its end is told nothing has its root volume, and who reads its log reads to the end. */
  private void complete(Exit end) {
    try {
      log.end();
      new TpmDaemon(context, files, subject()).end();
    } catch (StapesException e) {
      LOG.warn("{}: its TPM does not end", files.name(), e);
    } finally {
      exit.complete(end);
    }
  }

  @Override
  public void freeze() {
    condition.suspend(() -> monitor.execute(Stop.of()));
  }

  @Override
  public void unfreeze() {
    condition.resume(() -> monitor.execute(Cont.of()));
    agentConnection.goesOn();
    awakening.tell();
  }

  @Override
  public boolean isFrozen() {
    return condition.isFrozen();
  }

  @Override
  public Optional<String> failure() {
    return condition.failure();
  }

  @Override
  public void listen(Consumer<Incident> listener) {
    condition.listen(listener);
  }

  @Override
  public Optional<FileSystems> fileSystems() {
    return agentConnection.isOpen() ? Optional.of(new GuestFileSystems(agent)) : Optional.empty();
  }

  @Override
  public Exec exec(ExecSpec exec) {
    return exec(exec, true);
  }

  @Override
  public Exec execWithoutInput(ExecSpec exec) {
    return exec(exec, false);
  }

  private Exec exec(ExecSpec exec, boolean input) {
    requireGoing();
    return programs.start(exec, spec().config().family(ENVIRONMENT), input);
  }

  private void requireGoing() {
    requireAlive();
    condition.requireGoing(subject());
  }

  private void requireAlive() {
    if (!isAlive()) {
      throw new StapesException(Kind.UNAVAILABLE, subject(), "it has ended");
    }
  }

  @Override
  public Tree files() {
    requireGoing();
    return programs.files(spec().config().family(ENVIRONMENT));
  }

  @Override
  public Optional<IdMapping> idMapping() {
    return Optional.empty();
  }

  @Override
  public InstanceState state() {
    return VmState.of(
        context.root().process(emulator.pid()),
        emulator.pid(),
        startedAt,
        condition.status(),
        nics.counters(spec().config()));
  }

  @Override
  public Optional<GuestInfo> guest() {
    requireGoing();
    return Optional.of(GuestReport.of(agent::ask, () -> nics.neighbours(spec().config())));
  }

  @Override
  public Console console() {
    requireAlive();
    return serial.open();
  }

  @Override
  public Optional<Screen> screen() {
    return plan(spec())
        .graphics()
        .map(its -> new VmScreen(context.sys(), subject(), files, monitor, its));
  }

  @Override
  public Path consoleLog() {
    return lifetime() == Lifetime.THROWAWAY ? files.consoleLog() : context.scope().consoleLog(id());
  }

  @Override
  public synchronized void update(Spec changed) {
    limit(spec, changed);
    nics.change(plan(changed).nics(), changed.config());
    devices.change(devicesOf, changed);
    devicesOf = changed;
    devices.grow(emulator.pid());
    spec = changed;
  }

  private void limit(Spec from, Spec to) {
    limits.change(plan(from), plan(to), from.root().ioLimits(), to.root().ioLimits());
  }

  @Override
  public synchronized void settle(Spec attempted, Spec wanted) {
    spec = wanted;
    devicesOf = wanted;
    Settlement.all(
        List.of(
            () -> nics.settle(plan(attempted).nics(), plan(wanted).nics(), wanted.config()),
            () -> devices.settle(attempted, wanted),
            () -> limit(attempted, wanted)));
  }

  private VmPlan plan(Spec of) {
    return context.plan(of);
  }

  @Override
  public synchronized void attached(Spec found) {
    spec = found;
    devicesOf = found;
  }

  @Override
  public void rootGrew(Size size) {
    monitor.execute(BlockResize.builder(size.bytes()).nodeName(QemuArguments.ROOT_NODE).build());
  }

  /** Lets its processors go on, for the first time. */
  void go() {
    plug();
    FirstReset.whereNeeded(subject(), monitor, plan(spec()));
    limits.pin(plan(spec()).cpus());
    unfreeze();
    devices.mountAll(this::spec);
  }

  /** Gives it the devices that it has from the start, and that can go while it runs. */
  void plug() {
    VmPlan plan = plan(spec());
    nics.plugMissing(plan.nics(), spec().config(), plan.boot());
    devices.plugAll(spec());
  }

  /** Gives it the devices that it had when its memory was saved, where they were. */
  void plug(Map<String, String> places) {
    slots.at(places, this::plug);
  }

  /** On which its state leaves it, or comes. */
  MachineWays ways() {
    return new MachineWays(this, subject(), monitor, files, context.sys());
  }

  /**
   * It has a state that was saved, and stands still.
   *
   * @param saved id of the instance whose state it was
   */
  void loaded(String saved) {
    condition.suspended();
    limits.pin(plan(spec()).cpus());
    ports.keepForeign();
    awaken(saved);
  }

  /** Tells its guest that it goes on from the state of an instance, as soon as it does. */
  void awaken(String saved) {
    awakening.expect(spec().name(), !saved.equals(id().value()));
    if (condition.isGoing()) {
      awakening.tell();
    }
  }

  /**
   * Fails where one that is started anew would not be like this one.
   *
   * @param refusal what is not possible then
   * @param arguments that it was started with
   * @return where devices are that were plugged in, and can be again
   */
  Map<String, String> requireAsStarted(String refusal, List<String> arguments) {
    boolean share = SavedMachine.memoryLimit(spec()).endsWith("%");
    Optional<Size> known = share ? Optional.empty() : Optional.of(plan(spec()).memory());
    return AsStarted.require(subject(), refusal, monitor, known, arguments);
  }

  /**
   * Learns what it has been doing since an earlier JVM let go of it, maybe before it went.
   *
   * @return false where it never went, and lacks disks that nobody can give it now
   */
  boolean adopted() {
    RunState state = monitor.execute(QueryStatus.of()).status();
    if (state == RunState.PRELAUNCH) {
      if (spec().devices().values().stream().anyMatch(VmDevices::isOfStart)) {
        return false;
      }
      go(); // its JVM died before it did
    } else {
      Departure.Abandoned move = ways().departure().abandon(); // its JVM died during one, maybe
      move.failure().ifPresent(e -> LOG.warn("{}: is left of its move: {}", subject(), e, e));
      condition.found(move.state());
      nics.found(plan(spec()).nics());
      devices.mountAll(this::spec);
    }
    ports.keepForeign();
    return true;
  }

  /** For somebody more who has it. */
  Machine share() {
    holders.incrementAndGet();
    return new SharedMachine(
        this,
        () -> {
          if (holders.decrementAndGet() == 0) {
            close();
          }
        });
  }

  @Override
  public void close() {
    if (killed || !isAlive()) {
      return; // being removed behind
    }
    released = true;
    letGo();
    gone.accept(this);
    emulator.close();
  }

  private void letGo() {
    log.end();
    ports.close();
    agent.close();
    serial.close();
    monitor.close();
  }

  private void processEnded(int code) {
    if (released) {
      return;
    }
    try {
      context.behind().execute(() -> finish(code));
    } catch (RejectedExecutionException e) {
      Exit end = new Exit("the driver was closed", false);
      complete(end);
      removed.complete(end);
    }
  }

  /** Says that it has ended, then removes the rest. */
  private void finish(int code) {
    Exit end = killed ? new Exit("killed", false) : VmEnd.of(code, shutdownReason, files);
    complete(end);
    try {
      letGo();
      daemons.end(Optional.empty());
      files.remove(context.root().vfio());
      emulator.close();
    } catch (IOException | RuntimeException e) {
      LOG.warn("{}: what is left cannot be removed", files.name(), e);
    } finally {
      gone.accept(this);
      removed.complete(end);
    }
  }
}
