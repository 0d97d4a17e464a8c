package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an image says of its program and what the user says instead, its volumes, its ends. */
@Tag("once")
class OciOptionsIT extends OciFixture {
  private static final String SELF = "id -u; id -g; pwd; echo $KEPT $CHANGED $MORE";

  private ImageInfo self() throws IOException, InterruptedException {
    Map<String, Object> config = program(SELF);
    config.put("User", "app:team");
    config.put("WorkingDir", "/etc");
    config.put("Env", List.of("PATH=/bin", "KEPT=image", "CHANGED=image"));
    return bring("self", config, base);
  }

  @Test
  void the_config_of_an_instance_has_the_last_word() throws Exception {
    ImageInfo image = self();
    Instance instance = create(image);
    runToItsEnd(instance);
    assertEquals("1234\n77\n/etc\nimage image\n", log(instance));

    instance.delete();
    Instance other =
        create(
            image,
            new TreeMap<>(
                Map.of(
                    "oci.uid", "5",
                    "oci.gid", "6",
                    "oci.cwd", "/bin",
                    "environment.CHANGED", "mine",
                    "environment.MORE", "more")));
    runToItsEnd(other);
    assertEquals("5\n6\n/bin\nimage mine more\n", log(other));

    other.update(change -> change.config("oci.entrypoint", "/bin/sh -c 'echo \"other $KEPT\"'"));
    runToItsEnd(other);
    assertTrue(log(other).endsWith("\nother image\n"), () -> log(other));
  }

  @ParameterizedTest
  @CsvSource({"oci.uid,0,0:0", "oci.uid,1234,1234:99", "oci.gid,5,1234:5"})
  void one_of_uid_and_gid_is_enough(String key, String value, String who) throws Exception {
    Instance instance = create(self(), Map.of(key, value));
    runToItsEnd(instance);
    assertEquals(List.of(who.split(":")), log(instance).lines().limit(2).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "oci.entrypoint,/bin/sh 'open,open",
    "oci.entrypoint,' ',empty",
    "oci.cwd,not/absolute,not/absolute",
    "oci.uid,-1,-1",
    "oci.uid,app,app",
    "oci.gid,4294967295,4294967295"
  })
  void what_makes_no_sense_is_refused_with_its_value(String key, String value, String said)
      throws Exception {
    ImageInfo image = self();
    StapesException e =
        assertThrows(StapesException.class, () -> create(image, Map.of(key, value)));
    assertEquals(Kind.INVALID, e.kind(), e.toString());
    assertTrue(e.getMessage().contains(said), e.getMessage());
    Instance instance = create(image);
    assertThrows(StapesException.class, () -> instance.update(change -> change.config(key, value)));
  }

  @ParameterizedTest
  @CsvSource({
    "oci.entrypoint,/not/there,/not/there",
    "oci.entrypoint,nowhere,nowhere",
    "oci.entrypoint,/bin/sh/x,/bin/sh/x",
    "oci.entrypoint,/etc,cannot be executed",
    "oci.entrypoint,/etc/passwd,cannot be executed",
    "oci.uid,4000000000,4000000000"
  })
  void what_the_image_cannot_do_is_said_at_the_start(String key, String value, String said)
      throws Exception {
    Instance instance = create(self(), Map.of(key, value));
    for (int start = 0; start < 3; start++) {
      StapesException e = assertThrows(StapesException.class, instance::start);
      assertEquals(Kind.INVALID, e.kind(), e.toString());
      assertTrue(e.getMessage().contains(said), e.getMessage());
      assertEquals(InstanceStatus.STOPPED, instance.info().status());
    }
  }

  @Test
  void volumes_are_there_as_the_image_has_them_and_disks_take_their_place() throws Exception {
    Path full = Files.createDirectories(base.resolve("srv/full"));
    Files.writeString(full.resolve("from-image"), "image\n");
    Files.setPosixFilePermissions(full, PosixFilePermissions.fromString("rwxrwx---"));
    Map<String, Object> config =
        program(
            "ls -1 /srv/full; stat -c %a:%u /srv/full '/made/for it'; "
                + "touch /srv/full/new '/made/for it/new' && echo written");
    config.put("Env", List.of("PATH=/bin"));
    config.put("Volumes", Map.of("/srv/full", Map.of(), "/made/for it", Map.of()));
    ImageInfo image = bring("volumes", config, base);
    assertEquals("'/made/for it' /srv/full", image.metadata().properties().get("oci.volumes"));

    Instance instance = create(image);
    runToItsEnd(instance);
    assertEquals("from-image\n770:0\n755:0\nwritten\n", log(instance));
    runToItsEnd(instance);
    assertTrue(log(instance).contains("\nfrom-image\nnew\n"), () -> log(instance));
    instance.delete();

    Path data = Files.createDirectory(directory.resolve("data"));
    Files.writeString(data.resolve("mine"), "mine\n");
    Instance with =
        BENCH
            .stapes()
            .instances()
            .create(
                InstanceSpec.container(BENCH.name(), image.fingerprint())
                    .device("data", Device.disk("/srv/full", disk -> disk.source(data.toString())))
                    .build());
    runToItsEnd(with);
    assertTrue(log(with).startsWith("mine\n"), () -> log(with));
    assertTrue(Files.exists(data.resolve("new")));
  }

  @ParameterizedTest
  @CsvSource({"KILL,137", "TERM,143", "SEGV,139"})
  void an_end_by_a_signal_is_told_as_a_shell_does(String signal, int code) throws Exception {
    Instance instance = create(bring("signal", program("kill -" + signal + " $$"), base));
    InstanceInfo.Exit exit = runToItsEnd(instance);
    assertEquals(OptionalInt.of(code), exit.code());
    assertTrue(exit.reason().contains("exit code " + code), exit.reason());
  }

  @Test
  void a_program_that_does_not_listen_goes_on_until_it_is_killed() throws Exception {
    Instance instance =
        create(bring("deaf", program("trap '' TERM; echo up; while :; do sleep 0.05; done"), base))
            .start();
    awaitLog(instance, "up\n");
    StapesException e =
        assertThrows(
            StapesException.class, () -> instance.stop(Stop.graceful(Duration.ofMillis(300))));
    assertEquals(Kind.TIMED_OUT, e.kind());
    assertEquals(InstanceStatus.RUNNING, instance.info().status());
    instance.stop(Stop.FORCE);
    assertEquals(InstanceStatus.STOPPED, instance.info().status());
  }
}
