package dev.stapes.internal.engine;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Lets machines go on from memory that was saved. Once its processors have run the memory is older
 * than the disk, and must never be loaded again; until then it must not be lost.
 */
final class Resumption {
  /** Of these nobody can say whether its processors have run. */
  private static final Set<Kind> UNKNOWN =
      EnumSet.of(Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.INTERRUPTED);

  private final Catalog catalog;

  Resumption(Catalog catalog) {
    this.catalog = catalog;
  }

  /**
   * Lets one go on. From the commit on its state is none; a crash right after that leaves an intent
   * by which the machine goes on, and its guest is told so. Where the machine refuses to go on, the
   * record names the memory again.
   *
   * @param saved the record that names the memory
   * @param now the record as it is then
   * @param tidy removes the memory; it fails for nothing
   */
  void goOn(InstanceRecord saved, InstanceRecord now, Machine machine, Runnable tidy) {
    boolean durable = !now.isThrowaway();
    String intent = IntentNames.still(now.instanceId());
    Catalog.Change begun = catalog.change(!durable).put(now);
    if (durable) {
      begun.put(intent, Intent.resumptionOf(saved));
    }
    begun.commit();
    try {
      OneMoment.goOn(machine); // it is too late to give up
    } catch (StapesException e) {
      takeBack(saved, durable, intent, e);
      throw e;
    }
    tidy.run();
    if (durable) {
      catalog.change(false).removeIntent(intent).commit();
    }
  }

  /** Of one that may have run the intent stays: who finds it running lets it go on. */
  private void takeBack(
      InstanceRecord saved, boolean durable, String intent, StapesException cause) {
    boolean still = !UNKNOWN.contains(cause.kind());
    Catalog.Change change =
        catalog.change(!durable).put(still ? saved : SavedStates.with(saved, Optional.empty()));
    if (durable && still) {
      change.removeIntent(intent);
    }
    try {
      change.commit();
    } catch (StapesException e) {
      cause.addSuppressed(e);
    }
  }
}
