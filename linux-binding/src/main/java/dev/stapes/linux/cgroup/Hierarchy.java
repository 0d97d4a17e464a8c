package dev.stapes.linux.cgroup;

import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * One mounted cgroup hierarchy.
 *
 * @param version v1 or v2
 * @param mount where it is mounted, below the host root that the layout was detected in
 * @param base the directory that new groups are made in: the group of PID 1 without {@code
 *     init.scope}, as liblxc does
 * @param controllers the controllers on it; none for a named v1 hierarchy and for an empty v2
 * @param name the name of a named v1 hierarchy such as {@code systemd}, else empty
 * @param favorsDynamicChanges whether it is mounted with {@code favordynmods}: moving a process
 *     then never waits for an RCU grace period
 */
public record Hierarchy(
    Version version,
    Path mount,
    Path base,
    Set<Controller> controllers,
    String name,
    boolean favorsDynamicChanges) {

  /** The two generations of the interface. */
  public enum Version {
    /** One hierarchy for each controller or group of controllers. */
    V1,
    /** The unified hierarchy. */
    V2
  }

  /** Copies the set of controllers. */
  public Hierarchy {
    EnumSet<Controller> copy = EnumSet.noneOf(Controller.class);
    copy.addAll(controllers);
    controllers = Collections.unmodifiableSet(copy);
  }

  boolean isV2() {
    return version == Version.V2;
  }

  /** Returns the directory of the group {@code group}, whether it exists or not. */
  public Path directory(String group) {
    return base.resolve(group);
  }
}
