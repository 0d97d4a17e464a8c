package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.cgroup.Cgroup;
import dev.stapes.model.IdMapping;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/**
 * A container that has been started with an empty root directory, before it is known of which
 * instance it will be. Its agent is there; its first process waits for a word, and ends when this
 * JVM does before that. What it gets then is another root directory, see {@link Mounts#changeRoot}:
 * that takes a tenth of the time of a start.
 */
final class Blank implements AutoCloseable {
  /** Mount points of the empty root, and where the root of an instance is attached. */
  private static final List<String> DIRECTORIES =
      List.of("dev", "proc", "sys", dev.stapes.linux.RootChange.PLACE);

  private static final List<String> CARRIED = List.of("dev", "proc", "sys");
  private static final long BOOT_MILLIS = 30_000;

  private final DriverContext context;
  private final RunFiles files;
  private final BlankShape shape;
  private final Processes.Child monitor;
  private final Processes.Handle init;
  private final Fd go;
  private final Fd ready;

  private Blank(
      DriverContext context,
      RunFiles files,
      BlankShape shape,
      Processes.Child monitor,
      Processes.Handle init,
      Fd go,
      Fd ready) {
    this.context = context;
    this.files = files;
    this.shape = shape;
    this.monitor = monitor;
    this.init = init;
    this.go = go;
    this.ready = ready;
  }

  /** Boots a container that stands by. Where it fails it is the caller's to drop that. */
  static Blank boot(DriverContext context, Standby standby, BlankShape shape) throws IOException {
    RunFiles files = standby.files();
    makeRoot(files.blank());
    ConsoleFiles.create(files);
    BlankShape.Texts texts = shape.texts(context, files);
    RunFiles.write(files.hook(), texts.hook());
    RunFiles.write(files.seccomp(), texts.seccomp());
    if (Application.isOne(shape.spec().config())) {
      Application.prepare(files);
    }
    RunFiles.replace(files.config(), texts.config());
    Fd go = AgentDirectory.openGo(context.sys(), files.agent());
    Fd ready = null;
    try {
      ready = AgentDirectory.openReady(context.sys(), files.agent());
      Processes.Child monitor = standby.go();
      Optional<Processes.Handle> init =
          FirstProcess.await(context, files, monitor, ready, BOOT_MILLIS);
      if (init.isEmpty()) {
        throw new IOException("does not come up: " + files.errors());
      }
      AgentDirectory.forgetReady(context.sys(), ready);
      return new Blank(context, files, shape, monitor, init.get(), go, ready);
    } catch (IOException | RuntimeException e) {
      go.close();
      if (ready != null) {
        ready.close();
      }
      throw e;
    }
  }

  private static void makeRoot(Path root) throws IOException {
    Files.createDirectory(root);
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String name : DIRECTORIES) {
      Path directory = Files.createDirectory(root.resolve(name));
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  /** For which instances it can be. */
  BlankShape shape() {
    return shape;
  }

  /** Where its processes are. */
  Cgroup payload() {
    return context.payload(files);
  }

  /** Its first process. */
  Processes.Handle init() {
    return init;
  }

  /** Its monitor. */
  Processes.Child monitor() {
    return monitor;
  }

  /** Gives it the root directory of an instance, and its name. */
  void fill(Machine.Spec spec, Optional<IdMapping> mapping) {
    Optional<IdMapping> toMap = spec.root().mapped().isPresent() ? Optional.empty() : mapping;
    context
        .host()
        .mounts()
        .changeRoot(
            new Mounts.RootChange(init.pid(), spec.root().path(), toMap, CARRIED, spec.name()));
  }

  /**
   * Lets its first process go on as that of the instance.
   *
   * @return whether it does
   */
  boolean go(Machine.Spec spec, Optional<IdMapping> mapping, long millis) {
    AgentDirectory.go(
        context.sys(), files.agent(), mapping, go, spec.config().family(ContainerPlan.ENVIRONMENT));
    boolean goes = AgentDirectory.awaitReady(context.sys(), ready, millis, monitor::isAlive);
    go.close();
    ready.close();
    return goes;
  }

  /** Lets go of what it holds; the container ends of that where it still waits. */
  @Override
  public void close() {
    go.close();
    ready.close();
    init.close();
  }
}
