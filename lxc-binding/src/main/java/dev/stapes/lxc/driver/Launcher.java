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
   * What is to be started.
   *
   * @param systemd whether the init of its image is systemd
   * @param moved is told of other CPUs, since somebody came or went
   */
  private record Order(
      Machine.Spec spec, Optional<IdMapping> mapping, boolean systemd, Consumer<CpuSet> moved) {
    String subject() {
      return "instance " + spec.name();
    }
  }

  /**
   * Starts a container that has none of an earlier run.
   *
   * @param moved is told of other CPUs, since somebody came or went
   */
  Started launch(Machine.Spec spec, Optional<IdMapping> mapping, Consumer<CpuSet> moved) {
    Order order = new Order(spec, mapping, isSystemd(spec), moved);
    try {
      return launch(order, BlankShape.of(context, spec, mapping, order.systemd()));
    } catch (IOException e) {
      throw KernelError.of(e, order.subject(), "start failed");
    } catch (LinuxException e) {
      throw KernelError.of(e, order.subject(), "start failed");
    }
  }

  private Started launch(Order order, Optional<BlankShape> shape) throws IOException {
    Optional<Standby> standby = standbys.take(order.spec().lifetime(), shape);
    Optional<Blank> booted = standby.flatMap(Standby::blank);
    if (booted.isPresent()) {
      Optional<Started> filled = fill(order, standby.get(), booted.get());
      if (filled.isPresent()) {
        return filled.get();
      }
      standby = Optional.empty();
    }
    Attempt attempt = new Attempt(order, standby, shape);
    boolean done = false;
    try {
      Started started = attempt.run();
      done = true;
      return started;
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
  private Optional<Started> fill(Order order, Standby standby, Blank blank) throws IOException {
    RunFiles files = standby.files();
    boolean done = false;
    try {
      CgroupLimits limits = context.limits(order.spec(), order.moved());
      if (!prepared(order, blank, limits)) {
        return Optional.empty();
      }
      writeApplication(order, files); // before the log is touched: it may refuse
      if (!keepsLog(order, files)) {
        return Optional.empty();
      }
      configure(order, files, limits, Map.of());
      if (!blank.go(order.spec(), order.mapping(), START_MILLIS)) {
        throw failed(order, "it ended", files);
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
    } finally {
      if (!done) {
        context.cpus().leave(order.spec().id());
        runs.release(order.spec().id());
        standbys.drop(standby);
      }
    }
  }

  /** What an instance has that a start of its own could give it and this cannot, shows here. */
  private boolean prepared(Order order, Blank blank, CgroupLimits limits) {
    try {
      DriverContext.apply(limits, blank.payload(), order.subject());
      blank.fill(order.spec(), order.mapping());
      return true;
    } catch (StapesException e) {
      LOG.info("{} is started anew: {}", order.subject(), e.getMessage());
      return false;
    }
  }

  /** Whether the log of its console will be where it is to be. */
  private boolean keepsLog(Order order, RunFiles files) {
    try {
      if (order.spec().lifetime() != Lifetime.THROWAWAY) {
        ConsoleFiles.adopt(files, log(order));
      }
      return true;
    } catch (IOException e) {
      LOG.info("{} is started anew: its log cannot be kept: {}", order.subject(), e.toString());
      return false;
    }
  }

  private Path log(Order order) {
    return context.scope().consoleLog(order.spec().id());
  }

  /** Writes the configuration, and remembers whose it is where it outlives this JVM. */
  private void configure(
      Order order, RunFiles files, CgroupLimits limits, Map<String, CharacterDevices.Node> nodes)
      throws IOException {
    CgroupLimits withDevices = ContainerPlan.withDevices(limits, ContainerPlan.deviceRules(nodes));
    String text =
        context
            .plan(order.spec(), order.mapping(), files)
            .config(context.layout(), withDevices, order.systemd(), nodes)
            .text();
    if (order.spec().lifetime() != Lifetime.THROWAWAY) {
      runs.assign(order.spec().id(), files);
    }
    RunFiles.replace(files.config(), text);
  }

  private Tree root(Machine.Spec spec) {
    Path root = context.host().mounts().local(spec.root().path());
    return context.host().tree(root, Tree.Resolution.IN_ROOT, spec.root().mapped());
  }

  private boolean isSystemd(Machine.Spec spec) {
    if (Application.isOne(spec.config())) {
      return false;
    }
    try (Tree tree = root(spec)) {
      return tree.readlink("sbin/init").endsWith("systemd");
    } catch (StapesException e) {
      return false; // no init, or no link
    }
  }

  /** Says what to run in place of an init, where the instance is there for that. */
  private void writeApplication(Order order, RunFiles files) {
    if (Application.isOne(order.spec().config())) {
      try (Tree tree = root(order.spec())) {
        Application.of(order.spec(), tree, order.mapping())
            .write(context.sys(), files, order.mapping());
      }
    }
  }

  private static StapesException failed(Order order, String how, RunFiles files) {
    return new StapesException(
        Kind.INTERNAL, order.subject(), "start failed: " + how + ": " + files.errors());
  }

  /** A start from the beginning, or from a container that waits for its configuration. */
  private final class Attempt {
    private final Order order;
    private final RunFiles files;
    private final Optional<Standby> standby;
    private final Optional<BlankShape> shape;
    private Processes.@Nullable Child monitor;

    Attempt(Order order, Optional<Standby> standby, Optional<BlankShape> shape) {
      this.order = order;
      this.files = standby.map(Standby::files).orElseGet(() -> runs.fresh(order.spec().lifetime()));
      this.standby = standby;
      this.shape = shape;
    }

    Started run() throws IOException {
      Lifetime lifetime = order.spec().lifetime();
      if (standby.isEmpty()) {
        Standby.create(context, files, order.mapping());
      } else if (!standby.get().mapping().equals(order.mapping())) {
        AgentDirectory.own(context.sys(), files.agent(), order.mapping());
      }
      CgroupLimits limits = write();
      try (Fd ready = AgentDirectory.openReady(context.sys(), files.agent())) {
        Processes.Child started =
            standby.isPresent() ? standby.get().go() : Standby.spawn(context, files, lifetime);
        monitor = started;
        Processes.Handle init =
            FirstProcess.await(context, files, started, ready, START_MILLIS)
                .orElseThrow(
                    () ->
                        failed(
                            order, started.isAlive() ? "it does not come up" : "it ended", files));
        Optional<Fd> requests =
            AgentDirectory.mayComeLate(lifetime)
                ? Optional.of(AgentDirectory.openRequests(context.sys(), files.agent()))
                : Optional.empty();
        return new Started(files, init, started, limits, requests, shape);
      }
    }

    /** Writes all that liblxc reads; the configuration last, for it may be waited for. */
    private CgroupLimits write() throws IOException {
      Machine.Spec spec = order.spec();
      Map<String, CharacterDevices.Node> nodes =
          CharacterDevices.create(context.host(), spec, order.mapping(), files);
      CgroupLimits limits = context.limits(spec, order.moved());
      if (spec.lifetime() == Lifetime.THROWAWAY) {
        ConsoleFiles.create(files);
      } else {
        ConsoleFiles.keep(files, log(order));
      }
      RunFiles.write(files.hook(), context.plan(spec, order.mapping(), files).hookText());
      RunFiles.write(files.seccomp(), ContainerPlan.seccomp(spec.config()).text());
      if (Application.isOne(spec.config())) {
        Application.prepare(files);
        writeApplication(order, files);
      }
      configure(order, files, limits, nodes);
      return limits;
    }

    void undo() {
      context.cpus().leave(order.spec().id());
      boolean interrupted = Thread.interrupted(); // the rest has to be done all the same
      try {
        if (monitor != null) {
          monitor.signal(SIGKILL);
        } else if (standby.isPresent()) {
          standby.get().drop(context);
        }
        Remains.remove(context.host(), context.layout(), files);
        runs.release(order.spec().id());
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (IOException | RuntimeException e) {
        LOG.warn("{}: something of a failed start is left on the host", order.subject(), e);
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
