package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class VolumeNamesTest {
  @Test
  void every_volume_has_a_component_that_names_it() {
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      for (String name : Set.of("0", "a.b_c-d", "x".repeat(100), "a..b")) {
        VolumeId id = new VolumeId(kind, name);
        String component = VolumeNames.component(id);
        assertEquals(Optional.of(id), VolumeNames.volume(component));
        assertTrue(DatasetName.isName("tank/" + component), component);
      }
    }
  }

  @Test
  void what_others_called_so_is_no_volume() {
    for (String component :
        Set.of(
            "",
            "instances",
            "instances:",
            "instances:A",
            "instances:a b",
            "autosnap_2026",
            "gone:1",
            "custom:-r",
            "image:a")) {
      assertEquals(Optional.empty(), VolumeNames.volume(component), component);
    }
  }

  @Test
  void what_is_gone_has_a_name_of_its_own_each_time() {
    assertTrue(VolumeNames.isGone(VolumeNames.gone()));
    assertNotEquals(VolumeNames.gone(), VolumeNames.gone());
    assertFalse(VolumeNames.isGone("custom:gone"));
    assertTrue(DatasetName.isName(VolumeNames.gone()));
  }

  @Test
  void what_is_in_progress_is_told_until_it_is_done() {
    VolumeNames names = new VolumeNames();
    String one = names.begin();
    assertEquals(Set.of(one), names.inProgress());
    names.done(one);
    assertEquals(Set.of(), names.inProgress());
  }

  @Test
  void what_came_of_a_stream_is_called_after_its_volume() {
    VolumeId id = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.b");
    String component = VolumeNames.unfinished(id);
    assertEquals("part:snapshots:a.b", component);
    assertEquals(Optional.of(id), VolumeNames.ofUnfinished(component));
    assertEquals(Optional.empty(), VolumeNames.volume(component));
    for (String other : new String[] {"part:a", "part:", "snapshots:a", "gone:1"}) {
      assertEquals(Optional.empty(), VolumeNames.ofUnfinished(other), other);
    }
  }

  @Test
  void what_was_not_begun_needs_no_name() {
    VolumeNames names = new VolumeNames();
    for (Kind kind : Kind.values()) {
      StapesException error = new StapesException(kind, "pool p", "refused");
      assertEquals(error, assertThrows(StapesException.class, () -> fail(names, error)));
      assertEquals(Set.of(), names.inProgress(), kind::toString);
    }
  }

  @Test
  void what_was_given_up_needs_its_name_until_it_ends() throws Exception {
    VolumeNames names = new VolumeNames();
    CountDownLatch go = new CountDownLatch(1);
    OwnThread<Boolean> work =
        OwnThread.begin(
            "pool p",
            "command",
            () -> {
              go.await();
              return true;
            });
    GivenUp error = new GivenUp("pool p", work);
    Set<Set<String>> meanwhile = new HashSet<>();
    error.afterwards(done -> meanwhile.add(names.inProgress()));
    assertEquals(error, assertThrows(GivenUp.class, () -> fail(names, error)));
    Set<String> needed = names.inProgress();
    assertEquals(1, needed.size());
    CountDownLatch told = new CountDownLatch(1);
    error.afterwards(done -> told.countDown());
    go.countDown();
    assertTrue(told.await(60, TimeUnit.SECONDS));
    assertEquals(Set.of(needed), meanwhile, "who came before is told before");
    assertEquals(Set.of(), names.inProgress());
  }

  private static void fail(VolumeNames names, StapesException error) {
    names.during(
        component -> {
          throw error;
        });
  }
}
