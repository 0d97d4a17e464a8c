package dev.stapes.spi;

import dev.stapes.model.InstanceId;
import java.nio.file.Path;

/**
 * Saves memory and devices of machines in files, and lets machines go on from there. What is saved
 * fits the disk as it is at that moment and no other; to keep the two together is the caller's
 * task.
 */
public interface MemoryStates {
  /**
   * Saves those of a machine that stands still. It stands still after that, too, and may go on or
   * be ended. Returns when all of it is on stable storage.
   *
   * @param directory an empty one, in the host's mount namespace
   * @throws dev.stapes.model.StapesException CONFLICT where a machine that is started anew would
   *     not have the same devices; EXHAUSTED where there is no space. The directory may hold parts
   *     of it then
   */
  void save(InstanceId id, Path directory);

  /**
   * Fails where {@link #load} would, as far as that can be known without starting anything: before
   * somebody gives away what is to be replaced by it.
   *
   * @throws dev.stapes.model.StapesException as that does
   */
  void requireFit(Machine.Spec spec, Path directory);

  /**
   * Starts a machine up to where it stood still when it was saved; {@link Machine#unfreeze} lets it
   * go on. It may be another instance than the one that was saved, with a copy of its disk. The
   * files are not needed after that, and do not change.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where its config does not fit what was saved;
   *     INVALID where files are missing or damaged. No machine is left then
   */
  Machine load(Machine.Spec spec, Path directory);

  /**
   * Has the guest of a machine be told that it goes on from what was saved, as soon as it does: one
   * that was adopted, whose JVM has loaded it and died, maybe before the guest was told. Waits for
   * no guest that does not answer. Does nothing where the directory is not there any more.
   */
  void awaken(InstanceId id, Path directory);
}
