package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Event;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Images of instances and snapshots. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EnginePublishTest {
  private static final Instant NOON = Instant.parse("2024-05-01T12:00:00Z");

  private static Instance stopped(EngineWorld world, String note) {
    Instance web = world.launch("web");
    web.exec("write", note).orThrow();
    web.stop(Stop.FORCE);
    return web;
  }

  private static String noteOf(Stapes stapes, String image) {
    Instance made = stapes.instances().launch(InstanceSpec.container("made", image).build());
    try {
      return made.files().readText("/note");
    } finally {
      made.delete(Delete.FORCE);
    }
  }

  private static void refused(Kind kind, Executable call) {
    StapesException e = assertThrows(StapesException.class, call);
    assertEquals(kind, e.kind(), e.toString());
  }

  private static EnginePicture settled(EngineWorld world) {
    world.stapes().close();
    EnginePicture picture = world.picture();
    world.openAgain();
    return picture;
  }

  @Test
  void an_instance_that_is_stopped_becomes_an_image_with_its_files_and_its_images_properties() {
    try (EngineWorld world = EngineWorld.create()) {
      Stapes stapes = world.stapes();
      Instance web = stopped(world, "mine");
      ImageInfo image = stapes.images().publish(web, "golden", "best");
      assertEquals(Set.of("golden", "best"), image.aliases());
      assertEquals(Map.of("os", "x"), image.metadata().properties());
      assertEquals("x86_64", image.metadata().architecture());
      assertEquals(NOON, image.metadata().createdAt());
      assertEquals("instance web", image.source());
      assertEquals(image, stapes.images().get("golden"));
      assertEquals("mine", noteOf(stapes, "golden"));
    }
  }

  @Test
  void equal_content_is_an_equal_image() {
    try (EngineWorld world = EngineWorld.create()) {
      Stapes stapes = world.stapes();
      Instance web = stopped(world, "mine");
      ImageInfo first = stapes.images().publish(web, "one");
      ImageInfo second = stapes.images().publish(web, "two");
      assertEquals(first.fingerprint(), second.fingerprint());
      assertEquals(Set.of("one", "two"), second.aliases());
      for (PublishSpec.Compression compression : PublishSpec.Compression.values()) {
        PublishSpec spec =
            PublishSpec.of(web.id()).compression(compression).property("how", "" + compression);
        ImageInfo image = stapes.images().publish(spec);
        assertEquals(image.fingerprint(), stapes.images().publish(spec).fingerprint());
        assertEquals("mine", noteOf(stapes, image.fingerprint()), compression.toString());
      }
      Instance again = stapes.instances().create(InstanceSpec.container("again", "one").build());
      assertEquals(first.fingerprint(), stapes.images().publish(again).fingerprint());
    }
  }

  @Test
  void what_is_asked_for_prevails_over_what_the_image_said() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance web = stopped(world, "mine");
      Instant then = Instant.parse("2020-02-03T04:05:06.789Z");
      ImageInfo image =
          world
              .stapes()
              .images()
              .publish(
                  PublishSpec.of(web.id())
                      .properties(Map.of("os", "mine", "description", "a = b"))
                      .architecture("aarch64")
                      .createdAt(then));
      assertEquals(Map.of("os", "mine", "description", "a = b"), image.metadata().properties());
      assertEquals("aarch64", image.metadata().architecture());
      assertEquals(Instant.parse("2020-02-03T04:05:06Z"), image.metadata().createdAt());
      refused(Kind.INVALID, () -> PublishSpec.of(web.id()).property("a b", "c"));
    }
  }

  @Test
  void one_that_runs_is_refused_but_for_its_snapshots_and_where_it_is_asked_for() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance web = world.launch("web");
      SnapshotInfo fresh = web.snapshots().create("fresh");
      web.exec("write", "now").orThrow();
      EnginePicture before = settled(world);
      Stapes reopened = world.stapes();
      refused(Kind.BUSY, () -> reopened.images().publish(PublishSpec.of(web.id()), "no"));
      assertEquals(before.toString(), settled(world).toString());
      world.stapes().images().publish(fresh, "then");
      world.stapes().images().publish(PublishSpec.of(web.id()).running(), "now");
      assertEquals(InstanceStatus.RUNNING, world.stapes().instances().get("web").info().status());
      assertEquals("fresh", noteOf(world.stapes(), "then"));
      assertEquals("now", noteOf(world.stapes(), "now"));
    }
  }

  @Test
  void a_throwaway_and_an_instance_in_a_pool_that_copies_file_by_file_are_published_too() {
    try (EngineWorld world =
        EngineWorld.create(EngineWorld.Setup.usual().storage(PerFileStorage::of))) {
      Stapes stapes = world.stapes();
      Instance brief =
          stapes.instances().launch(EngineWorld.spec("b").lifetime(Lifetime.THROWAWAY).build());
      brief.exec("write", "brief").orThrow();
      stapes.images().publish(PublishSpec.of(brief.id()).running(), "brief");
      assertEquals("brief", noteOf(stapes, "brief"));
      assertEquals(InstanceStatus.RUNNING, brief.info().status());
      brief.delete(Delete.FORCE);
      stapes.images().publish(stopped(world, "lasting"), "lasting");
      assertEquals("lasting", noteOf(stapes, "lasting"));
    }
  }

  @Test
  void templates_come_along() {
    try (EngineWorld world = EngineWorld.create()) {
      Stapes stapes = world.stapes();
      String rules =
          "templates: {/etc/hostname: {when: [create, copy], template: h, mode: '0640', uid: 7},"
              + " /etc/other: {when: [start], create_only: true, template: h,"
              + " properties: {a: b}}}\n";
      stapes
          .images()
          .importFrom(
              TemplateImage.of(rules, Map.of("templates/h", "{{ container.name }}\n")), "old");
      Instance web = stapes.instances().launch(InstanceSpec.container("web", "old").build());
      web.stop(Stop.FORCE);
      ImageInfo image = stapes.images().publish(web, "new");
      web.delete();
      stapes.images().delete("old");
      Instance box = stapes.instances().launch(InstanceSpec.container("box", "new").build());
      assertEquals("box\n", box.files().readText("/etc/hostname"));
      box.stop(Stop.FORCE);
      ImageInfo again =
          stapes.images().publish(PublishSpec.of(box.id()).createdAt(image.metadata().createdAt()));
      assertEquals(Map.of(), again.metadata().properties());
    }
  }

  @Test
  void what_is_not_there_and_an_alias_that_is_taken_change_nothing() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance web = stopped(world, "mine");
      EnginePicture before = settled(world);
      Stapes stapes = world.stapes();
      refused(
          Kind.NOT_FOUND, () -> stapes.images().publish(PublishSpec.of(web.id()).snapshot("no")));
      refused(
          Kind.CONFLICT,
          () -> stapes.images().publish(PublishSpec.of(web.id()), "new", EngineWorld.IMAGE));
      refused(Kind.INVALID, () -> stapes.images().publish(PublishSpec.of(web.id()), "a b"));
      assertEquals(before.toString(), settled(world).toString());
    }
  }

  @Test
  void one_that_is_cancelled_leaves_nothing() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      Instance web = stopped(world, "mine");
      EnginePicture before = settled(world);
      Stapes stapes = world.stapes();
      refused(
          Kind.INTERRUPTED,
          () ->
              stapes
                  .images()
                  .publish(
                      PublishSpec.of(web.id()),
                      (stage, done, total) -> Thread.currentThread().interrupt(),
                      "never"));
      assertTrue(Thread.interrupted());
      OperationInfo last = stapes.operations().list().get(stapes.operations().list().size() - 1);
      assertEquals("image-create", last.action());
      assertEquals(OperationInfo.Status.CANCELLED, last.status());
      assertEquals(before.toString(), settled(world).toString());
    }
  }

  @Test
  void its_instance_goes_its_way_while_it_is_packed() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance web = stopped(world, "mine");
      Stapes stapes = world.stapes();
      stapes
          .images()
          .publish(
              PublishSpec.of(web.id()),
              (stage, done, total) -> {
                if (stage.equals("pack") && web.info().status() == InstanceStatus.STOPPED) {
                  startBeside(web);
                }
              },
              "image");
      assertEquals(InstanceStatus.RUNNING, web.info().status());
      assertEquals("mine", noteOf(stapes, "image"));
    }
  }

  private static void startBeside(Instance web) {
    try {
      OtherThread.begin(web::start).join();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void it_is_one_operation_with_the_events_of_an_import() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance web = stopped(world, "mine");
      try (EventRecorder events = EventRecorder.of(world.stapes())) {
        world.stapes().images().publish(web, "golden");
        long created =
            events
                .await(
                    event ->
                        event instanceof Event.Operation operation
                            && operation.operation().status() == OperationInfo.Status.SUCCESS)
                .stream()
                .filter(
                    event ->
                        event instanceof Event.Lifecycle happened
                            && happened.action().startsWith("image-"))
                .count();
        assertEquals(2, created);
      }
      assertEquals(Duration.ZERO, Duration.between(NOON, web.info().createdAt()));
    }
  }

  @Test
  void every_effect_may_fail_and_nothing_is_left() throws Exception {
    Consumer<EngineWorld> given = world -> stopped(world, "mine").snapshots().create("s");
    for (boolean snapshot : new boolean[] {false, true}) {
      EngineScenario scenario =
          EngineScenario.of(
                  given,
                  stapes -> {
                    PublishSpec spec = PublishSpec.of(stapes.instances().get("web").id());
                    stapes.images().publish(snapshot ? spec.snapshot("s") : spec, "golden");
                  })
              .seenThrough(
                  picture ->
                      picture
                          .map(line -> line.replaceAll("[0-9a-f]{64}", "(fingerprint)"))
                          .map(line -> line.replaceAll("\"size\":[0-9]+", "")));
      assertTrue(scenario.forEveryEffect() > 0);
    }
  }
}
