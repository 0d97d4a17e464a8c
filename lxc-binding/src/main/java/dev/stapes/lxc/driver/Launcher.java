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
   */
  record Started(
      RunFiles files,
      Processes.Handle init,
      Processes.Child monitor,
      CgroupLimits limits,
      Optional<Fd> requests) {}

  /**
   * Starts a container that has none of an earlier run.
   *
   * @param moved is told of other CPUs, since somebody came or went
   */
  Started launch(Machine.Spec spec, Optional<IdMapping> mapping, Consumer<CpuSet> moved) {
    Optional<Standby> standby = standbys.take(spec.lifetime());
    RunFiles files = standby.map(Standby::files).orElseGet(() -> runs.fresh(spec.lifetime()));
    Attempt attempt = new Attempt(spec, files, mapping, standby);
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
  void prepareNext(Lifetime lifetime, Optional<IdMapping> mapping) {
    standbys.refill(lifetime, mapping);
  }

  private static String subject(Machine.Spec spec) {
    return "instance " + spec.name();
  }

  private final class Attempt {
    private final Machine.Spec spec;
    private final RunFiles files;
    private final Optional<IdMapping> mapping;
    private final Optional<Standby> standby;
    private Processes.@Nullable Child monitor;

    Attempt(
        Machine.Spec spec, RunFiles files, Optional<IdMapping> mapping, Optional<Standby> standby) {
      this.spec = spec;
      this.files = files;
      this.mapping = mapping;
      this.standby = standby;
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
        return new Started(files, init.get(), started, limits, requests);
      }
    }

    /** Writes all that liblxc reads; the configuration last, for it may be waited for. */
    private CgroupLimits write(Consumer<CpuSet> moved) throws IOException {
      Map<String, CharacterDevices.Node> nodes =
          CharacterDevices.create(context.host(), spec, mapping, files);
      Optional<CpuSet> cpus =
          context.cpus().join(spec.id(), LimitReader.cpus(spec.config()), moved);
      CgroupLimits limits = context.limits(spec, cpus);
      CgroupLimits withDevices =
          ContainerPlan.withDevices(limits, ContainerPlan.deviceRules(nodes));
      ContainerPlan plan =
          new ContainerPlan(
              spec,
              mapping,
              files.inNamespace(),
              context.busybox(),
              context.host().mounts()::local);
      RunFiles.write(files.hook(), plan.hookText());
      RunFiles.write(files.seccomp(), ContainerPlan.seccomp(spec.config()).text());
      String config = plan.config(context.layout(), withDevices, isSystemd(), nodes).text();
      if (spec.lifetime() != Lifetime.THROWAWAY) {
        runs.assign(spec.id(), files);
      }
      RunFiles.replace(files.config(), config);
      return limits;
    }

    private boolean isSystemd() {
      Path root = context.host().mounts().local(spec.root().path());
      try (Tree tree = context.host().tree(root, Tree.Resolution.IN_ROOT)) {
        return tree.readlink("sbin/init").endsWith("systemd");
      } catch (StapesException e) {
        return false; // no init, or no link
      }
    }

    void undo() {
      context.cpus().leave(spec.id());
      boolean interrupted = Thread.interrupted(); // the rest has to be done all the same
      try {
        if (monitor != null) {
          monitor.signal(SIGKILL);
        } else if (standby.isPresent()) {
          standby.get().drop();
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
