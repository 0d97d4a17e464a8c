package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is said of an instance in which nobody can be asked. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineGuestTest {
  private static void refused(Kind kind, Instance box) {
    StapesException e = assertThrows(StapesException.class, box::guest);
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(String.valueOf(e.getMessage()).startsWith(e.subject() + ": "), e.toString());
  }

  @Test
  void a_container_has_no_agent() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = world.launch("box");
      refused(Kind.UNSUPPORTED, box);
      box.stop(Stop.FORCE);
      refused(Kind.CONFLICT, box);
      box.delete(Delete.STOPPED);
      refused(Kind.NOT_FOUND, box);
    }
  }
}
