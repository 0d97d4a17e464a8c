package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.lxc.SubordinateIds;
import dev.stapes.lxc.ffi.Liblxc;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

/** The container driver, {@code lxc}: needs liblxc, its programs, busybox and root. */
public final class LxcDriverProvider implements InstanceDriverProvider {
  private static final int THREADS = 4;

  /** For {@link java.util.ServiceLoader}. */
  public LxcDriverProvider() {}

  @Override
  public String name() {
    return "lxc";
  }

  @Override
  public InstanceType type() {
    return InstanceType.CONTAINER;
  }

  @Override
  public Availability probe(Host host) {
    if (!host.facts().root()) {
      return Availability.unavailable("not root", "run the JVM as root");
    }
    if (Liblxc.probe() instanceof Liblxc.Probe.Missing missing) {
      return Availability.unavailable(missing.reason(), missing.remedy());
    }
    for (String program : new String[] {"lxc-start", "lxc-attach"}) {
      if (host.programs().find(program).isEmpty()) {
        return Availability.unavailable(program + " not found", "install the package lxc");
      }
    }
    if (!Files.exists(Path.of("/proc/self/ns/user"))) {
      return Availability.unavailable("no user namespaces", "run a kernel with CONFIG_USER_NS");
    }
    if (CgroupLayout.detect().kind() == CgroupLayout.Kind.NONE) {
      return Availability.unavailable("no cgroups are mounted", "mount them at /sys/fs/cgroup");
    }
    return Busybox.probe(host);
  }

  @Override
  public InstanceDriver open(Host host, Scope scope) {
    probe(host).orThrow("lxc driver");
    makePassable(scope.runDirectory());
    CgroupLayout layout = CgroupLayout.detect();
    IdMaps idMaps;
    try {
      idMaps = new IdMaps(SubordinateIds.of(Path.of("/etc")));
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, "lxc driver", "/etc/subuid: " + e, e);
    }
    AtomicInteger number = new AtomicInteger();
    ScheduledThreadPoolExecutor behind =
        new ScheduledThreadPoolExecutor(
            THREADS,
            task -> {
              Thread thread = new Thread(task, "stapes-lxc-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    behind.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    DriverContext context =
        new DriverContext(
            host,
            scope,
            Syscalls.system(),
            Liblxc.probe().ifFound().orElseThrow(),
            layout,
            new CpuPool(CpuSet.of(host.facts().onlineCpus())),
            Busybox.find(host).orElseThrow(),
            host.programs().find("lxc-start").orElseThrow(),
            host.programs().find("lxc-attach").orElseThrow(),
            behind);
    return new LxcDriver(context, idMaps);
  }

  /**
   * The root of a container is nobody on the host, and has to pass through to what is mounted.
   *
   * @throws StapesException UNAVAILABLE where it cannot
   */
  private static void makePassable(Path runDirectory) {
    try {
      Files.setPosixFilePermissions(runDirectory, PosixFilePermissions.fromString("rwx--x--x"));
      for (Path path = runDirectory; path != null; path = path.getParent()) {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
        if (!permissions.contains(PosixFilePermission.OTHERS_EXECUTE)) {
          throw new StapesException(
              Kind.UNAVAILABLE,
              "lxc driver",
              "containers cannot pass through "
                  + path
                  + " with mode "
                  + PosixFilePermissions.toString(permissions)
                  + ": allow others to pass (chmod o+x), or choose another directory");
        }
      }
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, "lxc driver", runDirectory + ": " + e, e);
    }
  }
}
