package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.guest.GuestFsfreezeFreeze;
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

  GuestFileSystems(GuestAgent agent) {
    this.agent = agent;
  }

  @Override
  public void freeze() {
    try {
      agent.call(GuestFsfreezeFreeze.of(), PATIENCE);
    } catch (StapesException e) {
      takeBack(e);
      throw e;
    }
  }

  /** It may have frozen some, or still do so, and an interrupted thread can ask for nothing. */
  private void takeBack(StapesException e) {
    try {
      Uninterrupted.run(() -> agent.call(GuestFsfreezeThaw.of(), PATIENCE));
    } catch (StapesException next) {
      e.addSuppressed(next);
    }
  }

  @Override
  public void thaw() {
    Uninterrupted.run(() -> thaw(ATTEMPTS));
  }

  /** An agent that has gone and come back knows what it had frozen. */
  private void thaw(int attempts) {
    try {
      agent.call(GuestFsfreezeThaw.of(), PATIENCE);
    } catch (StapesException e) {
      if (attempts <= 1 || e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.info("file systems of a guest are not thawed yet: {}", e.getMessage());
      thaw(attempts - 1);
    }
  }
}
