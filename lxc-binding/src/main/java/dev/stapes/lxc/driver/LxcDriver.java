package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.lxc.LxcConfig;
import dev.stapes.lxc.RawLxc;
import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.lxc.ffi.LxcException;
import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Containers of liblxc, started by its own programs and controlled through its library. */
final class LxcDriver implements InstanceDriver {
  private static final Logger LOG = LoggerFactory.getLogger(LxcDriver.class);
  private static final long END_SECONDS = 15;
  private static final long MONITOR_END_SECONDS = 2;

  private final DriverContext context;
  private final IdMaps idMaps;
  private final RunDirectory runs;
  private final Standbys standbys;
  private final Launcher launcher;

  /** Machines in our hands, until everything of them is gone from the host. */
  private final Map<InstanceId, LxcMachine> machines = new ConcurrentHashMap<>();

  LxcDriver(DriverContext context, IdMaps idMaps) {
    this.context = context;
    this.idMaps = idMaps;
    this.runs = new RunDirectory(context.host(), context.scope());
    this.standbys = new Standbys(context, runs);
    this.launcher = new Launcher(context, runs, standbys);
  }

  @Override
  public List<ConfigKey<?>> configKeys() {
    return LxcKeys.ALL;
  }

  @Override
  public void validate(Machine.Spec spec) {
    ContainerPlan.validate(spec);
    Config config = spec.config();
    config.get(LxcKeys.RAW_LXC).ifPresent(text -> judge(spec.id(), RawLxc.parse(text)));
    LimitReader.read(config, Optional.empty(), context.host().facts().memory(), List.of());
    if (!config.isTrue(LxcKeys.ISOLATED) || config.text(LxcKeys.VOLATILE_BASE).isPresent()) {
      requireRoot(idMaps.of(config));
    }
  }

  /** Lets liblxc read the user's lines: at the start it would end without a word. */
  private void judge(InstanceId id, List<LxcConfig.Item> items) {
    String name = RunDirectory.prefix(context.scope()) + id + "-raw";
    try (ContainerCalls scratch =
        context.library().container(name, context.scope().runDirectory().toString())) {
      for (LxcConfig.Item item : items) {
        try {
          scratch.setConfigItem(item.key(), item.value());
        } catch (LxcException e) {
          throw new StapesException(
              Kind.INVALID,
              "raw.lxc",
              "liblxc does not take \"" + item.key() + " = " + item.value() + "\"",
              e);
        }
      }
    }
  }

  private static void requireRoot(Optional<IdMapping> mapping) {
    mapping.ifPresent(
        map -> {
          if (map.hostUid(0).isEmpty() || map.hostGid(0).isEmpty()) {
            throw StapesException.invalid("id map", "root is not in it: " + map);
          }
        });
  }

  @Override
  public Map<String, String> allocate(Config config, Collection<Config> others) {
    return idMaps.allocate(config, others);
  }

  @Override
  public Optional<IdMapping> idMapping(Config config) {
    return idMaps.of(config);
  }

  @Override
  public boolean changesLive(Optional<Device> before, Optional<Device> after) {
    return Stream.of(before, after).flatMap(Optional::stream).allMatch(LiveDisks::isOne);
  }

  @Override
  public boolean hasCgroups(int version) {
    return switch (context.layout().kind()) {
      case V1, HYBRID -> version == 1;
      case V2 -> version == 2;
      case NONE -> false;
    };
  }

  @Override
  public Machine start(Machine.Spec spec) {
    awaitGone(spec.id());
    Optional<IdMapping> mapping = idMaps.of(spec.config());
    try (Host.Busy busy = context.host().busy()) {
      Optional<RunFiles> left = runs.of(spec.id());
      if (left.isPresent()) {
        Remains.remove(context.host(), context.layout(), left.get());
      }
      Launcher.Started started = launcher.launch(spec, mapping, cpus -> moveTo(spec.id(), cpus));
      LxcMachine machine =
          new LxcMachine(
              context,
              spec,
              started.files(),
              mapping,
              started.init(),
              started.monitor(),
              startedAt(started.files()),
              started.limits(),
              started.requests(),
              this::forget);
      Machine held = machine.share();
      machines.put(spec.id(), machine);
      context.cpus().of(spec.id()).ifPresent(machine::moveTo); // others came or went meanwhile
      launcher.prepareNext(spec.lifetime(), mapping, started.shape());
      return held;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, "instance " + spec.name(), "interrupted", e);
    }
  }

  private void moveTo(InstanceId id, CpuSet cpus) {
    LxcMachine machine = machines.get(id);
    if (machine != null) {
      machine.moveTo(cpus);
    }
  }

  @Override
  public Optional<Machine> adopt(Machine.Spec spec) {
    awaitGone(spec.id());
    LxcMachine held = machines.get(spec.id());
    if (held != null) {
      return Optional.of(held.share());
    }
    Optional<RunFiles> known = runs.of(spec.id()).filter(files -> Files.exists(files.config()));
    return known.isEmpty() ? Optional.empty() : adopt(spec, known.get());
  }

  private Optional<Machine> adopt(Machine.Spec spec, RunFiles files) {
    Optional<Processes.Handle> init = FirstProcess.find(context, files);
    Optional<Processes.Handle> monitor = monitor(files);
    if (init.isEmpty() || monitor.isEmpty()) {
      monitor.ifPresent(LxcDriver::awaitEnd);
      init.ifPresent(Processes.Handle::close);
      monitor.ifPresent(Processes.Handle::close);
      // Without its monitor nobody can control it: it counts as stopped, so it must not go on.
      collect(files);
      runs.release(spec.id());
      return Optional.empty();
    }
    CgroupLimits limits = context.limits(spec, cpus -> moveTo(spec.id(), cpus));
    LxcMachine machine =
        new LxcMachine(
            context,
            spec,
            files,
            RunningIds.of(init.get().pid()),
            init.get(),
            monitor.get(),
            startedAt(files),
            limits,
            Optional.empty(),
            this::forget);
    machine.adopted();
    Machine held = machine.share();
    machines.put(spec.id(), machine);
    context.cpus().of(spec.id()).ifPresent(machine::moveTo);
    return Optional.of(held);
  }

  /** The monitor is alone in its cgroup. */
  private Optional<Processes.Handle> monitor(RunFiles files) {
    List<Long> pids = context.layout().group("lxc.monitor." + files.name()).processes();
    return pids.isEmpty() ? Optional.empty() : context.host().processes().find(pids.get(0));
  }

  /** One whose container has ended writes the rest of its log, and ends by itself. */
  private static void awaitEnd(Processes.Handle monitor) {
    try {
      monitor.exit().toCompletableFuture().get(MONITOR_END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("a monitor without a container does not end: {}", String.valueOf(e));
    }
  }

  private static Instant startedAt(RunFiles files) {
    try {
      return Files.getLastModifiedTime(files.config()).toInstant();
    } catch (IOException e) {
      return Instant.now();
    }
  }

  private void forget(LxcMachine machine) {
    if (machine.lifetime() != Lifetime.THROWAWAY && !machine.isAlive()) {
      runs.release(machine.id());
    }
    machines.remove(machine.id(), machine);
  }

  /** Waits for the end of an instance that is being removed behind. */
  private void awaitGone(InstanceId id) {
    LxcMachine machine = machines.get(id);
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
    for (LxcMachine machine : List.copyOf(machines.values())) {
      if (!keep.contains(machine.id())) {
        if (machine.isAlive()) {
          machine.kill();
        }
        awaitGone(machine.id());
      }
    }
    Map<InstanceId, String> assigned = runs.assigned();
    Set<String> kept = new HashSet<>();
    assigned.forEach(
        (id, name) -> {
          if (keep.contains(id) || machines.containsKey(id)) {
            kept.add(name);
          } else {
            collect(runs.named(name));
            runs.release(id);
          }
        });
    machines.values().forEach(machine -> kept.add(machine.container()));
    for (String name : names()) {
      if (!kept.contains(name) && !standbys.has(name)) {
        collect(runs.named(name));
      }
    }
  }

  /** Of all containers that have cgroups or files. */
  private Set<String> names() {
    Set<String> names = runs.names();
    String prefix = RunDirectory.prefix(context.scope());
    for (String group : Remains.groupPrefixes()) {
      context
          .layout()
          .groups(group + prefix)
          .forEach(name -> names.add(name.substring(group.length())));
    }
    return names;
  }

  private void collect(RunFiles files) {
    LOG.info("removing what is left of {}", files.name());
    try {
      Remains.remove(context.host(), context.layout(), files);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, "lxc driver", "interrupted", e);
    }
  }

  @Override
  public void close() {
    List<LxcMachine> all = List.copyOf(machines.values());
    for (LxcMachine machine : all) {
      if (machine.lifetime() == Lifetime.THROWAWAY && machine.isAlive()) {
        machine.kill();
      }
    }
    for (LxcMachine machine : all) {
      if (machine.isAlive()) {
        machine.close();
      } else {
        awaitGone(machine.id());
      }
    }
    standbys.close();
    context.behind().shutdown();
    try {
      if (!context.behind().awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the removal of ended instances takes too long");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      runs.close();
    }
  }
}
