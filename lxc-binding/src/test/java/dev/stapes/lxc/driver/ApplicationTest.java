package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is executed in an application container, from its config and its root file system. */
class ApplicationTest {
  private static final Optional<IdMapping> MAP = Optional.of(IdMapping.of(100_000, 65_536));

  @TempDir Path directory;
  private final FakeHost host = FakeHost.create();
  private Tree root;

  @BeforeEach
  void fill() throws IOException {
    Path path = Files.createDirectory(directory.resolve("root"));
    for (String name : List.of("bin", "etc", "srv", "usr", "usr/bin")) {
      Files.createDirectory(path.resolve(name));
    }
    Files.writeString(path.resolve("etc/passwd"), "root:x:0:0::/root:\napp:x:1234:99::/srv:\n");
    Files.writeString(path.resolve("etc/group"), "team:x:77:\n");
    for (String program : List.of("bin/run", "srv/here", "usr/bin/only")) {
      Files.writeString(path.resolve(program), "#!");
      Files.setPosixFilePermissions(
          path.resolve(program), PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    Files.createSymbolicLink(path.resolve("bin/link"), Path.of("/usr/bin/only"));
    Files.createSymbolicLink(path.resolve("bin/dangling"), Path.of("nowhere"));
    Files.createSymbolicLink(path.resolve("bin/stdin"), Path.of("/proc/self/fd/0"));
    root = host.tree(path, Tree.Resolution.IN_ROOT, Optional.empty());
  }

  @AfterEach
  void close() {
    root.close();
    host.close();
  }

  private static Machine.Spec spec(Map<String, String> config, boolean disks) {
    Machine.Disk disk = new Machine.Disk(Path.of("/"), Optional.empty(), Device.IoLimits.NONE);
    return new Machine.Spec(
        new InstanceId("test0001"),
        "box",
        Lifetime.DURABLE,
        Config.of(config),
        new TreeMap<>(),
        disk,
        new TreeMap<>(disks ? Map.of("data", disk) : Map.of()));
  }

  private Application of(Map<String, String> more) {
    TreeMap<String, String> config =
        new TreeMap<>(
            Map.of("oci.entrypoint", "/bin/run", "environment.PATH", "/none:/usr/bin:/bin"));
    config.putAll(more);
    return Application.of(spec(config, false), root, MAP);
  }

  private StapesException refused(Map<String, String> more) {
    StapesException e = assertThrows(StapesException.class, () -> of(more));
    assertEquals(Kind.INVALID, e.kind(), e.toString());
    return e;
  }

  @ParameterizedTest
  @CsvSource({
    "'','','',0:0",
    "app,'','',1234:99",
    "app:team,'','',1234:77",
    "app,'',5,1234:5",
    "app,7,'',7:0",
    "app,1234,'',1234:99",
    "app:team,7,8,7:8",
    "'','',5,0:5"
  })
  void who_it_is_says_the_image_and_the_user_instead(
      String image, String uid, String gid, String who) {
    TreeMap<String, String> config = new TreeMap<>();
    Map.of("image.oci.user", image, "oci.uid", uid, "oci.gid", gid)
        .forEach(
            (key, value) -> {
              if (!value.isEmpty()) {
                config.put(key, value);
              }
            });
    UserLookup.User user = of(config).user();
    assertEquals(who, user.uid() + ":" + user.gid());
  }

  @ParameterizedTest
  @CsvSource({"oci.uid,65536", "oci.gid,70000", "image.oci.user,65536"})
  void an_id_that_the_instance_does_not_have_is_refused(String key, String id) {
    assertTrue(refused(Map.of(key, id)).toString().contains(id));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/bin/run",
        "only",
        "run",
        "/bin/link",
        "link",
        "../srv/here",
        "./run",
        "/proc/self/exe",
        "//dev/.stapes/busybox",
        "/bin/stdin"
      })
  void a_program_that_is_there_is_found(String program) {
    of(Map.of("oci.entrypoint", program + " and more", "oci.cwd", "/bin"));
  }

  @ParameterizedTest
  @CsvSource({
    "/not/there,no such program",
    "nowhere,no such program",
    "here,no such program",
    "./only,no such program",
    "/bin/dangling,no such program",
    "/bin/run/under,no such program",
    "/etc,cannot be executed",
    "/etc/passwd,cannot be executed"
  })
  void a_program_that_cannot_be_executed_is_named(String program, String why) {
    StapesException e = refused(Map.of("oci.entrypoint", program));
    assertTrue(e.toString().contains('"' + program + '"'), e.toString());
    assertTrue(e.toString().contains(why), e.toString());
  }

  @Test
  void a_program_that_may_be_on_a_disk_or_on_a_mount_of_the_user_is_not_looked_for() {
    Map<String, String> config = Map.of("oci.entrypoint", "/data/program");
    assertEquals(List.of("/data/program"), Application.of(spec(config, true), root, MAP).command());
    Map<String, String> raw = new TreeMap<>(config);
    raw.put("raw.lxc", "lxc.mount.entry = /srv data none bind,create=dir");
    assertEquals(List.of("/data/program"), Application.of(spec(raw, false), root, MAP).command());
  }

  @ParameterizedTest
  @CsvSource({"oci.cwd,relative", "oci.entrypoint,''", "oci.entrypoint,/bin/run \"open"})
  void a_config_that_makes_no_sense_is_refused(String key, String value) {
    TreeMap<String, String> config = new TreeMap<>(Map.of("oci.entrypoint", "/bin/run"));
    config.put(key, value);
    StapesException e =
        assertThrows(StapesException.class, () -> Application.validate(Config.of(config)));
    assertEquals(Kind.INVALID, e.kind(), e.toString());
  }

  @Test
  void volumes_are_those_of_the_image() {
    assertEquals(List.of(), of(Map.of()).volumes());
    assertEquals(
        List.of("/made for it", "/srv"),
        of(Map.of("image.oci.volumes", "'/made for it' /srv")).volumes());
  }
}
