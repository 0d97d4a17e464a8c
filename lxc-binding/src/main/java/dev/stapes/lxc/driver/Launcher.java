package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.IdMapping;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts containers. */
final class Launcher {
  private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);
  private static final int SIGKILL = 9;
  private static final long START_MILLIS = 60_000;

  private final DriverContext context;
  private final RunDirectory runs;
  private final Standbys standbys;

  Launcher(DriverContext context, RunDirectory runs, Standbys standbys) {
    this.context = context;
    this.runs = runs;
    this.standbys = standbys;
  }

  /**
   * A container whose first process runs.
   *
   * @param requests to its agent, where it may not be there yet: while they are open they wait for
   *     it
   * @param shape what others like it have in common with it
   */
  record Started(
      RunFiles files,
      Processes.Handle init,
      Processes.Child monitor,
      CgroupLimits limits,
      Optional<Fd> requests,
      Optional<BlankShape> shape) {}

  /**
   * Starts a container that has none of an earlier run.
   *
   * @param moved is told of other CPUs, since somebody came or went
   */
  Started launch(Machine.Spec spec, Optional<IdMapping> mapping, Consumer<CpuSet> moved) {
    boolean systemd = isSystemd(spec);
    Optional<BlankShape> shape = BlankShape.of(context, spec, mapping, systemd);
    Optional<Standby> standby = standbys.take(spec.lifetime(), shape);
    if (standby.isPresent() && standby.get().blank().isPresent()) {
      Optional<Started> filled =
          fill(spec, mapping, standby.get(), standby.get().blank().get(), systemd, moved);
      if (filled.isPresent()) {
        return filled.get();
      }
      standby = Optional.empty();
    }
    RunFiles files = standby.map(Standby::files).orElseGet(() -> runs.fresh(spec.lifetime()));
    Attempt attempt = new Attempt(spec, files, mapping, standby, systemd, shape);
    boolean done = false;
    try {
      Started started = attempt.run(moved);
      done = true;
      return started;
    } catch (IOException e) {
      throw KernelError.of(e, subject(spec), "start failed");
    } catch (LinuxException e) {
      throw KernelError.of(e, subject(spec), "start failed");
    } finally {
      if (!done) {
        attempt.undo();
      }
    }
  }

  /** Has a container ready for the next start of this kind. */
  void prepareNext(Lifetime lifetime, Optional<IdMapping> mapping, Optional<BlankShape> shape) {
    standbys.refill(lifetime, mapping, shape);
  }

  /**
   * Makes a container that has been started that of an instance.
   *
   * @return empty: it cannot be this one's, and is gone
   */
  private Optional<Started> fill(
      Machine.Spec spec,
      Optional<IdMapping> mapping,
      Standby standby,
      Blank blank,
      boolean systemd,
      Consumer<CpuSet> moved) {
    RunFiles files = standby.files();
    boolean done = false;
    try {
      Optional<CpuSet> cpus =
          context.cpus().join(spec.id(), LimitReader.cpus(spec.config()), moved);
      CgroupLimits limits = context.limits(spec, cpus);
      String config = config(spec, mapping, files, limits, systemd, Map.of());
      if (!prepared(spec, mapping, blank, limits)) {
        return Optional.empty();
      }
      if (spec.lifetime() != Lifetime.THROWAWAY) {
        runs.assign(spec.id(), files);
      }
      RunFiles.replace(files.config(), config);
      if (!blank.go(spec, mapping, START_MILLIS)) {
        throw new StapesException(
            Kind.INTERNAL, subject(spec), "start failed: it ended: " + files.errors());
      }
      done = true;
      return Optional.of(
          new Started(
              files,
              blank.init(),
              blank.monitor(),
              limits,
              Optional.empty(),
              Optional.of(blank.shape())));
    } catch (IOException e) {
      throw KernelError.of(e, subject(spec), "start failed");
    } catch (LinuxException e) {
      throw KernelError.of(e, subject(spec), "start failed");
    } finally {
      if (!done) {
        context.cpus().leave(spec.id());
        runs.release(spec.id());
        standbys.drop(standby);
      }
    }
  }

  /** What an instance has that a start of its own could give it and this cannot, shows here. */
  private boolean prepared(
      Machine.Spec spec, Optional<IdMapping> mapping, Blank blank, CgroupLimits limits) {
    try {
      DriverContext.apply(limits, blank.payload(), subject(spec));
      blank.fill(spec, mapping);
      return true;
    } catch (StapesException e) {
      LOG.info("{} is started anew: {}", subject(spec), e.getMessage());
      return false;
    }
  }

  private String config(
      Machine.Spec spec,
      Optional<IdMapping> mapping,
      RunFiles files,
      CgroupLimits limits,
      boolean systemd,
      Map<String, CharacterDevices.Node> nodes) {
    CgroupLimits withDevices = ContainerPlan.withDevices(limits, ContainerPlan.deviceRules(nodes));
    return plan(spec, mapping, files).config(context.layout(), withDevices, systemd, nodes).text();
  }

  private ContainerPlan plan(Machine.Spec spec, Optional<IdMapping> mapping, RunFiles files) {
    return new ContainerPlan(
        spec, mapping, files.inNamespace(), context.busybox(), context.host().mounts()::local);
  }

  private boolean isSystemd(Machine.Spec spec) {
    Path root = context.host().mounts().local(spec.root().path());
    try (Tree tree = context.host().tree(root, Tree.Resolution.IN_ROOT)) {
      return tree.readlink("sbin/init").endsWith("systemd");
    } catch (StapesException e) {
      return false; // no init, or no link
    }
  }

  private static String subject(Machine.Spec spec) {
    return "instance " + spec.name();
  }

  private final class Attempt {
    private final Machine.Spec spec;
    private final RunFiles files;
    private final Optional<IdMapping> mapping;
    private final Optional<Standby> standby;
    private final boolean systemd;
    private final Optional<BlankShape> shape;
    private Processes.@Nullable Child monitor;

    Attempt(
        Machine.Spec spec,
        RunFiles files,
        Optional<IdMapping> mapping,
        Optional<Standby> standby,
        boolean systemd,
        Optional<BlankShape> shape) {
      this.spec = spec;
      this.files = files;
      this.mapping = mapping;
      this.standby = standby;
      this.systemd = systemd;
      this.shape = shape;
    }

    Started run(Consumer<CpuSet> moved) throws IOException {
      if (standby.isEmpty()) {
        Standby.create(context, files, mapping);
      } else if (!standby.get().mapping().equals(mapping)) {
        Agent.own(context.sys(), files.agent(), mapping);
      }
      CgroupLimits limits = write(moved);
      try (Fd ready = Agent.openReady(context.sys(), files.agent())) {
        Processes.Child started =
            standby.isPresent()
                ? standby.get().go()
                : Standby.spawn(context, files, spec.lifetime());
        monitor = started;
        boolean up = Agent.awaitReady(context.sys(), ready, START_MILLIS, started::isAlive);
        Optional<Processes.Handle> init =
            up ? FirstProcess.find(context, files, started) : Optional.empty();
        if (init.isEmpty()) {
          throw new StapesException(
              Kind.INTERNAL,
              subject(spec),
              "start failed: "
                  + (started.isAlive() ? "it does not come up" : "it ended")
                  + ": "
                  + files.errors());
        }
        Optional<Fd> requests =
            Agent.mayComeLate(spec.lifetime())
                ? Optional.of(Agent.openRequests(context.sys(), files.agent()))
                : Optional.empty();
        return new Started(files, init.get(), started, limits, requests, shape);
      }
    }

    /** Writes all that liblxc reads; the configuration last, for it may be waited for. */
    private CgroupLimits write(Consumer<CpuSet> moved) throws IOException {
      Map<String, CharacterDevices.Node> nodes =
          CharacterDevices.create(context.host(), spec, mapping, files);
      Optional<CpuSet> cpus =
          context.cpus().join(spec.id(), LimitReader.cpus(spec.config()), moved);
      CgroupLimits limits = context.limits(spec, cpus);
      RunFiles.write(files.hook(), plan(spec, mapping, files).hookText());
      RunFiles.write(files.seccomp(), ContainerPlan.seccomp(spec.config()).text());
      String config = config(spec, mapping, files, limits, systemd, nodes);
      if (spec.lifetime() != Lifetime.THROWAWAY) {
        runs.assign(spec.id(), files);
      }
      RunFiles.replace(files.config(), config);
      return limits;
    }

    void undo() {
      context.cpus().leave(spec.id());
      boolean interrupted = Thread.interrupted(); // the rest has to be done all the same
      try {
        if (monitor != null) {
          monitor.signal(SIGKILL);
        } else if (standby.isPresent()) {
          standby.get().drop(context);
        }
        Remains.remove(context.host(), context.layout(), files);
        runs.release(spec.id());
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (IOException | RuntimeException e) {
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
  }
}
