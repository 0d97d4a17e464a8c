package dev.stapes.qemu.driver;

import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.MemoryStates;
import dev.stapes.spi.Migrations;
import dev.stapes.spi.Processes;
import dev.stapes.spi.TakenException;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Virtual machines of QEMU. */
final class QemuDriver implements InstanceDriver {
  private static final Logger LOG = LoggerFactory.getLogger(QemuDriver.class);
  private static final long END_SECONDS = 15;
  private static final int SIGKILL = 9;

  private final DriverContext context;
  private final UserIds users;
  private final VsockIds vsocks;
  private final QemuLauncher launcher;

  /** Machines in our hands, until everything of them is gone from the host. */
  private final Map<InstanceId, QemuMachine> machines = new ConcurrentHashMap<>();

  QemuDriver(DriverContext context) {
    this.context = context;
    this.users = new UserIds(context.scope().tag());
    this.vsocks = new VsockIds(context.scope().tag());
    this.launcher = new QemuLauncher(context);
  }

  @Override
  public List<ConfigKey<?>> configKeys() {
    return QemuKeys.ALL;
  }

  @Override
  public void validate(Machine.Spec spec) {
    VmPlan plan = context.plan(spec);
    if (plan.cpus() instanceof CpuRequest.Pinned pinned) {
      CpuAffinity.require(CpuSet.of(context.host().facts().onlineCpus()), pinned.cpus());
    }
  }

  @Override
  public Map<String, String> allocate(Config config, Collection<Config> others) {
    Map<String, String> keys = new HashMap<>(users.allocate(config, others));
    keys.putAll(vsocks.allocate(config, others));
    return keys;
  }

  @Override
  public Map<String, String> allocate(Machine.Spec spec, Collection<Config> others) {
    Map<String, String> keys = new HashMap<>(allocate(spec.config(), others));
    keys.putAll(NicIdentity.allocate(spec, others));
    return keys;
  }

  @Override
  public Optional<IdMapping> idMapping(Config config) {
    return Optional.empty();
  }

  @Override
  public boolean changesLive(Optional<Device> before, Optional<Device> after) {
    return Stream.of(before, after).flatMap(Optional::stream).allMatch(VmDevices::isPluggable);
  }

  @Override
  public Machine start(Machine.Spec spec) {
    return start(anew(spec), QemuMachine::go);
  }

  @Override
  public Optional<MemoryStates> memoryStates() {
    return Optional.of(
        new QemuStates(
            context,
            id -> Optional.ofNullable(machines.get(id)),
            (spec, saved) -> launcher.arguments(from(spec, saved)),
            (spec, saved, fill) -> start(from(spec, saved), fill)));
  }

  @Override
  public Optional<Migrations> migrations() {
    return Optional.of(
        new QemuMigrations(
            context,
            id -> Optional.ofNullable(machines.get(id)),
            (spec, room, fill) -> start(goingOn(spec, spec, room), fill)));
  }

  private QemuLauncher.Wanted anew(Machine.Spec spec) {
    Host.Facts facts = context.host().facts();
    VmPlan plan = context.plan(spec);
    VmRoom room = VmRoom.of(plan, facts, context.root().cpus(), context.vsock());
    return new QemuLauncher.Wanted(spec, plan, room, usesKvm(plan), false);
  }

  /** One that goes on from its memory has room for what it had room for. */
  private QemuLauncher.Wanted from(Machine.Spec spec, SavedMachine saved) {
    return goingOn(spec, saved.memoryOf(spec), saved.room());
  }

  /** One that goes on as another did. */
  private QemuLauncher.Wanted goingOn(Machine.Spec spec, Machine.Spec planned, VmRoom room) {
    VmPlan plan = context.plan(planned);
    return new QemuLauncher.Wanted(spec, plan, room, usesKvm(plan), true);
  }

  private Machine start(QemuLauncher.Wanted wanted, Consumer<QemuMachine> begin) {
    Machine.Spec spec = wanted.spec();
    awaitGone(spec.id());
    try (Host.Busy busy = context.host().busy()) {
      remove(
          VmFiles.of(context.scope(), spec.id()),
          QemuProcesses.of(context.scope(), context.root()));
      QemuLauncher.Started started = launch(wanted);
      QemuMachine machine =
          new QemuMachine(
              context,
              spec,
              started.files(),
              started.process(),
              started.monitor(),
              startedAt(started.process().pid()),
              this::forget);
      hold(machine);
      begin(machine, begin);
      return machine.share();
    }
  }

  private QemuLauncher.Started launch(QemuLauncher.Wanted wanted) {
    Config config = wanted.spec().config();
    try {
      return launcher.launch(wanted, users.of(config));
    } catch (TakenException e) {
      vsocks.avoid(config);
      throw e;
    }
  }

  /** One that has ended already has been forgotten, and is not held again. */
  private void hold(QemuMachine machine) {
    machines.put(machine.id(), machine);
    if (machine.removed().toCompletableFuture().isDone()) {
      forget(machine);
    }
  }

  private boolean usesKvm(VmPlan plan) {
    return switch (plan.accelerator()) {
      case "kvm" -> true;
      case "tcg" -> false;
      default -> context.kvm().isUsable();
    };
  }

  /** Brings it to where it is to begin; where that fails, nothing of it is left. */
  private void begin(QemuMachine machine, Consumer<QemuMachine> how) {
    try {
      how.accept(machine);
    } catch (RuntimeException | Error e) {
      try {
        Uninterrupted.run(
            () -> {
              machine.kill();
              awaitGone(machine.id());
            });
      } catch (StapesException next) {
        e.addSuppressed(next);
      }
      throw e;
    }
  }

  @Override
  public Optional<Machine> adopt(Machine.Spec spec) {
    awaitGone(spec.id());
    QemuMachine held = machines.get(spec.id());
    if (held != null) {
      return Optional.of(held.share());
    }
    VmFiles files = VmFiles.of(context.scope(), spec.id());
    Map<String, List<QemuProcesses.Found>> running =
        QemuProcesses.of(context.scope(), context.root());
    Optional<Processes.Handle> process =
        running.getOrDefault(files.name(), List.of()).stream()
            .filter(found -> found.user() == users.of(spec.config()))
            .findFirst()
            .flatMap(found -> context.host().processes().find(found.pid()));
    if (process.isPresent()) {
      try {
        return adopt(spec, files, process.get());
      } catch (QmpException e) {
        LOG.warn("{}: runs, but cannot be controlled: {}", files.name(), e.getMessage());
        process.get().close();
      } catch (InterruptedException e) {
        process.get().close();
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, "instance " + spec.name(), "interrupted", e);
      }
    }
    remove(files, running);
    return Optional.empty();
  }

  private Optional<Machine> adopt(Machine.Spec spec, VmFiles files, Processes.Handle process)
      throws InterruptedException {
    QmpClient client =
        QmpClient.connect(context.loop(), files.monitor(), Monitor.DIALECT, QmpOptions.defaults());
    QemuMachine machine =
        new QemuMachine(
            context,
            spec,
            files,
            process,
            new Monitor("instance " + spec.name(), client),
            startedAt(process.pid()),
            this::forget);
    boolean done = false;
    try {
      hold(machine);
      boolean usable = machine.adopted();
      done = true;
      if (!usable) {
        LOG.warn("{}: did not get its disks before its JVM ended: it is ended", files.name());
        machine.kill();
        awaitGone(spec.id());
        return Optional.empty();
      }
      return Optional.of(machine.share());
    } finally {
      if (!done) {
        machine.close(); // which is forgotten
      }
    }
  }

  private static Instant startedAt(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(found -> found.info().startInstant())
        .orElse(Instant.now());
  }

  private void forget(QemuMachine machine) {
    machines.remove(machine.id(), machine);
  }

  /** Waits for the end of an instance that is being removed behind. */
  private void awaitGone(InstanceId id) {
    QemuMachine machine = machines.get(id);
    if (machine == null || machine.isAlive()) {
      return;
    }
    try {
      machine.removed().toCompletableFuture().get(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, "instance " + id, "interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new StapesException(Kind.BUSY, "instance " + id, "its last run is not removed yet", e);
    }
  }

  @Override
  public void collect(Set<InstanceId> keep) {
    context.kvm().collect();
    for (QemuMachine machine : List.copyOf(machines.values())) {
      if (!keep.contains(machine.id())) {
        if (machine.isAlive()) {
          machine.kill();
        }
        awaitGone(machine.id());
      }
    }
    Map<String, List<QemuProcesses.Found>> running =
        QemuProcesses.of(context.scope(), context.root());
    String prefix = VmFiles.prefix(context.scope());
    for (String name : running.keySet()) {
      InstanceId id = new InstanceId(name.substring(prefix.length()));
      if (!keep.contains(id) && !machines.containsKey(id)) {
        remove(VmFiles.of(context.scope(), id), running);
      }
    }
    try {
      for (VmFiles files : VmFiles.all(context.scope())) {
        if (!keep.contains(files.id()) && !machines.containsKey(files.id())) {
          remove(files, running);
        }
      }
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, "qemu driver", "its run directory: " + e, e);
    }
  }

  /** Ends what may still run, and removes its files. */
  private void remove(VmFiles files, Map<String, List<QemuProcesses.Found>> running) {
    for (QemuProcesses.Found found : running.getOrDefault(files.name(), List.of())) {
      context.host().processes().find(found.pid()).ifPresent(process -> end(files, process));
    }
    new Daemons(context, files, "instance " + files.id()).end(Optional.empty());
    try {
      files.remove(context.root().vfio());
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "instance " + files.id(), "its files cannot be removed: " + e, e);
    }
  }

  private static void end(VmFiles files, Processes.Handle process) {
    try (process) {
      LOG.info("ending what is left of {}", files.name());
      process.signal(SIGKILL);
      process.exit().toCompletableFuture().get(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, "qemu driver", "interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new StapesException(Kind.INTERNAL, files.name(), "does not end", e);
    }
  }

  @Override
  public void close() {
    List<QemuMachine> all = List.copyOf(machines.values());
    for (QemuMachine machine : all) {
      if (machine.lifetime() == Lifetime.THROWAWAY && machine.isAlive()) {
        machine.kill();
      }
    }
    for (QemuMachine machine : all) {
      if (machine.isAlive()) {
        machine.close();
      } else {
        awaitGone(machine.id());
      }
    }
    context.behind().shutdown();
    context.loop().close();
    try {
      if (!context.behind().awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the removal of ended instances takes too long");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
