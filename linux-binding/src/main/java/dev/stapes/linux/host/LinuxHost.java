package dev.stapes.linux.host;

import dev.stapes.linux.Kernel;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** The machine that the JVM runs on. */
final class LinuxHost implements Host {
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final Syscalls sys;
  private final Facts facts;
  private final Spawner spawner;
  private final Listeners listeners;
  private final HostPrograms programs;
  private final HostProcesses processes;
  private final HostMounts mounts;
  private final Ticker ticker;
  private final AtomicBoolean closed = new AtomicBoolean();

  private LinuxHost(Syscalls sys, Facts facts, Spawner spawner, String name, boolean ticking) {
    this.sys = sys;
    this.facts = facts;
    this.spawner = spawner;
    this.listeners = new Listeners(name);
    String path = System.getenv("PATH");
    this.programs = new HostPrograms(sys, spawner, path == null ? "" : path);
    this.processes = new HostProcesses(sys, spawner, programs, listeners);
    this.mounts = new HostMounts(sys, spawner, facts.root());
    this.ticker = new Ticker(sys, spawner, name, ticking && facts.root());
  }

  /** Opens it; without root it has no mount namespace of its own. */
  static LinuxHost open(Syscalls sys, boolean ticking) {
    Facts facts = HostFacts.read(new Kernel(sys));
    String name = "stapes-host-" + NUMBERS.incrementAndGet();
    Spawner spawner =
        Failures.translated(
            () ->
                facts.root() ? Spawner.openWithPrivateMounts(sys, name) : Spawner.open(sys, name));
    return new LinuxHost(sys, facts, spawner, name, ticking);
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public Programs programs() {
    ensureOpen();
    return programs;
  }

  @Override
  public Processes processes() {
    ensureOpen();
    return processes;
  }

  @Override
  public Mounts mounts() {
    ensureOpen();
    return mounts;
  }

  @Override
  public Tree tree(Path directory, Tree.Resolution resolution, Optional<IdMapping> mapping) {
    ensureOpen();
    return HostTree.open(sys, directory, resolution, mapping);
  }

  @Override
  public Busy busy() {
    ensureOpen();
    return ticker.busy();
  }

  private void ensureOpen() {
    if (closed.get()) {
      throw new StapesException(StapesException.Kind.UNAVAILABLE, "linux host", "it is closed");
    }
  }

  /** Newest first; what one of them fails with does not keep the others open. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try (listeners;
        spawner;
        mounts;
        processes;
        ticker) {
      // All is in the order of the resources above, from the last to the first.
    } catch (LinuxException e) {
      throw Failures.of(e);
    }
  }
}
