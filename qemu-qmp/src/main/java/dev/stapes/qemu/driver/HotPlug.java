package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.DeviceDel;
import dev.stapes.qmp.qemu.DeviceDeletedEvent;
import dev.stapes.qmp.qemu.DeviceUnplugGuestErrorEvent;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** The free slots of a machine, for devices that come and go while it runs. */
final class HotPlug {
  private static final String PERIPHERAL = "/machine/peripheral";
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** QEMU 7.2 never tells of the end of qemu-xhci: something in it keeps the device. */
  private static final Duration BETWEEN = Duration.ofMillis(100);

  /** Of another device it tells a moment after it is gone, and then all that it used is free. */
  private static final Duration MOMENT = Duration.ofSeconds(2);

  private final String subject;
  private final Monitor monitor;
  private final PciSlots slots;

  /** Slots that are taken whether they are free or not, by the ids of devices. */
  private volatile Map<String, String> places = Map.of();

  HotPlug(String subject, Monitor monitor) {
    this.subject = subject;
    this.monitor = monitor;
    this.slots = new PciSlots(subject, monitor);
  }

  /** By which they are used. */
  Monitor monitor() {
    return monitor;
  }

  /** Puts devices into certain slots while something is done. */
  void at(Map<String, String> slotsById, Runnable body) {
    places = Map.copyOf(slotsById);
    try {
      body.run();
    } finally {
      places = Map.of();
    }
  }

  /**
   * Adds a device in a free slot.
   *
   * @throws StapesException EXHAUSTED where none is free
   */
  void add(DeviceAdd.Builder device) {
    add(device, device.build().id().orElse(""));
  }

  /**
   * The same for one that is there for another one's sake.
   *
   * @param id of the other, whose place it takes
   */
  void add(DeviceAdd.Builder device, String id) {
    String place = places.get(id);
    monitor.execute(device.bus(place != null ? place : slots.free()).build());
  }

  /** Whether there is a device of that name. */
  boolean has(String id) {
    return slots.holds(id);
  }

  /**
   * Removes a device, if it is there.
   *
   * @throws StapesException BUSY where the guest refuses; TIMED_OUT where it does not let go of it
   */
  void remove(String id) {
    remove(id, id);
  }

  /**
   * The same for one with another one on it, which goes with it. What is on it tells of the end:
   * QEMU does not tell of that of all controllers, and what is on it must be gone in any case.
   */
  void removeUnder(String id, String on) {
    remove(id, has(on) ? on : id);
  }

  private void remove(String id, String told) {
    if (!has(id)) {
      return;
    }
    try (QmpExpectation<QmpEvent> end =
        monitor
            .client()
            .expect(QmpEvent.class, event -> isDeleted(event, told) || isRefused(event, id))) {
      ask(id);
      if (end(end, id).filter(event -> isRefused(event, id)).isPresent()) {
        throw new StapesException(
            Kind.BUSY, subject, "the guest refuses to let go of its device " + id);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpTimeoutException e) {
      throw new StapesException(
          Kind.TIMED_OUT,
          subject,
          "the guest does not let go of its device " + id + ": it may not have booted",
          e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "device_del", e);
    }
  }

  /** Waits for an event; empty where the device is gone, and QEMU has told nothing of it. */
  private Optional<QmpEvent> end(QmpExpectation<QmpEvent> expected, String id)
      throws InterruptedException, QmpException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean gone = false;
    while (true) {
      try {
        return Optional.of(expected.await(gone ? MOMENT : BETWEEN));
      } catch (QmpTimeoutException e) {
        if (gone) {
          return Optional.empty();
        }
        gone = !has(id);
        if (!gone && System.nanoTime() > deadline) {
          throw e;
        }
      }
    }
  }

  /**
   * Asks for the end of a device that nobody has used, and waits for nothing: a guest that has not
   * booted would not answer.
   */
  void withdraw(String id) {
    try {
      monitor.execute(DeviceDel.of(id));
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      } // else there is none
    }
  }

  /** A guest that was asked before may let go of it yet. */
  private void ask(String id) throws InterruptedException {
    try {
      monitor.client().execute(DeviceDel.of(id));
    } catch (QmpCommandException e) {
      if (!String.valueOf(e.getMessage()).contains("in the process of unplug")) {
        throw e;
      }
    }
  }

  private static boolean isDeleted(QmpEvent event, String id) {
    return event instanceof DeviceDeletedEvent deleted
        && (deleted.device().filter(id::equals).isPresent()
            || deleted.path().equals(PERIPHERAL + "/" + id));
  }

  private static boolean isRefused(QmpEvent event, String id) {
    return event instanceof DeviceUnplugGuestErrorEvent refused
        && (refused.device().filter(id::equals).isPresent()
            || refused.path().equals(PERIPHERAL + "/" + id));
  }
}
