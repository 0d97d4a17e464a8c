package dev.stapes.linux.cgroup;

/** The kinds of limit that a group can have. */
public enum Limit {
  /** The CPUs it may run on. */
  CPUS(Controller.CPUSET),
  /** The memory nodes it may allocate from. */
  MEMORY_NODES(Controller.CPUSET),
  /** Its share of CPU time under load. */
  CPU_SHARE(Controller.CPU),
  /** Its hard quota of CPU time. */
  CPU_QUOTA(Controller.CPU),
  /** Memory it never gets more of. */
  MEMORY_HARD(Controller.MEMORY),
  /** Memory it is pressed back to when memory is short. */
  MEMORY_SOFT(Controller.MEMORY),
  /** Swap. */
  SWAP(Controller.MEMORY),
  /** How readily its memory is swapped out; cgroup v1 alone has it. */
  SWAPPINESS(Controller.MEMORY),
  /** Number of processes and threads. */
  PROCESSES(Controller.PIDS),
  /** Its share of block I/O under load. */
  IO_WEIGHT(Controller.IO),
  /** Hard limits of bytes and operations a second for a device. */
  IO_THROTTLE(Controller.IO),
  /** Bytes of huge pages, by page size. */
  HUGE_PAGES(Controller.HUGETLB),
  /** The device nodes it may use. */
  DEVICES(Controller.DEVICES);

  private final Controller controller;

  Limit(Controller controller) {
    this.controller = controller;
  }

  /** Returns the controller that enforces it. */
  public Controller controller() {
    return controller;
  }
}
