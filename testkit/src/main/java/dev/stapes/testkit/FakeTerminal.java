package dev.stapes.testkit;

import dev.stapes.model.ExecSpec.TerminalSize;
import java.util.Optional;

/** The terminal of a fake program, or none. */
final class FakeTerminal {
  private volatile Optional<TerminalSize> size;

  FakeTerminal(Optional<TerminalSize> size) {
    this.size = size;
  }

  Optional<TerminalSize> size() {
    return size;
  }

  void resize(TerminalSize changed) {
    size = size.map(before -> changed);
  }
}
