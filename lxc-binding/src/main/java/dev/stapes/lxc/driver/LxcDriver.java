package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.lxc.LxcConfig;
import dev.stapes.lxc.RawLxc;
import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.lxc.ffi.LockFiles;
import dev.stapes.lxc.ffi.LxcException;
import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Containers of liblxc, started by its own programs and controlled through its library. */
final class LxcDriver implements InstanceDriver {
  private static final Logger LOG = LoggerFactory.getLogger(LxcDriver.class);
  private static final int SIGKILL = 9;
  private static final long START_MILLIS = 60_000;
  private static final long END_SECONDS = 15;

  private final DriverContext context;
  private final IdMaps idMaps;

  /** Machines in our hands, until everything of them is gone from the host. */
  private final Map<InstanceId, LxcMachine> machines = new ConcurrentHashMap<>();

  LxcDriver(DriverContext context, IdMaps idMaps) {
    this.context = context;
    this.idMaps = idMaps;
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
    RunFiles files = RunFiles.of(context.scope(), id);
    try (ContainerCalls scratch =
        context.library().container(files.name() + "-raw", files.lxcPath().toString())) {
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
  public Machine start(Machine.Spec spec) {
    awaitGone(spec.id());
    RunFiles files = RunFiles.of(context.scope(), spec.id());
    try (Host.Busy busy = context.host().busy()) {
      if (Files.exists(files.directory())) {
        Remains.remove(context.host(), context.layout(), files);
      }
      return start(spec, files);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject(spec), "interrupted", e);
    }
  }

  private Machine start(Machine.Spec spec, RunFiles files) {
    Optional<IdMapping> mapping = idMaps.of(spec.config());
    Processes.Child monitor = null;
    boolean done = false;
    try {
      CgroupLimits limits = write(spec, files, mapping);
      try (Fd ready = Agent.openReady(context.sys(), files.agent())) {
        monitor = spawn(spec, files);
        Processes.Child started = monitor;
        boolean up = Agent.awaitReady(context.sys(), ready, START_MILLIS, started::isAlive);
        Processes.Handle init = up ? init(files, started) : null;
        if (init == null) {
          throw new StapesException(
              Kind.INTERNAL,
              subject(spec),
              "start failed: "
                  + (started.isAlive() ? "it does not come up" : "it ended")
                  + ": "
                  + files.errors());
        }
        LxcMachine machine =
            new LxcMachine(
                context,
                spec,
                files,
                mapping,
                init,
                started,
                startedAt(files),
                limits,
                this::forget);
        Machine held = new SharedMachine(machine);
        machines.put(spec.id(), machine);
        done = true;
        context.cpus().of(spec.id()).ifPresent(machine::moveTo); // others came or went meanwhile
        return held;
      }
    } catch (IOException e) {
      throw KernelError.of(e, subject(spec), "start failed");
    } catch (LinuxException e) {
      throw KernelError.of(e, subject(spec), "start failed");
    } finally {
      if (!done) {
        undo(spec, files, monitor);
      }
    }
  }

  private void undo(Machine.Spec spec, RunFiles files, Processes.@Nullable Child monitor) {
    context.cpus().leave(spec.id());
    boolean interrupted = Thread.interrupted(); // the rest has to be done all the same
    try {
      if (monitor != null) {
        monitor.signal(SIGKILL);
      }
      Remains.remove(context.host(), context.layout(), files);
    } catch (InterruptedException e) {
      interrupted = true;
    } catch (RuntimeException e) {
      LOG.warn("{}: something of a failed start is left on the host", subject(spec), e);
    } finally {
      if (monitor != null) {
        monitor.close();
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private CgroupLimits write(Machine.Spec spec, RunFiles files, Optional<IdMapping> mapping)
      throws IOException {
    files.create();
    Agent.prepare(context.sys(), files.agent(), mapping);
    Map<String, CharacterDevices.Node> nodes =
        CharacterDevices.create(context.host(), spec, mapping, files);
    Optional<CpuSet> cpus =
        context
            .cpus()
            .join(spec.id(), LimitReader.cpus(spec.config()), moved -> moveTo(spec.id(), moved));
    CgroupLimits limits =
        LimitReader.read(
            spec.config(),
            cpus,
            context.host().facts().memory(),
            DiskDevices.limited(context.host(), spec));
    CgroupLimits withDevices = ContainerPlan.withDevices(limits, ContainerPlan.deviceRules(nodes));
    ContainerPlan plan =
        new ContainerPlan(spec, mapping, files, context.busybox(), context.host().mounts()::local);
    RunFiles.write(files.hook(), plan.hookText());
    RunFiles.write(files.seccomp(), ContainerPlan.seccomp(spec.config()).text());
    RunFiles.write(
        files.config(), plan.config(context.layout(), withDevices, isSystemd(spec), nodes).text());
    return limits;
  }

  private void moveTo(InstanceId id, CpuSet cpus) {
    LxcMachine machine = machines.get(id);
    if (machine != null) {
      machine.moveTo(cpus);
    }
  }

  private boolean isSystemd(Machine.Spec spec) {
    Path root = context.host().mounts().local(spec.root().path());
    try (Tree tree = context.host().tree(root, Tree.Resolution.IN_ROOT)) {
      return tree.readlink("sbin/init").endsWith("systemd");
    } catch (StapesException e) {
      return false; // no init, or no link
    }
  }

  private Processes.Child spawn(Machine.Spec spec, RunFiles files) {
    Processes.Start start =
        Processes.Start.of(
            List.of(
                context.start().toString(),
                "-P",
                files.lxcPath().toString(),
                "-n",
                files.name(),
                "-F",
                "-C"),
            // Without newuidmap on its PATH liblxc writes the id maps itself, 5 ms faster.
            Map.of("PATH", "/nonexistent", "LC_ALL", "C"));
    return context
        .host()
        .processes()
        .start(spec.lifetime() == Lifetime.THROWAWAY ? start.dyingWithHost() : start);
  }

  /** The first process is the monitor's only child; where the kernel does not tell, ask liblxc. */
  private Processes.@Nullable Handle init(RunFiles files, Processes.Handle monitor) {
    OptionalLong child = onlyChild(monitor.pid());
    if (child.isPresent()) {
      Optional<Processes.Handle> found = context.host().processes().find(child.getAsLong());
      // Asked again: the number was its own when the handle was made.
      if (found.isPresent() && child.equals(onlyChild(monitor.pid()))) {
        return found.get();
      }
      found.ifPresent(Processes.Handle::close);
    }
    return init(files);
  }

  /** From proc_pid_task_tid_children(5), which not every kernel has. */
  private static OptionalLong onlyChild(long parent) {
    try {
      String children =
          Files.readString(Path.of("/proc/" + parent + "/task/" + parent + "/children")).strip();
      return children.matches("\\d{1,18}")
          ? OptionalLong.of(Long.parseLong(children))
          : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  private Processes.@Nullable Handle init(RunFiles files) {
    try (ContainerCalls calls = new ContainerAccess(context.library(), files).calls()) {
      OptionalInt pid = calls.initPid();
      if (pid.isEmpty()) {
        return null;
      }
      Optional<Processes.Handle> found = context.host().processes().find(pid.getAsInt());
      // Asked again: the number was its own when the handle was made.
      if (found.isPresent() && !pid.equals(calls.initPid())) {
        found.get().close();
        return null;
      }
      return found.orElse(null);
    }
  }

  @Override
  public Optional<Machine> adopt(Machine.Spec spec) {
    awaitGone(spec.id());
    LxcMachine known = machines.get(spec.id());
    if (known != null) {
      return Optional.of(new SharedMachine(known));
    }
    RunFiles files = RunFiles.of(context.scope(), spec.id());
    if (!Files.exists(files.config())) {
      return Optional.empty();
    }
    Processes.Handle init = init(files);
    Optional<Processes.Handle> monitor = monitor(files);
    if (init == null || monitor.isEmpty()) {
      if (init != null) {
        init.close();
      }
      monitor.ifPresent(Processes.Handle::close);
      // Without its monitor nobody can control it: it counts as stopped, so it must not go on.
      collect(files);
      return Optional.empty();
    }
    Optional<CpuSet> cpus =
        context
            .cpus()
            .join(spec.id(), LimitReader.cpus(spec.config()), moved -> moveTo(spec.id(), moved));
    CgroupLimits limits =
        LimitReader.read(
            spec.config(),
            cpus,
            context.host().facts().memory(),
            DiskDevices.limited(context.host(), spec));
    LxcMachine machine =
        new LxcMachine(
            context,
            spec,
            files,
            RunningIds.of(init.pid()),
            init,
            monitor.get(),
            startedAt(files),
            limits,
            this::forget);
    machine.adopted();
    Machine held = new SharedMachine(machine);
    machines.put(spec.id(), machine);
    cpus.ifPresent(machine::moveTo);
    return Optional.of(held);
  }

  /** The monitor is alone in its cgroup. */
  private Optional<Processes.Handle> monitor(RunFiles files) {
    List<Long> pids = context.layout().group("lxc.monitor." + files.name()).processes();
    return pids.isEmpty() ? Optional.empty() : context.host().processes().find(pids.get(0));
  }

  private static Instant startedAt(RunFiles files) {
    try {
      return Files.getLastModifiedTime(files.config()).toInstant();
    } catch (IOException e) {
      return Instant.now();
    }
  }

  private void forget(LxcMachine machine) {
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
    Set<String> names = new LinkedHashSet<>();
    String prefix = RunFiles.prefix(context.scope());
    for (String group : Remains.groupPrefixes()) {
      context
          .layout()
          .groups(group + prefix)
          .forEach(name -> names.add(name.substring(group.length())));
    }
    try (DirectoryStream<Path> directories =
        Files.newDirectoryStream(context.scope().runDirectory(), prefix + "*")) {
      directories.forEach(path -> names.add(path.getFileName().toString()));
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "lxc driver", "its run directory cannot be read: " + e, e);
    }
    for (String name : names) {
      Optional<InstanceId> id = RunFiles.instance(context.scope(), name);
      if (id.isEmpty() || (!keep.contains(id.get()) && !machines.containsKey(id.get()))) {
        collect(new RunFiles(name, context.scope().runDirectory().resolve(name)));
      }
    }
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
    context.behind().shutdown();
    try {
      if (!context.behind().awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the removal of ended instances takes too long");
      }
      LockFiles.remove(context.scope().runDirectory());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.warn("lock files of liblxc are left", e);
    }
  }

  private static String subject(Machine.Spec spec) {
    return "instance " + spec.name();
  }
}
