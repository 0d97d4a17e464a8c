package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NowhereTreeTest {
  @Test
  void everything_can_be_written_and_nothing_is_there() throws IOException {
    try (Tree tree = NowhereTree.open()) {
      tree.mkdir("d", 0755);
      try (OutputStream out = tree.create("d/f", 0644)) {
        out.write(new byte[10]);
      }
      tree.chmod("d/f", 0600);
      assertEquals(Optional.empty(), tree.stat("d/f"));
      assertThrows(IllegalStateException.class, () -> tree.list("d"));
    }
  }
}
