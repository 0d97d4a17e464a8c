package dev.stapes.spi;

import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Runs instances of one type. It knows nothing of names, volumes, images or snapshots: it gets a
 * root and a config, and gives back a {@link Machine}. The engine never calls two methods for the
 * same instance at once; for different instances it does.
 */
public interface InstanceDriver extends AutoCloseable {
  /** The config keys that it understands beyond the common ones. */
  List<ConfigKey<?>> configKeys();

  /**
   * Checks what it is going to be started with, without touching the machine.
   *
   * @throws dev.stapes.model.StapesException INVALID or UNSUPPORTED, quoting the value
   */
  void validate(Machine.Spec spec);

  /**
   * Chooses what must differ between instances (id ranges, addresses), as {@code volatile.*} keys
   * that the engine keeps in the config. Called with nobody else allocating.
   *
   * @param config of the instance, with what was allocated before
   * @param others configs of all other instances of this type
   * @return keys to add; an empty value removes one
   */
  Map<String, String> allocate(Config config, Collection<Config> others);

  /**
   * The same for who chooses for devices, too.
   *
   * @param spec of the instance, with what was allocated before and nothing attached
   */
  default Map<String, String> allocate(Machine.Spec spec, Collection<Config> others) {
    return allocate(spec.config(), others);
  }

  /**
   * The id map of an instance; empty where its root disk is used with the ids that it has on disk.
   *
   * @param config with what was allocated
   */
  Optional<IdMapping> idMapping(Config config);

  /**
   * Whether its instances find cgroups of a version, where an image asks for one.
   *
   * @param version 1 or 2
   */
  default boolean hasCgroups(int version) {
    return true;
  }

  /** Saves the memory of its machines, where it can. */
  default Optional<MemoryStates> memoryStates() {
    return Optional.empty();
  }

  /** Moves its running machines to another driver of its kind, where it can. */
  default Optional<Migrations> migrations() {
    return Optional.empty();
  }

  /**
   * Whether a running machine can take a change of one of its devices; limits of disks can change
   * in any case.
   *
   * @param before empty: it is new
   * @param after empty: it goes
   */
  default boolean changesLive(Optional<Device> before, Optional<Device> after) {
    return false;
  }

  /**
   * Starts an instance and returns when it can execute programs.
   *
   * @throws dev.stapes.model.StapesException with the driver's log in the message; nothing is left
   */
  Machine start(Machine.Spec spec);

  /**
   * Takes hold of an instance that runs, started by this JVM or another one before it.
   *
   * @return empty where it does not run, or does so beyond control; what is left of its last run is
   *     ended and removed then
   */
  Optional<Machine> adopt(Machine.Spec spec);

  /**
   * Ends and removes everything of this scope that does not belong to the given instances, whatever
   * state a crash left it in. Does nothing where there is nothing.
   */
  void collect(Set<InstanceId> keep);

  /** Ends throwaway machines, lets go of the others. Idempotent. */
  @Override
  void close();
}
