package dev.stapes.examples.lifecycle;

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
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Templates of images in containers; each pool driver runs all of it. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
abstract class TemplateContract {
  private static final String METADATA =
      """
      architecture: amd64
      creation_date: 0
      templates:
        /etc/hostname:
          when: [create, copy]
          template: hostname.tpl
        /etc/made:
          when: [create, start]
          template: made.tpl
          mode: 640
          uid: 7
          properties:
            default: nothing
      """;

  private static final Map<String, String> TEXTS =
      Map.of(
          "hostname.tpl",
          "{{ container.name }}\n",
          "made.tpl",
          """
              {{ trigger }} {{ instance.architecture }} {{ instance.privileged }}
              {{ config_get("user.seed", properties.default) }}
              {% for name, device in devices %}{{ name }}:{{ device.type }}{% endfor %}
              """);

  abstract Workbench bench();

  private Stapes stapes() {
    return bench().stapes();
  }

  /** Imports it, unless it is there. */
  private InstanceSpec.Builder spec(String alias, TemplatedBusybox image) {
    stapes().images().importFrom(image, alias);
    return InstanceSpec.container(bench().name(), alias);
  }

  private InstanceSpec.Builder templated() {
    return spec("templated", new TemplatedBusybox(METADATA, Map.of(), TEXTS, Map.of()));
  }

  private static String cat(Instance instance, String path) {
    return instance.exec("cat", path).orThrow().stdout();
  }

  @Test
  void files_are_there_when_the_first_program_runs() {
    Instance web = stapes().instances().launch(templated().config("user.seed", "a\nb\n").build());
    assertEquals(web.name() + "\n", cat(web, "/etc/hostname"));
    assertEquals("start x86_64 false\na\nb\nroot:disk\n", cat(web, "/etc/made"));
    assertEquals("640 7 0\n", web.exec("stat", "-c", "%a %u %g", "/etc/made").orThrow().stdout());
    assertFalse(web.info().config().values().containsKey("volatile.apply_template"));

    web.exec("sh", "-c", "chown 5:6 /etc/made && chmod 604 /etc/made && echo x > /etc/hostname")
        .orThrow();
    web.update(update -> update.config("user.seed", "c"));
    web.restart(Stop.FORCE);
    assertEquals("start x86_64 false\nc\nroot:disk\n", cat(web, "/etc/made"));
    assertEquals("x\n", cat(web, "/etc/hostname"));
    assertEquals("604 5 6\n", web.exec("stat", "-c", "%a %u %g", "/etc/made").orThrow().stdout());

    Instance copy = web.copyTo(bench().name());
    stapes().images().delete("templated");
    web.delete(Delete.FORCE);
    copy.start();
    assertEquals(copy.name() + "\n", cat(copy, "/etc/hostname"));
    copy.delete(Delete.FORCE);
  }

  @Test
  void a_throwaway_one_and_one_that_waited_have_them() {
    for (int i = 0; i < 4; i++) { // also those that are started before it is known whose they are
      Instance box =
          stapes()
              .instances()
              .launch(
                  templated().lifetime(Lifetime.THROWAWAY).config("user.seed", "s" + i).build());
      assertEquals(box.name() + "\n", cat(box, "/etc/hostname"));
      assertEquals("start x86_64 false\ns" + i + "\nroot:disk\n", cat(box, "/etc/made"));
      box.delete(Delete.FORCE);
    }
    try (WarmPool pool =
        stapes()
            .instances()
            .warmPool(WarmPoolSpec.of(templated().lifetime(Lifetime.THROWAWAY).build(), 1))) {
      pool.awaitFull(Duration.ofSeconds(60));
      Instance taken = pool.take(bench().name());
      assertTrue(cat(taken, "/etc/made").startsWith("start x86_64 false\nnothing\n"));
      taken.delete(Delete.FORCE);
    }
  }

  @Test
  void a_hostile_link_leads_nowhere_outside() throws IOException {
    Path outside = bench().root().resolve("outside");
    Files.writeString(outside, "of the host");
    String up = "../".repeat(40) + outside.toString().substring(1);
    for (String target : new String[] {outside.toString(), up}) {
      Instance web =
          stapes()
              .instances()
              .launch(
                  spec(
                          "hostile",
                          new TemplatedBusybox(
                              METADATA, Map.of(), TEXTS, Map.of("/etc/hostname", target)))
                      .build());
      assertEquals("of the host", Files.readString(outside));
      assertEquals(web.name() + "\n", cat(web, "/etc/hostname"));
      assertEquals(web.name() + "\n", cat(web, outside.toString()));
      web.delete(Delete.FORCE);
      stapes().images().delete("hostile");
    }
  }

  @Test
  void a_template_that_is_wrong_fails_the_launch_and_leaves_nothing() {
    InstanceSpec.Builder spec =
        spec(
            "wrong",
            new TemplatedBusybox(
                METADATA,
                Map.of(),
                Map.of("hostname.tpl", "a\n{% include \"/etc/shadow\" %}", "made.tpl", "b"),
                Map.of()));
    int before = stapes().instances().list().size();
    StapesException e =
        assertThrows(StapesException.class, () -> stapes().instances().launch(spec.build()));
    assertEquals(Kind.UNSUPPORTED, e.kind());
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains("/etc/hostname: line 2: "), message);
    assertTrue(message.contains("include"), message);
    assertEquals(before, stapes().instances().list().size());
  }

  @Test
  void requirements_are_checked_before_anything_is_made() {
    for (Map.Entry<String, String> needed :
        Map.of("nesting", "security.nesting", "privileged", "security.privileged").entrySet()) {
      boolean nesting = needed.getKey().equals("nesting");
      String value = String.valueOf(nesting);
      InstanceSpec.Builder spec =
          spec(
              "needs-" + needed.getKey(),
              new TemplatedBusybox(
                  "architecture: amd64\n",
                  Map.of("requirements." + needed.getKey(), value),
                  Map.of(),
                  Map.of()));
      InstanceSpec good = spec.config(needed.getValue(), value).build();
      InstanceSpec bad = spec.config(needed.getValue(), String.valueOf(!nesting)).build();
      StapesException e =
          assertThrows(StapesException.class, () -> stapes().instances().create(bad));
      assertEquals(Kind.INVALID, e.kind());
      assertTrue(String.valueOf(e.getMessage()).contains(needed.getValue()), e.toString());
      Instance web = stapes().instances().launch(good);
      assertEquals(InstanceStatus.RUNNING, web.info().status());
      assertThrows(
          StapesException.class,
          () -> web.update(update -> update.config(needed.getValue(), String.valueOf(!nesting))));
      web.delete(Delete.FORCE);
    }
  }

  @Test
  void cgroups_that_this_machine_has_are_enough() {
    int created = 0;
    for (String version : new String[] {"v1", "v2"}) {
      InstanceSpec spec =
          spec(
                  "cgroup-" + version,
                  new TemplatedBusybox(
                      "architecture: amd64\n",
                      Map.of("requirements.cgroup", version),
                      Map.of(),
                      Map.of()))
              .build();
      try {
        stapes().instances().create(spec).delete();
        created++;
      } catch (StapesException e) {
        assertEquals(Kind.UNSUPPORTED, e.kind());
        assertTrue(String.valueOf(e.getMessage()).contains("requirements.cgroup=" + version));
      }
    }
    assertEquals(1, created, "a machine has one kind");
  }
}

class TemplateIT extends TemplateContract {
  @RegisterExtension static final Workbench BENCH = new Workbench("dir");

  @Override
  Workbench bench() {
    return BENCH;
  }
}

@RequiresKernel("overlay")
class OverlayTemplateIT extends TemplateContract {
  @RegisterExtension static final Workbench BENCH = new Workbench("overlay");

  @Override
  Workbench bench() {
    return BENCH;
  }
}

@RequiresKernel("loop")
@RequiresKernel("btrfs")
@RequiresTool("mkfs.btrfs")
class BtrfsTemplateIT extends TemplateContract {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  @Override
  Workbench bench() {
    return BENCH;
  }
}
