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

/** What an instance without a screen says of it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineScreenTest {
  private static void refused(Kind kind, Instance box) {
    StapesException picture = assertThrows(StapesException.class, box::screenshot);
    assertEquals(kind, picture.kind(), picture.toString());
    StapesException display = assertThrows(StapesException.class, box::display);
    assertEquals(picture.toString(), display.toString());
  }

  @Test
  void a_container_has_no_screen() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = world.launch("box");
      refused(Kind.UNSUPPORTED, box);
      StapesException e = assertThrows(StapesException.class, box::screenshot);
      assertTrue(e.toString().contains("instance box"), e.toString());
      assertTrue(e.toString().contains("qemu.display=vnc"), e.toString());
      box.stop(Stop.FORCE);
      refused(Kind.CONFLICT, box);
      box.delete(Delete.STOPPED);
      refused(Kind.NOT_FOUND, box);
    }
  }
}
