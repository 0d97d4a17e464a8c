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
 * @param plan of one of them
 * @param systemd whether the init of its image is systemd
 * @param text says all of it: shapes with the same are the same
 */
record BlankShape(Plan plan, boolean systemd, String text) {
  /** What a shape was taken from. */
  record Plan(Machine.Spec spec, IdMapping mapping) {}

  /** Stands for the files of any container. */
  private static final RunFiles ANY = new RunFiles("any", Path.of("/any"), Path.of("/any"));

  /** The shape of an instance; empty where it has more of its own than can be given later. */
  static Optional<BlankShape> of(
      DriverContext context, Machine.Spec spec, Optional<IdMapping> mapping, boolean systemd) {
    boolean plain =
        mapping.isPresent()
            && spec.devices().values().stream()
                .allMatch(device -> device instanceof Device.Disk disk && disk.isRoot())
            && spec.config().get(LxcKeys.RAW_LXC).isEmpty()
            && spec.config().family(ContainerPlan.ENVIRONMENT).keySet().stream()
                .allMatch(ExecRequest::isPlain);
    if (!plain) {
      return Optional.empty();
    }
    BlankShape untold = new BlankShape(new Plan(spec, mapping.get()), systemd, "");
    return Optional.of(
        new BlankShape(
            untold.plan(),
            systemd,
            untold.config(context, ANY) + untold.seccomp() + untold.hook(context, ANY)));
  }

  private ContainerPlan plan(DriverContext context, RunFiles files) {
    return new ContainerPlan(
        plan.spec(),
        Optional.of(plan.mapping()),
        files.inNamespace(),
        context.busybox(),
        context.host().mounts()::local);
  }

  /** The configuration of such a container. */
  String config(DriverContext context, RunFiles files) {
    CgroupLimits devices =
        ContainerPlan.withDevices(
            CgroupLimits.builder().build(), ContainerPlan.deviceRules(Map.of()));
    return plan(context, files).blank(context.layout(), devices, systemd).text();
  }

  /** Its rules for system calls. */
  String seccomp() {
    return ContainerPlan.seccomp(plan.spec().config()).text();
  }

  /** What its monitor runs at the end. */
  String hook(DriverContext context, RunFiles files) {
    return plan(context, files).hookText();
  }

  /** Whether a container of that shape can become one of this. */
  boolean isSame(BlankShape other) {
    return text.equals(other.text);
  }
}
