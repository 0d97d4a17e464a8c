package dev.stapes.spi;

import dev.stapes.model.InstanceId;
import dev.stapes.model.Progress;
import dev.stapes.model.Transport;
import java.util.Optional;

/**
 * Moves running machines between two drivers of one kind on one host, with the content of their
 * root disks. Files and block devices of the host that they have stay where they are: the other
 * driver finds them at the same paths; directories of the host do not move. Neither machine runs
 * when it is done: who may let which one go on is the caller's decision, and made once.
 */
public interface Migrations {
  /**
   * What a running machine is, for {@link #receive} of the other driver.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where a machine that is started anew would
   *     not have the same devices, or nobody knows the state of one; UNSUPPORTED, naming the
   *     device, where one cannot move
   */
  String describe(InstanceId id);

  /**
   * Starts a machine that waits for the disk and the state of another one.
   *
   * @param spec with a root disk of the same size, that is empty
   * @param description of the other one
   * @param transport by which they come
   * @throws dev.stapes.model.StapesException CONFLICT where it does not fit; INVALID where the host
   *     does not have the address; UNSUPPORTED where the transport cannot be had; {@link
   *     TakenException} where what was chosen for it is somebody else's; no machine is left then
   */
  Arrival receive(Machine.Spec spec, String description, Transport transport);

  /**
   * Sends a machine; it runs on while its disk goes, and where it can while its memory does, and
   * stands still when this returns. Whatever becomes of this, {@link #takeBack} lets it go on.
   *
   * @param arrival of another driver of this kind
   * @param progress told of the stages {@code disk} and {@code memory}, in bytes
   * @throws dev.stapes.model.StapesException INTERRUPTED; UNAVAILABLE where the other machine ends
   *     meanwhile
   */
  void send(InstanceId id, Arrival arrival, Progress progress);

  /**
   * Lets a machine go on as if nobody had sent it, also where this fails for something that is left
   * of its way. Does nothing where it has ended.
   */
  void takeBack(InstanceId id);

  /** A machine that waits for what it will be. */
  interface Arrival extends AutoCloseable {
    /** It; killed where it is not wanted any more. */
    Machine machine();

    /**
     * What the driver that sends has to know of it.
     *
     * @param type of that driver's
     * @return empty where it is an arrival of another kind of driver
     */
    <T> Optional<T> as(Class<T> type);

    /** All of the disk has come. */
    void diskIsWhole();

    /** Waits until all of it has come; it stands still then, and {@code unfreeze} lets it go. */
    void awaitWhole();

    /** Waits no more; the machine stays. Idempotent. */
    @Override
    void close();
  }
}
