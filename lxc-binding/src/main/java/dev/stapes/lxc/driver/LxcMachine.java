package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.cgroup.Cgroup;
import dev.stapes.linux.cgroup.CgroupException;
import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.CgroupUsage;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.linux.cgroup.UnsupportedLimitException;
import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.SharedMachine;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running container. */
final class LxcMachine implements Machine {
  private static final Logger LOG = LoggerFactory.getLogger(LxcMachine.class);
  private static final int SIGKILL = 9;
  private static final String KILLED_BY_US = "killed";

  /** Processes that exist at once while a program is being started. */
  private static final int FORKS_OF_EXEC = 3;

  private static final Duration READY_CHECK = Duration.ofMillis(20);
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final DriverContext context;
  private final RunFiles files;
  private final Optional<IdMapping> mapping;
  private final ContainerAccess access;
  private final HeldProcess init;
  private final HeldProcess monitor;
  private final Instant startedAt;
  private final Cgroup payload;
  private final Agent agent;
  private final Consumer<LxcMachine> gone;
  private final CompletableFuture<Exit> exit = new CompletableFuture<>();
  private final CompletableFuture<Exit> removed = new CompletableFuture<>();
  private final AtomicBoolean preparing = new AtomicBoolean();
  private volatile boolean killed;
  private volatile boolean released;
  private int holders;
  private Spec spec;
  private CgroupLimits limits;

  LxcMachine(
      DriverContext context,
      Spec spec,
      RunFiles files,
      Optional<IdMapping> mapping,
      Processes.Handle init,
      Processes.Handle monitor,
      Instant startedAt,
      CgroupLimits limits,
      Optional<Fd> early,
      Consumer<LxcMachine> gone) {
    this.context = context;
    this.spec = spec;
    this.files = files;
    this.mapping = mapping;
    this.access = new ContainerAccess(context.library(), files);
    this.init = new HeldProcess(init);
    this.monitor = new HeldProcess(monitor);
    this.startedAt = startedAt;
    this.limits = limits;
    this.gone = gone;
    this.payload = context.payload(files);
    this.agent =
        new Agent(
            context.sys(),
            files.agent(),
            mapping,
            early,
            this::reviveAgent,
            this::newTerminal,
            this::isFull);
    this.monitor.exit().thenAccept(this::monitorEnded);
    prepareNextProgram();
  }

  /** Removes what programs of an earlier JVM left. */
  void adopted() {
    agent.forgetOthers();
  }

  @Override
  public InstanceId id() {
    return spec().id();
  }

  private synchronized Spec spec() {
    return spec;
  }

  @Override
  public Optional<IdMapping> idMapping() {
    return mapping;
  }

  Lifetime lifetime() {
    return spec().lifetime();
  }

  /** What liblxc calls it. */
  String container() {
    return files.name();
  }

  boolean isAlive() {
    return init.isAlive();
  }

  @Override
  public long pid() {
    return init.pid();
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
    if (Application.isOne(spec().config())) {
      init.signal(Application.stopSignal(spec().config())); // tini passes it on
      return;
    }
    OptionalInt signal = InitSignals.shutdown(init.pid());
    if (signal.isPresent()) {
      init.signal(signal.getAsInt());
    } else {
      // Its init has not come so far yet; the kernel would drop a signal that it does not expect.
      context.behind().execute(this::shutDownWhenReady);
    }
  }

  private void shutDownWhenReady() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    OptionalInt signal = OptionalInt.empty();
    while (signal.isEmpty() && System.nanoTime() < deadline && !endsWithin(READY_CHECK)) {
      signal = InitSignals.shutdown(init.pid());
    }
    init.signal(signal.orElse(InitSignals.USUAL));
  }

  private boolean endsWithin(Duration time) {
    try {
      init.exit().toCompletableFuture().get(time.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    } catch (ExecutionException e) {
      return true;
    }
  }

  @Override
  public void kill() {
    killed = true;
    signalKill();
    // When a pid namespace's first process has ended the kernel has ended all others.
    awaitEnd(init);
    monitor.signal(SIGKILL);
    awaitEnd(monitor); // it has the root directory open
    exit.complete(new Exit(KILLED_BY_US, false));
  }

  private void signalKill() {
    init.signal(SIGKILL);
    if (payload.isFrozen()) {
      payload.unfreeze(); // the old freezer keeps even the killed
    }
  }

  private void awaitEnd(HeldProcess process) {
    try {
      process.exit().toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject(), "interrupted while it ends", e);
    } catch (TimeoutException e) {
      throw new StapesException(
          Kind.TIMED_OUT, subject(), "process " + process.pid() + " does not end", e);
    } catch (ExecutionException e) {
      throw new StapesException(Kind.INTERNAL, subject(), "cannot tell whether it ended", e);
    }
  }

  @Override
  public void freeze() {
    try {
      payload.freeze(PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject(), "interrupted while it freezes", e);
    } catch (CgroupException e) {
      throw new StapesException(Kind.INTERNAL, subject(), "cannot be frozen: " + e.getMessage(), e);
    }
  }

  @Override
  public void unfreeze() {
    try {
      payload.unfreeze();
    } catch (CgroupException e) {
      throw new StapesException(Kind.INTERNAL, subject(), "cannot be thawed: " + e.getMessage(), e);
    }
  }

  @Override
  public boolean isFrozen() {
    return payload.isFrozen();
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
    if (!init.isAlive()) {
      throw new StapesException(Kind.UNAVAILABLE, subject(), "it has ended");
    }
    try {
      Exec started = agent.start(ExecEnvironment.of(spec().config(), exec), input);
      prepareNextProgram();
      return started;
    } catch (StapesException e) {
      if (init.isAlive() || e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      // Its files are removed while somebody works with them.
      throw new StapesException(Kind.UNAVAILABLE, subject(), "it has ended", e);
    }
  }

  @Override
  public Tree files() {
    Tree tree =
        context
            .host()
            .tree(Path.of("/proc/" + init.pid() + "/root"), Tree.Resolution.IN_ROOT, mapping);
    if (!init.isAlive()) {
      // The number may have become another process's before the directory was opened.
      tree.close();
      throw new StapesException(Kind.UNAVAILABLE, subject(), "it has ended");
    }
    return tree;
  }

  @Override
  public InstanceState state() {
    return LiveState.of(init.pid(), startedAt, isFrozen(), payload.usage());
  }

  @Override
  public Console console() {
    return new LxcConsole(context.sys(), access);
  }

  @Override
  public Path consoleLog() {
    return lifetime() == Lifetime.THROWAWAY ? files.console() : context.scope().consoleLog(id());
  }

  @Override
  public synchronized void update(Spec changed) {
    CgroupLimits wanted = context.limits(changed, this::moveTo);
    DriverContext.apply(wanted.replacing(limits), payload, subject());
    limits = wanted;
    new LiveDisks(context.host(), init, mapping, subject()).change(spec, changed);
    spec = changed;
  }

  @Override
  public synchronized void settle(Spec attempted, Spec wanted) {
    new LiveDisks(context.host(), init, mapping, subject()).settle(attempted, wanted);
    update(LiveDisks.settled(attempted, wanted));
    update(wanted);
  }

  @Override
  public synchronized void attached(Spec reached) {
    spec = reached;
  }

  /** Other CPUs, since somebody came or went, who must not fail of it. */
  void moveTo(CpuSet cpus) {
    try {
      payload.apply(CgroupLimits.builder().cpus(cpus).build());
    } catch (CgroupException | UnsupportedLimitException e) {
      if (payload.exists()) {
        LOG.warn("{}: cannot move it to the CPUs {}", files.name(), cpus, e);
      } // or it is about to end
    }
  }

  /** For somebody more who has it. */
  Machine share() {
    synchronized (this) {
      holders++;
    }
    return new SharedMachine(this, this::letGo);
  }

  /** Somebody less has it. */
  private void letGo() {
    synchronized (this) {
      holders--;
      if (holders > 0) {
        return;
      }
    }
    close();
  }

  @Override
  public void close() {
    if (killed || !init.isAlive()) {
      return; // being removed behind, whoever still looks at it; that lets go of it
    }
    released = true;
    agent.close();
    gone.accept(this);
    init.close();
    monitor.close();
  }

  private void monitorEnded(int code) {
    if (released) {
      return;
    }
    try {
      context.behind().execute(() -> finish(code));
    } catch (RejectedExecutionException e) {
      // The driver is closed: whoever opens the scope next collects what is left.
      Exit end = new Exit("the driver was closed", false);
      exit.complete(end);
      removed.complete(end);
    }
  }

  /** Says that it has ended once no process is left, then removes the rest behind. */
  private void finish(int code) {
    boolean reboot = Files.exists(files.reboot());
    Exit end = end(code, reboot);
    try {
      signalKill(); // a monitor that was killed leaves its container as it was
      awaitEnd(init);
      exit.complete(end);
      Remains.remove(context.host(), context.layout(), files);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.warn("{}: something of it is left on the host", subject(), e);
    } finally {
      agent.close();
      context.cpus().leave(id());
      gone.accept(this);
      exit.complete(end);
      removed.complete(end);
      init.close();
      monitor.close();
    }
  }

  /** Completes when nothing of it is left on the host, after {@link #exit}. */
  CompletionStage<Exit> removed() {
    return removed;
  }

  private Exit end(int code, boolean reboot) {
    if (killed) {
      return new Exit(KILLED_BY_US, false);
    }
    if (reboot) {
      return new Exit("rebooted", true);
    }
    if (code < 0) {
      return new Exit("ended", false);
    }
    if (init.isAlive()) {
      return new Exit("its monitor was killed", false);
    }
    if (code != 0) {
      return new Exit("its monitor ended with exit code " + code, false);
    }
    if (!Application.isOne(spec().config())) {
      return new Exit("shut down", false);
    }
    try {
      int its = files.exitCode();
      return new Exit("its program ended with exit code " + its, false, OptionalInt.of(its));
    } catch (IOException e) {
      return new Exit("its program ended", false);
    }
  }

  /** Once the instance has rested for a moment; many a one is gone by then. */
  private void prepareNextProgram() {
    if (!preparing.compareAndSet(false, true)) {
      return;
    }
    try {
      var unused =
          context
              .behind()
              .schedule(
                  () -> {
                    preparing.set(false);
                    if (init.isAlive()) {
                      agent.prepareNext();
                    }
                  },
                  READY_CHECK.toMillis(),
                  TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed already", e);
    }
  }

  private void reviveAgent() {
    Processes.Start start =
        context.program(
            context.attach(),
            files,
            "--",
            "/" + AgentDirectory.INSIDE + "/busybox",
            "sh",
            "/" + AgentDirectory.INSIDE + "/boot",
            "agent");
    try (HeldProcess attach = new HeldProcess(context.host().processes().start(start))) {
      awaitEnd(attach);
    }
  }

  /** Whether it may start no process more. */
  private boolean isFull() {
    CgroupUsage usage = payload.usage();
    return usage.processLimit().isPresent()
        && usage.processes().orElse(0) + FORKS_OF_EXEC > usage.processLimit().getAsLong();
  }

  private ContainerTerminal newTerminal(long uid, long gid) {
    OptionalInt devpts;
    try (ContainerCalls calls = access.calls()) {
      devpts = calls.devptsFd();
    }
    if (devpts.isEmpty()) {
      throw new StapesException(Kind.UNAVAILABLE, subject(), "it has no terminals");
    }
    try (Fd fd = Fd.adopt(context.sys(), devpts.getAsInt(), "devpts")) {
      return ContainerTerminal.open(context.sys(), fd, uid, gid);
    }
  }

  private String subject() {
    return "instance " + spec().name();
  }
}
