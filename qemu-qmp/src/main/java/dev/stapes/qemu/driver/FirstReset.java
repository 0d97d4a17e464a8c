package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.qemu.ResetEvent;
import dev.stapes.qmp.qemu.SystemReset;
import java.time.Duration;

/**
 * The reset of a machine that has not begun. QEMU writes down at a reset from what the firmware is
 * to boot: what was plugged in after its start is missing until then.
 */
final class FirstReset {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private FirstReset() {}

  /** Resets one whose firmware has to know of more than the root disk. */
  static void whereNeeded(String subject, Monitor monitor, VmPlan plan) {
    if (plan.firmware() instanceof Firmware.Kernel || plan.boot().others().isEmpty()) {
      return;
    }
    try (QmpExpectation<ResetEvent> done =
        monitor.client().expect(ResetEvent.class, event -> true)) {
      monitor.client().execute(SystemReset.of());
      done.await(PATIENCE); // it is done behind the answer
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "system_reset", e);
    }
  }
}
