package dev.stapes.qemu.driver;

import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;

/** Programs in a guest, its files among them. */
final class GuestPrograms {
  private final String subject;
  private final GuestAgent agent;
  private final ExecPorts ports;
  private final ExecutorService behind;
  private final BooleanSupplier machineEnds;

  /**
   * Those of a machine.
   *
   * @param behind runs what listens to them
   * @param machineEnds whether the machine ends, and with it all of them
   */
  GuestPrograms(
      String subject,
      GuestAgent agent,
      ExecPorts ports,
      ExecutorService behind,
      BooleanSupplier machineEnds) {
    this.subject = subject;
    this.agent = agent;
    this.ports = ports;
    this.behind = behind;
    this.machineEnds = machineEnds;
  }

  /**
   * Starts one.
   *
   * @param environment of all of them, which its own goes before
   * @param input whether it is given something to read
   */
  Machine.Exec start(ExecSpec exec, Map<String, String> environment, boolean input) {
    TreeMap<String, String> all = new TreeMap<>(environment);
    all.putAll(exec.environment());
    ExecSpec whole =
        new ExecSpec(
            exec.command(),
            all,
            exec.directory(),
            exec.user(),
            exec.group(),
            exec.terminal(),
            exec.timeout());
    try {
      return GuestExec.start(agent, ports, whole, input, behind, machineEnds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (RejectedExecutionException e) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "the driver is closed", e);
    }
  }

  /** The files, by a shell that is started for that. */
  Tree files(Map<String, String> environment) {
    ExecSpec shell =
        ExecSpec.of(GuestShell.command(Tree.Resolution.IN_ROOT).toArray(String[]::new));
    return new GuestTree(GuestShell.of(subject, start(shell, environment, true), behind), "");
  }
}
