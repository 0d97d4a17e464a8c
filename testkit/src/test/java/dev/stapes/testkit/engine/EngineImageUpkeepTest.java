package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageFilter;
import dev.stapes.Images;
import dev.stapes.Instance;
import dev.stapes.model.Event;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.ImageRefreshException;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Images that are made new, and cached ones that go. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineImageUpkeepTest {
  private static final Duration DAY = Duration.ofDays(1);

  private static void refused(Kind kind, Executable call) {
    StapesException e = assertThrows(StapesException.class, call);
    assertEquals(kind, e.kind(), e.toString());
  }

  private static List<String> fingerprints(List<ImageInfo> images) {
    return images.stream().map(ImageInfo::fingerprint).toList();
  }

  @Test
  void a_newer_image_gets_the_aliases_of_the_old_one_and_instances_stay() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      images.addAlias(EngineWorld.IMAGE, "second");
      Instance web = world.launch("web");
      ImageInfo old = images.get(EngineWorld.IMAGE);
      ImageInfo now = images.refresh("second", SmallImage.of("newer"));
      assertEquals(Set.of(EngineWorld.IMAGE, "second"), now.aliases());
      assertEquals(now, images.get("second"));
      assertEquals(Set.of(), images.get(old.fingerprint()).aliases());
      assertEquals("fresh", web.files().readText("/note"));
      assertEquals("newer", world.launch("box").files().readText("/note"));
      ImageInfo known = images.importFrom(SmallImage.of("known"), "known");
      ImageInfo merged = images.refresh("known", SmallImage.of("newer"));
      assertEquals(Set.of(EngineWorld.IMAGE, "second", "known"), merged.aliases());
      assertEquals(Set.of(), images.get(known.fingerprint()).aliases());
      world.reopen();
      assertEquals(merged.aliases(), world.stapes().images().get("known").aliases());
    }
  }

  @Test
  void one_that_is_the_newest_stays_and_a_cached_one_goes_for_a_newer_one() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      ImageInfo old = images.importCached(SmallImage.of("old"), "cached");
      assertTrue(old.cached());
      assertEquals(old, images.refresh("cached", SmallImage.of("old")));
      ImageInfo now = images.refresh("cached", SmallImage.of("new"));
      assertTrue(now.cached());
      assertEquals(Set.of("cached"), now.aliases());
      refused(Kind.NOT_FOUND, () -> images.get(old.fingerprint()));
      assertEquals(2, images.list().size());
    }
  }

  @Test
  void one_that_cannot_be_asked_for_again_says_so_and_is_passed_over() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      refused(Kind.UNSUPPORTED, () -> images.refresh(EngineWorld.IMAGE));
      refused(Kind.NOT_FOUND, () -> images.refresh("none"));
      assertEquals(List.of(), images.refreshAll());
    }
  }

  @Test
  void what_could_be_refreshed_is_told_though_others_failed(@TempDir Path directory)
      throws IOException {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      byte[] newer = fileOf(images, SmallImage.of("newer"), directory.resolve("newer"));
      Set<String> there = ConcurrentHashMap.newKeySet();
      try (FileServer server =
          new FileServer(
              path -> {
                if (path.equals("/gone") && there.remove("gone")) {
                  images.delete("gone");
                }
                return path.equals("/new") || (path.equals("/bad") && !there.contains("bad"))
                    ? Optional.of(newer)
                    : Optional.empty();
              })) {
        ImageInfo bad = images.importFrom(from("bad", server.address("/bad")), "bad");
        images.importFrom(from("old", server.address("/new")), "old");
        images.importFrom(from("gone", server.address("/gone")), "gone");
        there.addAll(Set.of("gone", "bad"));
        ImageRefreshException e =
            assertThrows(ImageRefreshException.class, () -> images.refreshAll());
        assertEquals(Kind.NOT_FOUND, e.kind());
        assertEquals(List.of(images.get("old")), e.refreshed());
        assertEquals(Set.of(bad.fingerprint()), e.failed().keySet());
        assertEquals(List.copyOf(e.failed().values()), List.of(e.getSuppressed()));
        assertTrue(e.toString().contains(bad.fingerprint() + " ("), e.toString());
        refused(Kind.NOT_FOUND, () -> images.get("gone"));
        there.remove("bad");
        assertEquals(fingerprints(images.refreshAll()), List.of(images.get("bad").fingerprint()));
        assertEquals(Set.of("bad", "old"), images.get("bad").aliases());
      }
    }
  }

  private static byte[] fileOf(Images images, ImageSource source, Path target) throws IOException {
    String fingerprint = images.importFrom(source).fingerprint();
    images.export(fingerprint, target);
    images.delete(fingerprint);
    return Files.readAllBytes(target);
  }

  /** An image that says that it came from an address. */
  private static ImageSource from(String text, String address) {
    SmallImage image = SmallImage.of(text);
    return new ImageSource() {
      @Override
      public String describe() {
        return image.describe();
      }

      @Override
      public Fetched fetch(Context context) {
        return image.fetch(context);
      }

      @Override
      public Optional<ImageOrigin> origin() {
        return Optional.of(ImageOrigin.of(ImageOrigin.Protocol.URL, address, "", Map.of()));
      }
    };
  }

  @Test
  void a_refresh_tells_what_it_has_done() {
    try (EngineWorld world = EngineWorld.create();
        EventRecorder events = EventRecorder.of(world.stapes())) {
      Images images = world.stapes().images();
      images.importCached(SmallImage.of("old"), "cached");
      images.refresh("cached", SmallImage.of("new"));
      List<String> happened =
          events
              .await(
                  event ->
                      event instanceof Event.Lifecycle one && one.action().equals("image-deleted"))
              .stream()
              .filter(event -> event instanceof Event.Lifecycle)
              .map(event -> ((Event.Lifecycle) event).action())
              .toList();
      assertEquals(
          List.of(
              "image-created",
              "image-alias-created",
              "image-created",
              "image-alias-updated",
              "image-refreshed",
              "image-deleted"),
          happened);
    }
  }

  @Test
  void every_effect_of_a_refresh_may_fail_and_the_aliases_are_somewhere() throws Exception {
    EngineScenario scenario =
        EngineScenario.of(
            world -> world.launch("web"),
            stapes -> stapes.images().refresh(EngineWorld.IMAGE, SmallImage.of("newer")));
    assertTrue(scenario.forEveryEffect() > 0);
  }

  @Test
  void a_cached_image_goes_when_nothing_was_made_of_it_for_long() {
    HandClock clock = new HandClock();
    try (EngineWorld world = EngineWorld.create(EngineWorld.Setup.usual().clock(clock))) {
      Images images = world.stapes().images();
      images.importCached(SmallImage.of("used"), "used");
      ImageInfo unused = images.importCached(SmallImage.of("unused"), "unused");
      assertEquals(2, images.list(ImageFilter.parse("cached=true")).size());
      clock.advance(DAY.multipliedBy(9));
      assertEquals(List.of(), images.expire());
      world.stapes().instances().launch(InstanceSpec.container("web", "used").build());
      ImageInfo used = images.get("used");
      clock.advance(DAY);
      assertEquals(List.of(unused.fingerprint()), fingerprints(images.expire()));
      world.reopen();
      Images later = world.stapes().images();
      assertEquals(
          used.lastUsedAt().orElseThrow().getEpochSecond(),
          later.get("used").lastUsedAt().orElseThrow().getEpochSecond());
      clock.advance(DAY.multipliedBy(8));
      assertEquals(List.of(), later.expire());
      clock.advance(DAY);
      assertEquals(List.of(used.fingerprint()), fingerprints(later.expire()));
      assertEquals(1, later.list().size(), "what is to stay stays");
      Instance web = world.stapes().instances().get("web");
      assertEquals("used", web.files().readText("/note"));
      refused(Kind.INVALID, () -> later.expire(Duration.ofNanos(-1)));
    }
  }

  @Test
  void a_use_is_written_down_once_a_day_and_not_on_the_first() {
    HandClock clock = new HandClock();
    try (EngineWorld world = EngineWorld.create(EngineWorld.Setup.usual().clock(clock))) {
      assertEquals(Optional.empty(), image(world).lastUsedAt());
      use(world);
      assertTrue(image(world).lastUsedAt().isPresent());
      assertFalse(usesOf(world).contains("image-used/"));
      clock.advance(DAY);
      use(world);
      String written = usesOf(world);
      assertTrue(written.contains("image-used/" + image(world).fingerprint()), written);
      clock.advance(Duration.ofHours(23));
      use(world);
      assertEquals(written, usesOf(world));
      clock.advance(Duration.ofHours(2));
      use(world);
      assertFalse(written.equals(usesOf(world)));
      world.stapes().images().delete(EngineWorld.IMAGE);
      assertEquals("", usesOf(world));
    }
  }

  private static ImageInfo image(EngineWorld world) {
    return world.stapes().images().get(EngineWorld.IMAGE);
  }

  private static void use(EngineWorld world) {
    world
        .stapes()
        .instances()
        .create(EngineWorld.spec("brief").lifetime(Lifetime.THROWAWAY).build())
        .delete();
  }

  private static String usesOf(EngineWorld world) {
    world.stapes().close();
    EnginePicture picture = world.picture();
    world.openAgain();
    return String.join(
        "\n", picture.lines().stream().filter(line -> line.startsWith("image-used/")).toList());
  }

  @Test
  void who_imports_a_cached_image_to_stay_keeps_it() {
    try (EngineWorld world = EngineWorld.create()) {
      Images images = world.stapes().images();
      images.importCached(SmallImage.of("fresh"), "again");
      assertFalse(images.get("again").cached(), "it was to stay before");
      images.importCached(SmallImage.of("cached"), "cached");
      assertFalse(images.importFrom(SmallImage.of("cached")).cached());
      assertEquals(List.of(), images.expire(Duration.ZERO));
    }
  }
}
