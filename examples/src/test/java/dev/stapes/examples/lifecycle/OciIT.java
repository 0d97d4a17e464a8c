package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Events;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.examples.image.Registry;
import dev.stapes.model.Event;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.OciImageSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of a real registry, and the applications in them. */
class OciIT extends OciFixture {
  @Test
  void an_application_is_who_and_where_its_image_says() throws IOException, InterruptedException {
    Map<String, Object> config = program("id -u; id -g; pwd; env; echo end; exec sleep 1000");
    config.put("User", "app:team");
    config.put("WorkingDir", "/made/up");
    config.put("Env", List.of("PATH=/bin", "QUOTED=it's \"so\""));
    Instance instance = create(bring("who", config, base)).start();
    String log = awaitLog(instance, "end\n");
    assertTrue(log.startsWith("1234\n77\n/made/up\n"), log);
    assertTrue(log.contains("\nQUOTED=it's \"so\"\n"), log);
    assertTrue(log.contains("\nHOME=/srv/app\n"), log);
    assertEquals("it's \"so\"\n", instance.exec("sh", "-c", "echo \"$QUOTED\"").stdout());
    instance.stop(Stop.FORCE);
    assertEquals(InstanceStatus.STOPPED, instance.info().status());
    assertEquals(Optional.empty(), instance.info().lastExit());
  }

  @Test
  void its_exit_code_is_kept() throws IOException, InterruptedException {
    Instance instance = create(bring("code", program("exit 7"), base));
    for (int start = 0; start < 3; start++) {
      try (Events.Expectation ended =
          BENCH.stapes().events().expect(event -> isEnd(event, instance))) {
        instance.start();
        Event.Lifecycle end = assertInstanceOf(Event.Lifecycle.class, ended.await(SOON));
        assertEquals("7", end.details().get("exit_code"));
      }
      instance.await(InstanceStatus.STOPPED, SOON);
      InstanceInfo.Exit exit = instance.info().lastExit().orElseThrow();
      assertEquals(OptionalInt.of(7), exit.code());
      assertTrue(exit.reason().contains("exit code 7"), exit.reason());
    }
  }

  private static boolean isEnd(Event event, Instance instance) {
    return event instanceof Event.Lifecycle happened
        && happened.action().equals("instance-stopped")
        && happened.subject().endsWith(instance.name());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "USR1", "INT"})
  void it_is_asked_to_end_with_the_signal_of_its_image(String signal)
      throws IOException, InterruptedException {
    Map<String, Object> config =
        program("trap 'echo asked; exit 3' " + signal + "; echo up; while :; do sleep 0.05; done");
    if (!signal.equals("TERM")) {
      config.put("StopSignal", "SIG" + signal);
    }
    Instance instance = create(bring("stop", config, base)).start();
    awaitLog(instance, "up\n");
    instance.stop();
    InstanceInfo.Exit exit = instance.info().lastExit().orElseThrow();
    assertEquals(OptionalInt.of(3), exit.code());
  }

  @ParameterizedTest
  @EnumSource(Lifetime.class)
  void it_lives_as_long_as_any_instance(Lifetime lifetime)
      throws IOException, InterruptedException {
    ImageInfo image = bring("live", program("echo up; exec sleep 1000"), base);
    for (int i = 0; i < 4; i++) { // the later ones from containers that were started ahead
      Instance instance =
          BENCH
              .stapes()
              .instances()
              .launch(
                  InstanceSpec.container(BENCH.name(), image.fingerprint())
                      .lifetime(lifetime)
                      .build());
      assertEquals("up\n", awaitLog(instance, "up\n"));
      instance.delete(Delete.FORCE);
    }
  }

  @Test
  void what_lies_in_a_layout_or_in_an_archive_of_docker_runs_as_well()
      throws IOException, InterruptedException {
    Path layout = registry.layout("local", program("echo up; exec sleep 1000"), base);
    Path saved = directory.resolve("saved.tar");
    Registry.run(
        "skopeo",
        "--insecure-policy",
        "copy",
        "-q",
        "oci:" + layout + ":it",
        "docker-archive:" + saved + ":example.org/app:1");
    for (Path path : List.of(layout, saved)) {
      ImageInfo image = BENCH.stapes().images().importFrom(ImageSources.oci(path));
      Instance instance = create(image).start();
      assertEquals("up\n", awaitLog(instance, "up\n"));
      instance.delete(Delete.FORCE);
      Path exported = directory.resolve("exported.tar");
      BENCH.stapes().images().export(image.fingerprint(), exported);
      StapesException e =
          assertThrows(
              StapesException.class, () -> BENCH.stapes().images().refresh(image.fingerprint()));
      assertEquals(Kind.UNSUPPORTED, e.kind(), e.toString());
      assertEquals(
          image.fingerprint(),
          BENCH
              .stapes()
              .images()
              .refresh(image.fingerprint(), ImageSources.oci(exported))
              .fingerprint());
      Files.delete(exported);
    }
  }

  @Test
  void an_image_may_come_back_while_what_was_made_of_it_lives()
      throws IOException, InterruptedException {
    Instance first = throwaway(bring("back", program("echo up; exec sleep 1000"), base), "first");
    BENCH.stapes().images().delete(first.info().imageFingerprint().orElseThrow());
    ImageInfo again = bring("back", program("echo up; exec sleep 1000"), base);
    Instance second = throwaway(again, "second");
    assertEquals("up\n", awaitLog(second, "up\n"));
    assertEquals("up\n", awaitLog(first, "up\n"));
    first.delete(Delete.FORCE);
    second.delete(Delete.FORCE);
  }

  private static Instance throwaway(ImageInfo image, String name) {
    return BENCH
        .stapes()
        .instances()
        .launch(
            InstanceSpec.container(BENCH.name() + "-" + name, image.fingerprint())
                .lifetime(Lifetime.THROWAWAY)
                .build());
  }

  @Test
  void a_user_that_its_image_does_not_have_and_a_program_that_it_has_not_are_errors()
      throws IOException, InterruptedException {
    Map<String, Object> config = program("true");
    config.put("User", "nobody-here");
    Instance nobody = create(bring("user", config, base));
    StapesException e = assertThrows(StapesException.class, nobody::start);
    assertEquals(Kind.INVALID, e.kind(), e.toString());
    assertTrue(e.getMessage().contains("nobody-here"), e.getMessage());

    Instance missing = create(bring("program", Map.of("Entrypoint", List.of("/not/there")), base));
    StapesException none = assertThrows(StapesException.class, missing::start);
    assertEquals(Kind.INVALID, none.kind(), none.toString());
    assertTrue(none.getMessage().contains("\"/not/there\""), none.getMessage());
    assertEquals(InstanceStatus.STOPPED, missing.info().status());
  }

  @Test
  void a_registry_that_asks_for_a_login_gets_it() throws IOException, InterruptedException {
    try (Registry closed = new Registry(directory.resolve("closed"), true)) {
      closed.push(
          closed.layout("secret", program("true"), base), "secret", "--dest-creds=me:s3cret");
      OciImageSpec spec = OciImageSpec.of(closed.name() + "/secret");
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> BENCH.stapes().images().importFrom(ImageSources.oci(spec.login("me", "no"))));
      assertEquals(Kind.DENIED, e.kind(), e.toString());
      ImageInfo image =
          BENCH.stapes().images().importFrom(ImageSources.oci(spec.login("me", "s3cret")));
      assertEquals("oci", image.metadata().properties().get("type"));
    }
  }
}
