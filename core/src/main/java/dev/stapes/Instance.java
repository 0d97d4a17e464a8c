package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.Display;
import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.Transport;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * An instance: its verbs. What it is stands in {@link #info()}, what it uses in {@link #state()};
 * both are read when they are called. A handle stays good when the instance is renamed; after it
 * was deleted each method fails with NOT_FOUND.
 *
 * <p>Methods may be called from any thread. Of two that change the same instance the second waits
 * for the first, and is BUSY after 30 seconds. All are interruptible: the interrupted call rolls
 * back and fails with INTERRUPTED.
 */
public final class Instance {
  private final Engine engine;
  private final InstanceId id;

  Instance(Engine engine, InstanceId id) {
    this.engine = engine;
    this.id = id;
  }

  /** Its identity, which never changes. */
  public InstanceId id() {
    return id;
  }

  /** Its name now; a read of the store. */
  public String name() {
    return info().name();
  }

  /** What it is. */
  public InstanceInfo info() {
    return engine.instances().info(id);
  }

  /** What it uses. */
  public InstanceState state() {
    return engine.instances().state(id);
  }

  /**
   * Starts it and returns when it can execute programs. Where {@code snapshots.schedule} has
   * {@code @startup} a snapshot is made before, which goes again where it does not start.
   *
   * @return this
   * @throws StapesException CONFLICT where it runs already; what the driver says where it does not
   *     start, with the end of its log
   */
  public Instance start() {
    return start(Start.NORMAL);
  }

  /**
   * Starts it as told. See {@link #start()}.
   *
   * @return this
   * @throws StapesException CONFLICT where memory was saved that does not fit what its config is
   *     now; INVALID where that is damaged. It stays until it is started {@link Start#STATELESS}
   */
  public Instance start(Start how) {
    engine.schedules().start(id, how == Start.STATELESS);
    return this;
  }

  /** Stops it gracefully within {@code boot.host_shutdown_timeout}. See {@link #stop(Stop)}. */
  public void stop() {
    stop(Stop.GRACEFUL);
  }

  /**
   * Stops it. Stopping one that does not run does nothing. A throwaway or ephemeral instance is
   * deleted then.
   *
   * @throws StapesException TIMED_OUT where it still runs after the time of a graceful stop; it
   *     goes on running; UNSUPPORTED or INVALID where its memory cannot be saved
   */
  public void stop(Stop how) {
    if (how.stateful()) {
      engine.lifecycle().stopWithState(id);
    } else {
      engine.lifecycle().stop(id, how.timeout(), how.force());
    }
  }

  /** Stops it as told, if it runs, and starts it. INVALID with {@link Stop#STATEFUL}. */
  public void restart(Stop how) {
    if (how.stateful()) {
      throw StapesException.invalid("stop", "a restart drops the memory: it cannot be stateful");
    }
    engine.lifecycle().restart(id, how.timeout(), how.force());
  }

  /** Suspends all its programs. CONFLICT where it does not run. */
  public void freeze() {
    engine.lifecycle().freeze(id);
  }

  /** Lets them go on. CONFLICT where it is not frozen. */
  public void unfreeze() {
    engine.lifecycle().unfreeze(id);
  }

  /**
   * Changes config, devices, limits or the description. Live keys (see the reference table) take
   * effect at once; others with the next start.
   *
   * @return what it is now
   * @throws StapesException INVALID; CONFLICT where somebody else changed it meanwhile; BUSY where
   *     a device of a running instance would come or go that cannot, or is in use; NOT_FOUND for a
   *     custom volume that does not exist
   */
  public InstanceInfo update(Consumer<InstanceUpdate> changes) {
    InstanceUpdate update = new InstanceUpdate();
    changes.accept(update);
    return engine.changes().update(id, update.toChange());
  }

  /** Gives it another name; a running one learns its host name at the next start. */
  public void rename(String newName) {
    engine.changes().rename(id, newName);
  }

  /**
   * Makes another instance like this one as it is now; a running source is copied as of one moment.
   * The copy is stopped, has no snapshots, and is as durable as this one. While this one is copied
   * nobody starts, changes or deletes it: who wants to waits. A stopped one is copied by many at
   * once.
   *
   * @throws StapesException CONFLICT where the name is taken; NOT_FOUND where it was deleted, or a
   *     custom volume that it names
   */
  public Instance copyTo(String name) {
    return new Instance(
        engine, engine.instances().copy(id, Optional.empty(), name, false, Progress.NONE));
  }

  /**
   * Moves it, running, to another root directory of this host. It has a new id there, its disk is
   * in the default pool, and it goes on where it was; here it is gone. Programs that were executed
   * from here go on in it, but their streams end.
   *
   * <p>Where it fails, or its thread is interrupted, it runs on here and nothing is left there; if
   * its emulator does not let it, the next open of the root directory does. After a crash in the
   * middle of it there is one of it, here or there, once both root directories were opened.
   *
   * <p>Network interfaces move with their addresses, to another name on the host. What was set at
   * an end on the host does not, but for the bridge that it is in. Files and block devices of the
   * host stay at their paths, where both find them.
   *
   * @param name that it has there
   * @return the one that runs there
   * @throws StapesException CONFLICT where the name is taken, it does not run, stands still, or has
   *     an NVMe disk; UNSUPPORTED where it is a container, or has snapshots or a device that cannot
   *     move: directories, custom volumes, a TPM, devices of the host, an interface whose name on
   *     the host was chosen, or whose end there has addresses without a bridge, or is in another
   *     network namespace or no bridge of Linux; BUSY where others of the host have all that its
   *     driver chooses for it; INVALID where the name cannot be one, it is in that root directory
   *     already, is throwaway or ephemeral, or has no {@code migration.stateful}; UNAVAILABLE or
   *     TIMED_OUT where its disk or its memory does not arrive, INTERRUPTED: it runs on here then
   */
  public Instance migrateTo(Stapes target, String name) {
    return migrateTo(target, name, Progress.NONE);
  }

  /** The same, telling a listener of the stages {@code disk} and {@code memory}. */
  public Instance migrateTo(Stapes target, String name, Progress progress) {
    return migrateTo(target, name, Transport.local(), progress);
  }

  /**
   * The same by another way.
   *
   * @param transport by which it goes
   * @throws StapesException INVALID where the host does not have the address; UNAVAILABLE where no
   *     connection can be made there; UNSUPPORTED where the emulator cannot encrypt; else as {@link
   *     #migrateTo(Stapes, String)}
   */
  public Instance migrateTo(Stapes target, String name, Transport transport, Progress progress) {
    return new Instance(
        target.engine(),
        engine.migrations().migrate(id, target.engine().migrations(), name, transport, progress));
  }

  /**
   * Deletes it with its snapshots.
   *
   * @throws StapesException BUSY where it runs and {@code how} is not {@link Delete#FORCE}; DENIED
   *     where {@code security.protection.delete} is set
   */
  public void delete(Delete how) {
    engine.lifecycle().delete(id, how == Delete.FORCE);
  }

  /** Deletes it, stopped as it must be. See {@link #delete(Delete)}. */
  public void delete() {
    delete(Delete.STOPPED);
  }

  /**
   * Executes a program as root and waits for its end.
   *
   * @return its exit code and output, also where the code is not 0
   * @throws StapesException CONFLICT where the instance does not run
   */
  public ExecResult exec(String... command) {
    return exec(ExecSpec.of(command));
  }

  /**
   * Executes a program and waits for its end, with nothing on its standard input.
   *
   * @throws StapesException TIMED_OUT after the timeout of the spec, when it was killed; EXHAUSTED
   *     where it writes more than 64 MiB, when it was killed too: use {@link #execStreaming}
   */
  public ExecResult exec(ExecSpec spec) {
    return exec(spec, new byte[0]);
  }

  /**
   * The same with something on its standard input. What the program has not read when it ends is
   * dropped, also where programs that it left behind still hold its standard input.
   */
  public ExecResult exec(ExecSpec spec, byte[] input) {
    return engine.exec().run(id, spec, input);
  }

  /** Starts a program and gives its streams. The caller closes the answer. */
  public ExecProcess execStreaming(ExecSpec spec) {
    return new ExecProcess(engine.exec().start(id, spec), spec);
  }

  /**
   * What it says of itself: its operating system, its addresses. It is waited for while it boots.
   * Where no agent answers the addresses are told that the host knows of it, if any.
   *
   * @throws StapesException UNSUPPORTED of containers, which have no agent; CONFLICT where it does
   *     not run; TIMED_OUT or UNAVAILABLE where no qemu-guest-agent answers and the host knows no
   *     address of it; UNAVAILABLE where it stands still
   */
  public GuestInfo guest() {
    return engine.exec().guest(id);
  }

  /** Its files, running or stopped. */
  public InstanceFiles files() {
    return new InstanceFiles(engine, id);
  }

  /** Its console. CONFLICT where it does not run. The caller closes the answer. */
  public Console console() {
    return new Console(engine.exec().console(id), consoleLog());
  }

  /**
   * What it has written to its console: of an application that is its output. It can be read also
   * when it has ended, and by another JVM.
   */
  public ConsoleLog consoleLog() {
    return new ConsoleLog(engine, id);
  }

  /**
   * What its screen shows now, as a PNG file.
   *
   * @throws StapesException UNSUPPORTED where it has no screen: virtual machines have one with
   *     {@code qemu.display}, containers have none; CONFLICT where it does not run; UNAVAILABLE
   *     where it ends meanwhile
   */
  public byte[] screenshot() {
    return engine.exec().screen(id).picture();
  }

  /**
   * Where its screen can be looked at while it runs.
   *
   * @throws StapesException UNSUPPORTED or CONFLICT as {@link #screenshot()}
   */
  public Display display() {
    return engine.exec().screen(id).display();
  }

  /** Its snapshots. */
  public Snapshots snapshots() {
    return new Snapshots(engine, id);
  }

  /**
   * Waits until it has a status.
   *
   * @param limit at most so long; centuries are as good as for ever
   * @throws StapesException TIMED_OUT; NOT_FOUND where it is deleted meanwhile
   */
  public void await(InstanceStatus status, Duration limit) {
    engine.instances().await(id, status, limit);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Instance that && id.equals(that.id) && engine == that.engine;
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public String toString() {
    return "instance " + id;
  }
}
