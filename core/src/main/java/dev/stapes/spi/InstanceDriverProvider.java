package dev.stapes.spi;

import dev.stapes.model.InstanceId;
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
   * @param logDirectory an existing directory for what has to be kept of instances that are not
   *     running, see {@link #consoleLog}
   * @param tag 4 to 12 lower-case letters and digits that no other root directory of this machine
   *     has, for names that are global to the machine such as cgroups
   */
  record Scope(Path runDirectory, Path logDirectory, String tag) {
    /** The name of the file in the directory of each instance, see {@link #consoleLog}. */
    public static final String CONSOLE_LOG = "console.log";

    /** That of an instance, below a directory of logs. */
    public static Path consoleLog(Path logDirectory, InstanceId id) {
      return logDirectory.resolve(id.value()).resolve(CONSOLE_LOG);
    }

    /**
     * The file to which a driver appends what an instance writes to its console, over all its
     * starts. When it is full it gets the name {@code console.log.1} in place of the one before,
     * and another is begun. The driver makes the directory with the first start; whoever gave the
     * scope removes it with the instance. Throwaway instances have none.
     */
    public Path consoleLog(InstanceId id) {
      return consoleLog(logDirectory, id);
    }
  }
}
