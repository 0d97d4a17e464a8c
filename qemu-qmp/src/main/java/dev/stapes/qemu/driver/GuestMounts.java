package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mounts directories of the host in a guest, by its agent, as Incus' agent does. */
final class GuestMounts {
  private static final Logger LOG = LoggerFactory.getLogger(GuestMounts.class);
  private static final String SCRIPT = Scripts.read("mount.sh");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LONGEST_COMPLAINT = 500;

  private final String subject;
  private final Boot boot;
  private final Function<ExecSpec, Machine.Exec> exec;

  /** Held while one is mounted, or unmounted and removed. */
  private final ReentrantLock changing = new ReentrantLock();

  /**
   * Of a machine.
   *
   * @param boot waits until its guest has booted
   * @param exec starts a program in it
   */
  GuestMounts(String subject, Boot boot, Function<ExecSpec, Machine.Exec> exec) {
    this.subject = subject;
    this.boot = boot;
    this.exec = exec;
  }

  /** Waits until a guest has booted. */
  interface Boot {
    /** Waits for its agent. */
    void await() throws InterruptedException;
  }

  /**
   * Mounts one at its path; where that fails, the log says so.
   *
   * @param there whether the device is still there
   */
  void mount(String name, Device.Disk disk, BooleanSupplier there) {
    try {
      boot.await(); // nobody else is held up meanwhile
      changing.lockInterruptibly();
      try {
        if (there.getAsBoolean()) {
          run("mount", DiskId.of(name).key(), disk.path(), disk.readOnly() ? "ro" : "rw");
          LOG.debug("{}: device {} is mounted at {}", subject, name, disk.path());
        }
      } finally {
        changing.unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the driver is closed
    } catch (StapesException e) {
      LOG.warn(
          "{}: device {} is not mounted at {} in the guest (mount -t virtiofs {} ...): {}",
          subject,
          name,
          disk.path(),
          DiskId.of(name).key(),
          e.getMessage());
    }
  }

  /**
   * Unmounts one, if it is mounted, and removes its device; nobody mounts it in between.
   *
   * @param booted whether there is an agent that can unmount it
   * @throws StapesException BUSY where programs of the guest use it
   */
  void unmount(String name, Device.Disk disk, boolean booted, Runnable removal) {
    changing.lock();
    try {
      if (booted) {
        run("unmount", DiskId.of(name).key(), disk.path(), "");
      }
      removal.run();
    } finally {
      changing.unlock();
    }
  }

  private void run(String what, String tag, String path, String options) {
    try (Machine.Exec running =
        exec.apply(ExecSpec.of("sh", "-c", SCRIPT, "sh", what, tag, path, options))) {
      OptionalInt code = running.await(PATIENCE);
      if (code.isEmpty()) {
        throw new StapesException(Kind.TIMED_OUT, subject, "the guest does not " + what);
      }
      if (code.getAsInt() != 0) {
        throw new StapesException(
            what.equals("mount") ? Kind.UNAVAILABLE : Kind.BUSY, subject, complaint(running));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (IOException e) {
      throw IoFailure.of(subject, what, e);
    }
  }

  private static String complaint(Machine.Exec running) throws IOException {
    try (InputStream errors = running.stderr()) {
      String text =
          new String(errors.readNBytes(LONGEST_COMPLAINT), StandardCharsets.UTF_8).strip();
      return text.isEmpty() ? "the guest does not say why" : text.replace('\n', ';');
    }
  }
}
