package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.Cgroup;
import dev.stapes.linux.cgroup.CgroupException;
import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.linux.cgroup.UnsupportedLimitException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.lxc.ffi.Liblxc;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * What a driver and its machines work with.
 *
 * @param busybox the host's static one
 * @param start the program {@code lxc-start}
 * @param attach the program {@code lxc-attach}
 * @param behind does what nobody waits for
 */
record DriverContext(
    Host host,
    Scope scope,
    Syscalls sys,
    Liblxc library,
    CgroupLayout layout,
    CpuPool cpus,
    Path busybox,
    Path start,
    Path attach,
    ScheduledExecutorService behind) {
  /**
   * What an instance may use. It takes part in the distribution of the CPUs from now on.
   *
   * @param moved is told of other CPUs later, since somebody came or went
   */
  CgroupLimits limits(Machine.Spec spec, Consumer<CpuSet> moved) {
    Optional<CpuSet> on = cpus.join(spec.id(), LimitReader.cpus(spec.config()), moved);
    return LimitReader.read(
        spec.config(), on, host.facts().memory(), DiskDevices.limited(host, spec));
  }

  /** Limits a container. */
  static void apply(CgroupLimits limits, Cgroup payload, String subject) {
    try {
      payload.apply(limits);
    } catch (UnsupportedLimitException e) {
      throw new StapesException(Kind.UNSUPPORTED, subject, String.valueOf(e.getMessage()), e);
    } catch (CgroupException e) {
      throw new StapesException(
          Kind.DENIED, subject, "the kernel refuses a limit: " + e.getMessage(), e);
    }
  }

  /** What its spec means for liblxc, of a container with these files. */
  ContainerPlan plan(Machine.Spec spec, Optional<IdMapping> mapping, RunFiles files) {
    Optional<Path> init =
        Application.isOne(spec.config()) ? Optional.of(Application.init(host)) : Optional.empty();
    return new ContainerPlan(
        spec, mapping, files.inNamespace(), busybox, init, host.mounts()::local);
  }

  /** Where the processes of a container are. */
  Cgroup payload(RunFiles files) {
    return layout.group(Remains.groups(files.name()).get(0));
  }

  /** How one of liblxc's programs is started for a container. */
  Processes.Start program(Path program, RunFiles files, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(program.toString(), "-P", files.lxcPath().toString(), "-n", files.name()));
    command.addAll(List.of(arguments));
    // Without newuidmap on its PATH liblxc writes the id maps itself, 5 ms faster.
    return Processes.Start.of(command, Map.of("PATH", "/nonexistent", "LC_ALL", "C"));
  }
}
