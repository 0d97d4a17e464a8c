package dev.stapes.spi;

import dev.stapes.model.InstanceType;
import java.nio.file.Path;

/** Opens an instance driver. */
public interface InstanceDriverProvider extends Provider {
  /** What kind of instance it drives. */
  InstanceType type();

  /** Whether it can work on a host. */
  Availability probe(Host host);

  /**
   * Opens it.
   *
   * @param scope where it may keep what running instances need
   */
  InstanceDriver open(Host host, Scope scope);

  /**
   * What belongs to one root directory.
   *
   * @param runDirectory an existing directory of the driver's own, absolute and canonical; it keeps
   *     its content while the machine is up
   * @param tag 4 to 12 lower-case letters and digits that no other root directory of this machine
   *     has, for names that are global to the machine such as cgroups
   */
  record Scope(Path runDirectory, String tag) {}
}
