package dev.stapes.internal.engine;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a machine from changing its root disk while that is copied: its file systems are brought to
 * rest where its guest has an agent, and where the copy takes time its programs stand still.
 */
final class OneMoment {
  private static final Logger LOG = LoggerFactory.getLogger(OneMoment.class);

  private final Catalog catalog;
  private final LateThaws thaws;

  OneMoment(Catalog catalog, LateThaws thaws) {
    this.catalog = catalog;
    this.thaws = thaws;
  }

  /**
   * Runs the copy of the disk of a machine that runs.
   *
   * @param takesTime whether the machine has to stand still for it
   */
  void during(InstanceRecord source, Machine machine, boolean takesTime, Runnable copy) {
    thaws.undisturbed(source.instanceId(), () -> undisturbed(source, machine, takesTime, copy));
  }

  private void undisturbed(
      InstanceRecord source, Machine machine, boolean takesTime, Runnable copy) {
    Optional<Machine.FileSystems> guest = machine.fileSystems();
    if (guest.isEmpty() && !takesTime) {
      copy.run();
      return;
    }
    // A durable one outlives this process, and would stand still for ever.
    String intent =
        guest.isPresent()
            ? IntentNames.atRest(source.instanceId())
            : IntentNames.copied(source.instanceId());
    boolean durable = !source.isThrowaway();
    if (durable) {
      catalog.change(false).put(intent, Intent.stillnessOf(source)).commit();
    }
    List<StapesException> failures = new ArrayList<>();
    boolean thawed = false;
    boolean known = false;
    try {
      thawed =
          atRest(
              source,
              guest,
              failures,
              () -> failureOf(machine, takesTime, copy).ifPresent(failures::add));
      known = true;
    } finally {
      if (!known && guest.isPresent()) {
        thaws.add(source.instanceId()); // its intent stays: it is thawed once more, maybe
      }
    }
    if (!thawed) {
      if (durable) {
        goes(source, intent);
      }
      thaws.add(source.instanceId());
    } else if (durable) {
      catalog.change(false).removeIntent(intent).commit();
    }
    if (!failures.isEmpty()) {
      throw failures.get(0);
    }
  }

  /** Its processors do, so that the next open does not take it for one that stands still. */
  private void goes(InstanceRecord source, String intent) {
    try {
      catalog.change(false).put(intent, Intent.stillnessOf(source).going()).commit();
    } catch (StapesException e) {
      LOG.warn(
          "{}: the next open may let it go on once more: {}", source.subject(), e.getMessage());
    }
  }

  /** What went wrong with the copy; the machine goes on whatever did. */
  private static Optional<StapesException> failureOf(
      Machine machine, boolean takesTime, Runnable copy) {
    try {
      if (takesTime) {
        machine.freeze();
      }
      copy.run();
      return Optional.empty();
    } catch (StapesException e) {
      return Optional.of(e);
    } finally {
      if (takesTime) {
        goOn(machine);
      }
    }
  }

  /** Also on a thread that was interrupted, or is meanwhile. */
  static void goOn(Machine machine) {
    boolean interrupted = Thread.interrupted();
    boolean done = false;
    try {
      while (!done) {
        try {
          machine.unfreeze();
          done = true;
        } catch (StapesException e) {
          if (e.kind() != StapesException.Kind.INTERRUPTED) {
            throw e;
          }
          interrupted |= Thread.interrupted(); // one that goes already is no error
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Runs something while the file systems of a guest are at rest, or not where they do not come to
   * it.
   *
   * @param failures where it is told that somebody interrupted, and nothing was run
   * @return false where those of one that was asked may still be: the copy is good all the same,
   *     and the intent stays
   */
  private boolean atRest(
      InstanceRecord source,
      Optional<Machine.FileSystems> guest,
      List<StapesException> failures,
      Runnable body) {
    if (guest.isEmpty()) {
      body.run();
      return true;
    }
    Optional<StapesException> refusal = freeze(source, guest.get());
    boolean restless =
        refusal.filter(e -> e.kind() == StapesException.Kind.UNAVAILABLE).isPresent();
    boolean thawed = false;
    try {
      if (refusal.filter(e -> e.kind() == StapesException.Kind.INTERRUPTED).isPresent()) {
        failures.add(refusal.get());
      } else {
        body.run();
      }
    } finally {
      thawed = restless ? !thaws.isLate(source.instanceId()) : thaw(source, guest.get());
    }
    return thawed;
  }

  private static boolean thaw(InstanceRecord source, Machine.FileSystems guest) {
    try {
      guest.thaw();
      return true;
    } catch (StapesException e) {
      LOG.error("{}: its file systems stay at rest: {}", source.subject(), e.getMessage());
      return false;
    }
  }

  /** Why they are not at rest, or maybe. */
  private static Optional<StapesException> freeze(
      InstanceRecord source, Machine.FileSystems guest) {
    try {
      guest.freeze();
      return Optional.empty();
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.INTERRUPTED) {
        LOG.info(
            "{} is copied as if its power had failed: its file systems do not come to rest: {}",
            source.subject(),
            e.getMessage());
      }
      return Optional.of(e);
    }
  }
}
