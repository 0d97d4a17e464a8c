package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.InstanceId;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * The log of a console: what an instance has written to it over all its starts, and, where it is
 * there for an application, to standard output and standard error. It is kept until the instance is
 * deleted, whether or not it runs and whatever becomes of the JVM; that of a throwaway instance
 * goes with it. Lines end as a terminal shows them, with CR and LF.
 *
 * <p>It is limited: when a MiB has been written (or what {@code lxc.console.size} in {@code
 * raw.lxc} says) that is put aside in place of the one before, so that at least the last MiB of a
 * run is kept and at most two. A start may take away what was before the last 64 KiB. Up to a KiB
 * may be wrong at the seam. What cannot be written because the disk is full is missing, and so may
 * be the last words before a stop by force.
 *
 * <p>That of a virtual machine is put aside by the Stapes that has it, once a second: it grows
 * while nobody has the root directory open, and what is written at the seam may be missing.
 */
public final class ConsoleLog {
  private final Engine engine;
  private final InstanceId id;

  ConsoleLog(Engine engine, InstanceId id) {
    this.engine = engine;
    this.id = id;
  }

  /**
   * What is kept, as UTF-8: at most the last 16 MiB. Empty where nothing was written.
   *
   * @throws dev.stapes.model.StapesException NOT_FOUND where the instance was deleted
   */
  public String text() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }

  /** The same as it was written. */
  public byte[] bytes() {
    return engine.logs().read(id);
  }

  /**
   * What is kept, then what comes, until this run of the instance ends; of one that does not run,
   * what is kept. Any number may follow it. Who reads slower than the instance writes misses what
   * is not kept any more.
   *
   * <p>A read waits, and is interruptible. The caller closes the answer: a read that waits fails
   * then. The close of the Stapes closes it, too.
   *
   * @throws dev.stapes.model.StapesException NOT_FOUND where the instance was deleted
   */
  public InputStream follow() {
    return engine.logs().follow(id);
  }
}
