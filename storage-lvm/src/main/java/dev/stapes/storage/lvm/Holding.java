package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a stream under way holds of a pool: devices, and a look into the metadata. It ends from
 * elsewhere where the pool is closed: who reads or writes a device then is told so.
 */
final class Holding {
  private static final Logger LOG = LoggerFactory.getLogger(Holding.class);

  private final String subject;
  private final List<FileChannel> devices = new ArrayList<>();
  private @Nullable Runnable interruption;
  private boolean ended;

  /**
   * Nothing yet.
   *
   * @param subject for errors
   */
  Holding(String subject) {
    this.subject = subject;
  }

  /** Opens a device, which stays so until the end at most. */
  synchronized FileChannel open(Path device, OpenOption... how) {
    ensureGoing();
    try {
      FileChannel opened = FileChannel.open(device, how);
      devices.add(opened);
      return opened;
    } catch (IOException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, device + ": cannot be opened: " + e.getMessage(), e);
    }
  }

  /** Does some work, which is interrupted by the end. */
  <T> T interruptible(Runnable how, Supplier<T> work) {
    synchronized (this) {
      ensureGoing();
      interruption = how;
    }
    try {
      return work.get();
    } finally {
      synchronized (this) {
        interruption = null;
      }
    }
  }

  /** UNAVAILABLE after the end. */
  synchronized void ensureGoing() {
    if (ended) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "closed");
    }
  }

  /** Lets go of all; may be called again. */
  synchronized void end() {
    ended = true;
    if (interruption != null) {
      interruption.run();
    }
    for (FileChannel device : devices) {
      try {
        device.close();
      } catch (IOException e) {
        LOG.warn("{}: a device of a stream is not closed", subject, e);
      }
    }
    devices.clear();
  }
}
