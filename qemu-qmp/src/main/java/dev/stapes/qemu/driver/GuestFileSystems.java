package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.guest.GuestFsfreezeFreeze;
import dev.stapes.qmp.guest.GuestFsfreezeState;
import dev.stapes.qmp.guest.GuestFsfreezeStatus;
import dev.stapes.qmp.guest.GuestFsfreezeThaw;
import dev.stapes.spi.Machine;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The file systems of a guest, which its agent freezes. */
final class GuestFileSystems implements Machine.FileSystems {
  private static final Logger LOG = LoggerFactory.getLogger(GuestFileSystems.class);
  private static final int ATTEMPTS = 3;

  /** What there is to write may be much. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final GuestAgent agent;
  private final Duration toFreeze;
  private final Duration toThaw;

  GuestFileSystems(GuestAgent agent) {
    this(agent, PATIENCE, PATIENCE);
  }

  /**
   * With another patience.
   *
   * @param toFreeze for the answer of an agent that is to freeze them
   * @param toThaw for each answer of one that is to thaw them, or to say how they are
   */
  GuestFileSystems(GuestAgent agent, Duration toFreeze, Duration toThaw) {
    this.agent = agent;
    this.toFreeze = toFreeze;
    this.toThaw = toThaw;
  }

  @Override
  public void freeze() {
    agent.connect(); // who is not reached freezes nothing
    try {
      agent.call(GuestFsfreezeFreeze.of(), toFreeze);
    } catch (StapesException e) {
      boolean none = isRefusal(e) ? !mayBeFrozen(e) : isTakenBack(e);
      throw none ? none(e) : maybe(e);
    }
  }

  private static boolean isRefusal(StapesException e) {
    return e.getCause() instanceof QmpCommandException;
  }

  /** One that fails to freeze them all thaws them itself; one that has frozen them refuses, too. */
  private boolean mayBeFrozen(StapesException refusal) {
    try {
      return agent.call(GuestFsfreezeStatus.of(), toThaw) == GuestFsfreezeState.FROZEN;
    } catch (StapesException e) {
      refusal.addSuppressed(e);
      return !isRefusal(e);
    }
  }

  /**
   * It may have frozen some, or still do so; it answers to this when it has come to its end. Asked
   * once: where it does not answer, whoever wanted them at rest thaws them all the same.
   */
  private boolean isTakenBack(StapesException e) {
    try {
      Uninterrupted.run(() -> thaw(1));
      return true;
    } catch (StapesException next) {
      e.addSuppressed(next);
      return false;
    }
  }

  private static StapesException none(StapesException e) {
    boolean told = e.kind() == Kind.UNAVAILABLE || e.kind() == Kind.INTERRUPTED;
    return told ? e : as(Kind.UNAVAILABLE, "its file systems do not come to rest: ", e);
  }

  private static StapesException maybe(StapesException e) {
    boolean told = e.kind() != Kind.UNAVAILABLE;
    return told ? e : as(Kind.TIMED_OUT, "its file systems may be at rest: ", e);
  }

  private static StapesException as(Kind kind, String words, StapesException e) {
    String why = String.valueOf(e.getMessage()).replace(e.subject() + ": ", "");
    return new StapesException(kind, e.subject(), words + why, e);
  }

  @Override
  public void thaw() {
    Uninterrupted.run(() -> thaw(ATTEMPTS));
  }

  /** An agent that has gone and come back knows what it had frozen. */
  private void thaw(int attempts) {
    try {
      agent.callAnyway(GuestFsfreezeThaw.of(), toThaw);
    } catch (StapesException e) {
      if (attempts <= 1 || e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.info("file systems of a guest are not thawed yet: {}", e.getMessage());
      thaw(attempts - 1);
    }
  }
}
