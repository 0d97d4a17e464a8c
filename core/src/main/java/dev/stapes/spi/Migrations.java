package dev.stapes.spi;

import dev.stapes.model.InstanceId;
import dev.stapes.model.Progress;
import java.nio.file.Path;

/**
 * Moves running machines between two drivers of one kind on one host, with the content of their
 * root disks. Neither machine runs when it is done: who may let which one go on is the caller's
 * decision, and made once.
 */
public interface Migrations {
  /**
   * What a running machine is, for {@link #receive} of the other driver.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where a machine that is started anew would
   *     not have the same devices
   */
  String describe(InstanceId id);

  /**
   * Starts a machine that waits for the disk and the state of another one.
   *
   * @param spec with a root disk of the same size, that is empty
   * @param description of the other one
   * @throws dev.stapes.model.StapesException CONFLICT where it does not fit; no machine is left
   *     then
   */
  Arrival receive(Machine.Spec spec, String description);

  /**
   * Sends a machine; it runs on while its disk goes, and where it can while its memory does, and
   * stands still when this returns. Whatever becomes of this, {@link #takeBack} lets it go on.
   *
   * @param progress told of the stages {@code disk} and {@code memory}, in bytes
   * @throws dev.stapes.model.StapesException INTERRUPTED; UNAVAILABLE where the other machine ends
   *     meanwhile
   */
  void send(InstanceId id, Arrival arrival, Progress progress);

  /** Lets a machine go on as if nobody had sent it. Does nothing where it has ended. */
  void takeBack(InstanceId id);

  /** A machine that waits for what it will be. */
  interface Arrival extends AutoCloseable {
    /** It; killed where it is not wanted any more. */
    Machine machine();

    /** Socket of the host that takes the content of its disk. */
    Path disk();

    /** Socket of the host that takes its memory and devices. */
    Path memory();

    /** All of the disk has come. */
    void diskIsWhole();

    /** Waits until all of it has come; it stands still then, and {@code unfreeze} lets it go. */
    void awaitWhole();

    /** Waits no more; the machine stays. Idempotent. */
    @Override
    void close();
  }
}
