package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Images that go from one root directory to another. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineImageCopyTest {
  private static void refused(Kind kind, Executable call) {
    StapesException e = assertThrows(StapesException.class, call);
    assertEquals(kind, e.kind(), e.toString());
  }

  @Test
  void a_copy_has_the_fingerprint_the_metadata_and_the_aliases_that_are_given() {
    try (EngineWorld one = EngineWorld.create();
        EngineWorld two = EngineWorld.create()) {
      String rules = "templates: {/etc/n: {when: [create], template: n}}\n";
      Map<String, String> texts = Map.of("templates/n", "{{ container.name }}");
      ImageInfo image =
          one.stapes().images().importFrom(TemplateImage.of(rules, texts), "templated", "other");
      Stapes there = two.stapes();
      ImageInfo copy = one.stapes().images().copyTo("templated", there, "templated");
      assertEquals(image.fingerprint(), copy.fingerprint());
      assertEquals(image.metadata(), copy.metadata());
      assertEquals(image.size(), copy.size());
      assertEquals(Set.of("templated"), copy.aliases());
      assertTrue(copy.source().contains(one.root().toString()), copy.source());
      assertEquals(copy, there.images().get(image.fingerprint()));
      one.stapes().images().delete("templated");
      Instance web = there.instances().launch(InstanceSpec.container("web", "templated").build());
      assertEquals("web", web.files().readText("/etc/n"));
      String[] all = image.aliases().toArray(new String[0]);
      assertEquals(
          image.aliases(), there.images().copyTo("templated", there, all).aliases(), "to itself");
    }
  }

  @Test
  void what_cannot_be_copied_leaves_nothing() throws IOException {
    try (EngineWorld one = EngineWorld.create();
        EngineWorld two = EngineWorld.create()) {
      ImageInfo image = one.stapes().images().importFrom(SmallImage.of("new"), "new");
      two.stapes().close();
      EnginePicture before = two.picture();
      Stapes there = two.openAgain();
      refused(Kind.NOT_FOUND, () -> one.stapes().images().copyTo("none", there));
      refused(Kind.CONFLICT, () -> one.stapes().images().copyTo("new", there, EngineWorld.IMAGE));
      refused(
          Kind.INTERRUPTED,
          () ->
              one.stapes()
                  .images()
                  .copyTo(
                      "new",
                      there,
                      (stage, done, total) -> Thread.currentThread().interrupt(),
                      "new"));
      assertTrue(Thread.interrupted());
      Path archive = one.root().resolve("images").resolve(image.fingerprint());
      byte[] content = Files.readAllBytes(archive);
      content[content.length / 2] ^= 1;
      Files.write(archive, content);
      refused(Kind.INVALID, () -> one.stapes().images().copyTo("new", there, "new"));
      there.close();
      assertEquals(before.toString(), two.picture().toString());
      refused(Kind.UNAVAILABLE, () -> one.stapes().images().copyTo("new", there, "new"));
    }
  }

  @Test
  void an_image_that_is_being_copied_is_not_deleted() {
    try (EngineWorld one = EngineWorld.create();
        EngineWorld two = EngineWorld.create()) {
      Stapes here = one.stapes();
      here.images()
          .copyTo(
              EngineWorld.IMAGE,
              two.stapes(),
              (stage, done, total) -> {
                if (stage.equals("copy")) {
                  refused(Kind.BUSY, () -> here.images().delete(EngineWorld.IMAGE));
                }
              });
      here.images().delete(EngineWorld.IMAGE);
    }
  }
}
