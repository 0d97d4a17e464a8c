package dev.stapes.linux.cgroup;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The freezer of one group: the one on v1 where it is mounted, which is what liblxc uses and
 * reports, else the one in the core of v2.
 *
 * @param file takes the wish
 * @param v2 whose it is
 */
record GroupFreezer(Path file, boolean v2) {
  private static final Duration ROUND = Duration.ofMillis(200);

  static Optional<GroupFreezer> of(CgroupLayout layout, String name) {
    return layout
        .hierarchy(Controller.FREEZER)
        .map(
            hierarchy ->
                new GroupFreezer(
                    hierarchy
                        .directory(name)
                        .resolve(hierarchy.isV2() ? "cgroup.freeze" : "freezer.state"),
                    hierarchy.isV2()))
        .filter(freezer -> Files.exists(freezer.file));
  }

  boolean isFrozen() {
    if (!v2) {
      return CgroupFiles.readIfThere(file).filter("FROZEN"::equals).isPresent();
    }
    return CgroupFiles.readIfThere(events())
        .filter(text -> text.lines().anyMatch("frozen 1"::equals))
        .isPresent();
  }

  private Path events() {
    return file.resolveSibling("cgroup.events");
  }

  /**
   * The freezer on v1 may stay at FREEZING for ever where it meets a process that is just being
   * made: it is let go and tried again.
   */
  void freeze(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    Duration left = timeout;
    while (!isFrozenWithin(v2 || left.compareTo(ROUND) < 0 ? left : ROUND)) {
      left = Duration.ofNanos(deadline - System.nanoTime());
      if (left.isNegative() || left.isZero()) {
        throw new CgroupException(
            "freeze", file, null, "not all processes stopped within " + timeout, null);
      }
    }
  }

  /** Tries it; lets go again where that takes longer. */
  private boolean isFrozenWithin(Duration time) throws InterruptedException {
    boolean frozen = false;
    CgroupFiles.write(file, v2 ? "1" : "FROZEN");
    try {
      frozen =
          CgroupEvents.await(
              () -> v2 ? Optional.of(events()) : Optional.empty(), this::isFrozen, time);
      return frozen;
    } finally {
      if (!frozen) {
        thaw();
      }
    }
  }

  void thaw() {
    CgroupFiles.write(file, v2 ? "0" : "THAWED");
  }
}
