package dev.stapes.lxc.driver;

import dev.stapes.model.Config;
import dev.stapes.model.ExecSpec;
import java.util.TreeMap;

/** The variables of programs. */
final class ExecEnvironment {
  private ExecEnvironment() {}

  /** The same program with the variables of its instance, where it has none of those names. */
  static ExecSpec of(Config config, ExecSpec exec) {
    TreeMap<String, String> environment = new TreeMap<>(config.family(ContainerPlan.ENVIRONMENT));
    environment.putAll(exec.environment());
    return new ExecSpec(
        exec.command(),
        environment,
        exec.directory(),
        exec.user(),
        exec.group(),
        exec.terminal(),
        exec.timeout());
  }
}
