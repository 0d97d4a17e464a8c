package dev.stapes.internal.store;

import java.time.InstantSource;

/** A state store in memory, for throwaway instances and tests: closing it forgets everything. */
public final class MemoryStateStore extends LocalStateStore {
  /** An empty one, with a clock that nobody sets. */
  public MemoryStateStore() {
    this(monotonic());
  }

  /** An empty one, whose leases run out by a clock. */
  public MemoryStateStore(InstantSource clock) {
    super("state store in memory", new TreeTable(), clock);
  }
}
