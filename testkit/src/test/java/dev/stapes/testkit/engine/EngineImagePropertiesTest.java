package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageFilter;
import dev.stapes.Images;
import dev.stapes.model.Event;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Properties of images that are changed, and images that are looked for by them. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineImagePropertiesTest {
  private static void refused(Kind kind, Executable call) {
    StapesException e = assertThrows(StapesException.class, call);
    assertEquals(kind, e.kind(), e.toString());
  }

  private static Map<String, String> properties(EngineWorld world) {
    return world.stapes().images().get(EngineWorld.IMAGE).metadata().properties();
  }

  @Test
  void a_property_is_set_changed_and_taken_away_for_good() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      ImageInfo image = images.setProperty(EngineWorld.IMAGE, "description", "A = \u00e9 \t b");
      assertEquals(
          Map.of("os", "x", "description", "A = \u00e9 \t b"), image.metadata().properties());
      images.setProperty(EngineWorld.IMAGE, "os", "y");
      assertEquals(
          "y",
          world.launch("web").info().config().text("image.os").orElseThrow(),
          "what is made of it has it");
      images.unsetProperty(EngineWorld.IMAGE, "description");
      images.unsetProperty(EngineWorld.IMAGE, "nothing");
      world.reopen();
      assertEquals(Map.of("os", "y"), properties(world));
      world.stapes().images().importFrom(SmallImage.of("fresh"), "again");
      assertEquals(Map.of("os", "y"), properties(world), "it was there already");
    }
  }

  @Test
  void what_is_no_property_is_refused_and_changes_nothing() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      for (String key : List.of("", "a b", "a=b", "a\n", "x".repeat(256))) {
        refused(Kind.INVALID, () -> images.setProperty(EngineWorld.IMAGE, key, "value"));
      }
      for (String value : List.of("\0", "a\nb", "x".repeat(65_537))) {
        refused(Kind.INVALID, () -> images.setProperty(EngineWorld.IMAGE, "a", value));
      }
      refused(Kind.NOT_FOUND, () -> images.setProperty("none", "a", "b"));
      refused(
          Kind.INVALID,
          () ->
              images.editProperties(
                  EngineWorld.IMAGE,
                  all -> {
                    all.put("good", "one");
                    all.put("bad one", "two");
                  }));
      assertEquals(Map.of("os", "x"), properties(world));
    }
  }

  @Test
  void a_change_is_an_event_and_one_that_changes_nothing_is_none() {
    try (EngineWorld world = EngineWorld.create();
        EventRecorder events = EventRecorder.of(world.stapes())) {
      Images images = world.stapes().images();
      images.setProperty(EngineWorld.IMAGE, "os", "x");
      images.setProperty(EngineWorld.IMAGE, "os", "y");
      images.removeAlias(EngineWorld.IMAGE);
      List<String> happened =
          events
              .await(
                  event ->
                      event instanceof Event.Lifecycle one
                          && one.action().equals("image-alias-deleted"))
              .stream()
              .filter(event -> event instanceof Event.Lifecycle)
              .map(event -> ((Event.Lifecycle) event).action())
              .toList();
      assertEquals(List.of("image-updated", "image-alias-deleted"), happened);
    }
  }

  @Test
  void images_are_listed_by_what_they_are() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      ImageInfo other = images.importFrom(SmallImage.of("other"), "other");
      images.setProperty("other", "os", "Other OS");
      assertEquals(2, images.list().size());
      assertEquals(2, images.list(ImageFilter.all()).size());
      assertEquals(
          List.of(other.fingerprint()),
          images.list(ImageFilter.parse("os=\"other os\" architecture=amd64")).stream()
              .map(ImageInfo::fingerprint)
              .toList());
      assertEquals(List.of(), images.list(ImageFilter.all().os("z")));
      assertTrue(images.list(image -> image.size().bytes() == 0).isEmpty());
    }
  }
}
