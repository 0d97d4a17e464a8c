package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLimits;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What containers have in common that can be started before it is known of which instance they will
 * be: all that liblxc reads but their names, root file systems, limits and variables.
 *
 * @param spec of one of them
 * @param mapping of all of them
 * @param systemd whether the init of their images is systemd
 * @param common says all of it: shapes with the same are the same
 */
record BlankShape(Machine.Spec spec, IdMapping mapping, boolean systemd, Texts common) {
  /**
   * What liblxc reads of a container.
   *
   * @param config its configuration
   * @param seccomp its rules for system calls
   * @param hook what its monitor runs at the end
   */
  record Texts(String config, String seccomp, String hook) {}

  /** Stands for the files of any container. */
  private static final RunFiles ANY = new RunFiles("any", Path.of("/any"), Path.of("/any"));

  /** The shape of an instance; empty where it has more of its own than can be given later. */
  static Optional<BlankShape> of(
      DriverContext context, Machine.Spec spec, Optional<IdMapping> mapping, boolean systemd) {
    return isPlain(spec)
        ? mapping.map(
            map -> new BlankShape(spec, map, systemd, texts(context, spec, map, systemd, ANY)))
        : Optional.empty();
  }

  private static boolean isPlain(Machine.Spec spec) {
    return spec.devices().values().stream()
            .allMatch(device -> device instanceof Device.Disk disk && disk.isRoot())
        && spec.config().get(LxcKeys.RAW_LXC).isEmpty()
        && spec.config().family(ContainerPlan.ENVIRONMENT).keySet().stream()
            .allMatch(ExecRequest::isPlain);
  }

  /** What liblxc reads of a container of this shape that has these files. */
  Texts texts(DriverContext context, RunFiles files) {
    return texts(context, spec, mapping, systemd, files);
  }

  private static Texts texts(
      DriverContext context,
      Machine.Spec spec,
      IdMapping mapping,
      boolean systemd,
      RunFiles files) {
    ContainerPlan plan = context.plan(spec, Optional.of(mapping), files);
    CgroupLimits devices =
        ContainerPlan.withDevices(
            CgroupLimits.builder().build(), ContainerPlan.deviceRules(Map.of()));
    return new Texts(
        plan.blank(context.layout(), devices, systemd).text(),
        ContainerPlan.seccomp(spec.config()).text(),
        plan.hookText());
  }

  /** Whether a container of that shape can become one of this. */
  boolean isSame(BlankShape other) {
    return common.equals(other.common);
  }
}
