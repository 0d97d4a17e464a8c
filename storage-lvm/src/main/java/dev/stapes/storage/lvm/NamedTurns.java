package dev.stapes.storage.lvm;

import java.util.HashMap;
import java.util.Map;

/** One after the other for each name, and beside all that have another one. */
final class NamedTurns {
  private final Map<String, Turn> turns = new HashMap<>();

  /** Of one name; its monitor is held while somebody works. */
  private static final class Turn {
    /** Guarded by the monitor of all. */
    private int waiting;
  }

  /** Does something that may take its time; the same thread may do it again meanwhile. */
  void take(String name, Runnable work) {
    Turn turn = enter(name);
    try {
      synchronized (turn) {
        work.run();
      }
    } finally {
      leave(name, turn);
    }
  }

  private Turn enter(String name) {
    synchronized (turns) {
      Turn turn = turns.computeIfAbsent(name, of -> new Turn());
      turn.waiting++;
      return turn;
    }
  }

  private void leave(String name, Turn turn) {
    synchronized (turns) {
      turn.waiting--;
      if (turn.waiting == 0) {
        turns.remove(name);
      }
    }
  }
}
