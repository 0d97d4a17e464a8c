package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.WarmPool;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.WarmPoolSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Files that are made of an image's templates before an instance starts. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineTemplatesTest {
  private static final String PENDING = "volatile.apply_template";

  private static final String RULES =
      """
      templates:
        /etc/hostname:
          when: [create, copy, rename]
          template: hostname.tpl
        /etc/trace:
          when: [create, copy, rename, start]
          template: trace.tpl
          properties:
            word: traced
        /etc/once:
          when: [create, start]
          create_only: true
          template: trace.tpl
          mode: 600
          uid: 12
          gid: "13"
        srv/deep/er/file:
          when:
            - start
          template: user.tpl
      """;

  private static final Map<String, String> FILES =
      Map.of(
          "rootfs/etc/hostname", "of the image\n",
          "templates/hostname.tpl", "{{ container.name }}\n",
          "templates/trace.tpl", "{{ trigger }} {{ path }} {{ properties.word }}\n",
          "templates/user.tpl", "{{ config_get(\"user.x\", \"none\") }}\n");

  private static EngineWorld world() {
    return world(TemplateImage.of(RULES, FILES));
  }

  private static EngineWorld world(TemplateImage image) {
    EngineWorld world = EngineWorld.create();
    world.stapes().images().importFrom(image, "templated");
    return world;
  }

  private static InstanceSpec.Builder spec(String name) {
    return InstanceSpec.container(name, "templated");
  }

  private static String pending(Instance instance) {
    return instance.info().config().values().getOrDefault(PENDING, "");
  }

  private static void restart(Instance instance) {
    instance.stop(Stop.FORCE);
    instance.start();
  }

  @Test
  void what_is_to_be_done_at_creation_is_done_at_the_first_start() {
    try (EngineWorld world = world()) {
      Instance web =
          world.stapes().instances().create(spec("web").config("user.x", "mine\n").build());
      assertEquals("create", pending(web));
      assertEquals("of the image\n", web.files().readText("/etc/hostname"));
      web.start();
      assertEquals("", pending(web));
      assertEquals("web\n", web.files().readText("/etc/hostname"));
      assertEquals("start /etc/trace traced\n", web.files().readText("/etc/trace"));
      assertEquals("create /etc/once \n", web.files().readText("/etc/once"));
      assertEquals("mine\n", web.files().readText("/srv/deep/er/file"));
      assertEquals(List.of("hostname", "once", "trace"), web.files().list("/etc"));
    }
  }

  @Test
  void each_start_renders_anew_but_what_is_made_only_once() {
    try (EngineWorld world = world()) {
      Instance web = world.stapes().instances().launch(spec("web").build());
      web.files().writeText("/etc/once", "changed");
      web.files().writeText("/etc/hostname", "changed");
      web.update(update -> update.config("user.x", "new"));
      restart(web);
      assertEquals("changed", web.files().readText("/etc/once"));
      assertEquals("changed", web.files().readText("/etc/hostname"));
      assertEquals("new\n", web.files().readText("/srv/deep/er/file"));
    }
  }

  @Test
  void a_copy_and_one_that_is_renamed_render_at_their_next_start() {
    try (EngineWorld world = world()) {
      Instance web = world.stapes().instances().launch(spec("web").build());
      web.snapshots().create("s");
      Instance copy = web.copyTo("copy");
      assertEquals("copy", pending(copy));
      assertEquals("web\n", copy.files().readText("/etc/hostname"));
      copy.start();
      assertEquals("copy\n", copy.files().readText("/etc/hostname"));

      copy.stop(Stop.FORCE);
      copy.rename("third");
      assertEquals("rename", pending(copy));
      copy.rename("fourth");
      copy.start();
      assertEquals("fourth\n", copy.files().readText("/etc/hostname"));
      assertEquals("", pending(copy));

      Instance never = world.stapes().instances().create(spec("never").build());
      never.rename("ever");
      assertEquals("create", pending(never), "what waits already stays");
    }
  }

  @Test
  void templates_outlive_their_image_and_are_collected_when_nobody_has_them() {
    try (EngineWorld world = world()) {
      world.stapes().instances().create(spec("web").build());
      Stapes stapes = world.stapes();
      stapes.images().delete("templated");
      stapes = world.reopen();
      Instance web = stapes.instances().get("web");
      web.start();
      assertEquals("web\n", web.files().readText("/etc/hostname"));
      Instance copy = web.copyTo("copy");
      web.delete(Delete.FORCE);
      copy.start();
      assertEquals("copy\n", copy.files().readText("/etc/hostname"));
      copy.delete(Delete.FORCE);
      assertTrue(kept(world));
      world.reopen();
      stapes = world.reopen();
      assertFalse(kept(world));
      stapes.images().importFrom(TemplateImage.of(RULES, FILES), "templated");
      assertEquals(
          "again\n",
          stapes.instances().launch(spec("again").build()).files().readText("/etc/hostname"));
    }
  }

  private static boolean kept(EngineWorld world) {
    return world.picture().lines().stream()
        .anyMatch(line -> line.startsWith("templates/") || line.startsWith("image-templates/"));
  }

  @Test
  void a_restored_instance_and_a_throwaway_one_have_them_too() {
    try (EngineWorld world = world()) {
      Instance web = world.stapes().instances().launch(spec("web").build());
      web.snapshots().create("s");
      web.files().writeText("/etc/trace", "changed");
      web.snapshots().restore("s");
      assertEquals("start /etc/trace traced\n", web.files().readText("/etc/trace"));
      Instance gone =
          world
              .stapes()
              .instances()
              .launch(spec("gone").lifetime(Lifetime.THROWAWAY).config("user.x", "y").build());
      assertEquals("gone\n", gone.files().readText("/etc/hostname"));
      assertEquals("y\n", gone.files().readText("/srv/deep/er/file"));
    }
  }

  @Test
  void one_of_a_warm_pool_has_what_it_was_started_with() {
    try (EngineWorld world = world()) {
      WarmPool pool =
          world
              .stapes()
              .instances()
              .warmPool(WarmPoolSpec.of(spec("warm").lifetime(Lifetime.DURABLE).build(), 1));
      pool.awaitFull(Duration.ofSeconds(30));
      Instance taken = pool.take("taken");
      assertTrue(taken.files().readText("/etc/hostname").startsWith("warm-"));
      assertEquals("rename", pending(taken));
      restart(taken);
      assertEquals("taken\n", taken.files().readText("/etc/hostname"));
    }
  }

  @Test
  void links_are_followed_inside_and_owner_and_mode_stay() {
    String rules = "templates: {/etc/hostname: {when: [start], template: t}}\n";
    Map<String, String> links =
        Map.of(
            "templates/t", "{{ instance.name }}",
            "rootfs/etc/hostname", "->../../../../first",
            "rootfs/first", "->/second/name");
    try (EngineWorld world = world(TemplateImage.of(rules, links))) {
      Instance web = world.stapes().instances().launch(spec("web").build());
      assertEquals("web", web.files().readText("/second/name"));
      assertEquals(List.of("name"), web.files().list("/second"));
      assertEquals(List.of("etc", "first", "second"), web.files().list("/"));
      assertEquals("web", web.files().readText("/etc/hostname"));
    }
  }

  @Test
  void a_template_that_cannot_be_rendered_or_written_fails_the_start_and_leaves_nothing() {
    for (Map.Entry<String, Kind> bad :
        Map.of(
                "a\n{{ x.y() }}", Kind.UNSUPPORTED,
                "a\n{% if x %}", Kind.INVALID)
            .entrySet()) {
      String rules =
          "templates: {/etc/a: {when: [create], template: good},"
              + " /etc/b: {when: [create], template: bad}}\n";
      Map<String, String> files = Map.of("templates/good", "good", "templates/bad", bad.getKey());
      try (EngineWorld world = world(TemplateImage.of(rules, files))) {
        Instance web = world.stapes().instances().create(spec("web").build());
        StapesException e = assertThrows(StapesException.class, web::start);
        assertEquals(bad.getValue(), e.kind(), e.toString());
        assertEquals("instance web", e.subject());
        assertTrue(
            String.valueOf(e.getMessage()).contains("template bad for /etc/b: line 2: "),
            e.toString());
        assertEquals(List.of(), web.files().list("/etc"));
        assertEquals(InstanceStatus.STOPPED, web.info().status());
        assertEquals("create", pending(web));
        assertThrows(
            StapesException.class, () -> world.stapes().instances().launch(spec("other").build()));
        assertEquals(1, world.stapes().instances().list().size());
      }
    }
  }

  @Test
  void a_directory_where_a_file_is_to_be_made_fails_the_start() {
    String rules = "templates: {/etc/d: {when: [start], template: t}}\n";
    Map<String, String> files = Map.of("templates/t", "x", "rootfs/etc/d/", "");
    try (EngineWorld world = world(TemplateImage.of(rules, files))) {
      Instance web = world.stapes().instances().create(spec("web").build());
      StapesException e = assertThrows(StapesException.class, web::start);
      assertEquals(Kind.INVALID, e.kind(), e.toString());
      assertEquals(List.of("d"), web.files().list("/etc"));
    }
  }

  @Test
  void an_image_whose_templates_are_wrong_is_refused() {
    Map<String, String> texts = Map.of("templates/t", "x");
    for (String rule :
        List.of(
            "/etc/x: {when: [start], template: missing}",
            "/etc/x: {when: [start], template: ../t}",
            "/etc/../../x: {when: [start], template: t}",
            "/etc/x: {when: [start]}",
            "/etc/x: {when: start, template: t}",
            "/etc/x: {when: [start], template: t, mode: 999}",
            "/etc/x: {when: [start], template: t, uid: root}",
            "/: {when: [start], template: t}",
            "/etc/x: t")) {
      try (EngineWorld world = EngineWorld.create()) {
        TemplateImage image = TemplateImage.of("templates: {" + rule + "}\n", texts);
        StapesException e =
            assertThrows(
                StapesException.class,
                () -> world.stapes().images().importFrom(image, "bad"),
                rule);
        assertEquals(Kind.INVALID, e.kind(), e.toString());
        assertEquals(1, world.stapes().images().list().size());
        assertFalse(kept(world));
      }
    }
  }

  @Test
  void every_effect_of_an_import_and_of_a_launch_may_fail_and_nothing_is_left() throws Exception {
    TemplateImage image = TemplateImage.of(RULES, FILES);
    EngineScenario imported =
        EngineScenario.of(
            world -> world.launch("web"), stapes -> stapes.images().importFrom(image, "templated"));
    EngineScenario launched =
        EngineScenario.of(
                world -> {
                  world.stapes().images().importFrom(image, "templated");
                  world.stapes().instances().launch(spec("web").build()).stop(Stop.FORCE);
                },
                stapes -> stapes.instances().launch(spec("new").build()))
            .seenThrough(EnginePicture::withoutUnpackedImages);
    assertTrue(imported.forEveryEffect() > 0);
    assertTrue(launched.forEveryEffect() > 0);
  }

  @Test
  void large_templates_are_kept_in_parts() {
    Map<String, String> large = new TreeMap<>();
    StringBuilder rules = new StringBuilder("templates:\n");
    for (int i = 0; i < 5; i++) {
      large.put("templates/t" + i, (i + "\u00e9 ").repeat(150_000));
      rules.append("  /etc/f" + i + ": {when: [create], template: t" + i + "}\n");
    }
    try (EngineWorld world = world(TemplateImage.of(rules.toString(), large))) {
      world.stapes().instances().create(spec("web").build());
      world.reopen().instances().get("web").start();
      Instance web = world.stapes().instances().get("web");
      for (int i = 0; i < 5; i++) {
        assertEquals(large.get("templates/t" + i), web.files().readText("/etc/f" + i));
      }
    }
  }

  @Test
  void what_an_image_requires_is_checked_before_anything_is_made() {
    for (Map.Entry<String, String> needed :
        Map.of("nesting", "true", "secureboot", "false", "cdrom_agent", "true", "cgroup", "v1")
            .entrySet()) {
      try (EngineWorld world = world(TemplateImage.needing(needed.getKey(), needed.getValue()))) {
        EnginePicture before = world.picture();
        if (!needed.getKey().equals("nesting")) {
          world.launch("box"); // means nothing to a container, or the fake has it
          world.stapes().instances().create(spec("web").build());
          continue;
        }
        StapesException e =
            assertThrows(
                StapesException.class,
                () -> world.stapes().instances().create(spec("web").build()));
        assertEquals(Kind.UNSUPPORTED, e.kind());
        assertTrue(String.valueOf(e.getMessage()).contains("requirements.nesting"), e.toString());
        assertEquals(before, world.picture());
      }
    }
  }
}
