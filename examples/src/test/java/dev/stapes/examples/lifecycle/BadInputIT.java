package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad input of every kind: a typed error that quotes it, and nothing is left. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class BadInputIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  static List<Arguments> specs() {
    return List.of(
        bad(Kind.INVALID, "limits.cpuu", spec -> spec.config("limits.cpuu", "1")),
        bad(Kind.INVALID, "much", spec -> spec.config("limits.memory", "much")),
        bad(Kind.INVALID, "maybe", spec -> spec.config("security.privileged", "maybe")),
        bad(Kind.INVALID, "both 1", spec -> spec.config("raw.idmap", "both 1")),
        bad(Kind.INVALID, "lxc.rootfs.path", spec -> spec.config("raw.lxc", "lxc.rootfs.path=/")),
        bad(
            Kind.NOT_FOUND,
            "no-such-volume",
            spec ->
                spec.device("d", Device.disk("/d", d -> d.volume("default", "no-such-volume")))),
        bad(
            Kind.NOT_FOUND,
            "/no/such/dir",
            spec -> spec.device("d", Device.disk("/d", d -> d.source("/no/such/dir")))),
        bad(
            Kind.NOT_FOUND,
            "/dev/no-such",
            spec -> spec.device("c", Device.UnixChar.of("/dev/no-such"))),
        bad(
            Kind.NOT_FOUND,
            "nopool",
            spec -> spec.device("r", Device.root(d -> d.pool("nopool")))));
  }

  private static Arguments bad(
      Kind kind, String quoted, UnaryOperator<InstanceSpec.Builder> change) {
    return Arguments.of(kind, quoted, change);
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("specs")
  void a_bad_spec_is_refused_with_what_is_wrong_and_leaves_nothing(
      Kind kind, String quoted, UnaryOperator<InstanceSpec.Builder> change) {
    InstanceSpec spec = change.apply(BENCH.spec()).build();
    StapesException e =
        assertThrows(StapesException.class, () -> BENCH.stapes().instances().launch(spec));
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(String.valueOf(e.getMessage()).contains(quoted), e.getMessage());
    assertTrue(BENCH.stapes().instances().list().isEmpty());
  }

  @Test
  void an_image_that_is_not_there_is_not_found_by_its_name() {
    InstanceSpec spec = InstanceSpec.container("web", "no-such-image").build();
    StapesException e =
        assertThrows(StapesException.class, () -> BENCH.stapes().instances().create(spec));
    assertEquals(Kind.NOT_FOUND, e.kind());
    assertTrue(String.valueOf(e.getMessage()).contains("no-such-image"));
  }

  @Test
  void a_name_that_is_taken_is_a_conflict() {
    InstanceSpec spec = BENCH.spec().build();
    BENCH.stapes().instances().create(spec);
    assertEquals(
        Kind.CONFLICT,
        assertThrows(StapesException.class, () -> BENCH.stapes().instances().create(spec)).kind());
    BENCH.stapes().instances().get(spec.name()).delete();
  }

  @Test
  void a_virtual_machine_says_which_artifact_is_missing() {
    InstanceSpec spec = InstanceSpec.virtualMachine("vm", "busybox").build();
    StapesException e =
        assertThrows(StapesException.class, () -> BENCH.stapes().instances().create(spec));
    assertTrue(e.kind() == Kind.INVALID || e.kind() == Kind.UNAVAILABLE, "image or driver: " + e);
  }

  @Test
  void pools_of_unknown_drivers_keys_sizes_and_sources_are_refused(@TempDir Path directory)
      throws IOException {
    Files.writeString(directory.resolve("somebody"), "else's");
    record Case(PoolSpec spec, Kind kind) {}
    List<Case> cases =
        List.of(
            new Case(PoolSpec.of("p", "zip"), Kind.UNAVAILABLE),
            new Case(PoolSpec.of("p", "btrfs").with("colour", "red"), Kind.INVALID),
            new Case(PoolSpec.of("p", "btrfs").size(Size.ofKibibytes(1)), Kind.INVALID),
            new Case(PoolSpec.of("p", "dir").source("/no/such/dir"), Kind.INVALID),
            new Case(PoolSpec.of("p", "dir").source(directory.toString()), Kind.CONFLICT));
    for (Case one : cases) {
      StapesException e =
          assertThrows(StapesException.class, () -> BENCH.stapes().pools().create(one.spec()));
      assertEquals(one.kind(), e.kind(), one + " " + e);
      assertTrue(Files.notExists(BENCH.root().resolve("pools/p")), one.toString());
    }
    assertEquals("else's", Files.readString(directory.resolve("somebody")));
  }

  @Test
  void a_second_stapes_on_the_same_directory_is_refused_at_once() {
    StapesException e = assertThrows(StapesException.class, () -> Stapes.open(BENCH.root()));
    assertEquals(Kind.UNAVAILABLE, e.kind());
    assertTrue(
        String.valueOf(e.getMessage()).contains(Long.toString(ProcessHandle.current().pid())),
        e.getMessage());
  }

  @Test
  void a_root_directory_that_is_a_file_is_refused(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "not a directory");
    assertEquals(
        Kind.UNAVAILABLE, assertThrows(StapesException.class, () -> Stapes.open(file)).kind());
    assertEquals("not a directory", Files.readString(file));
  }

  @Test
  void a_damaged_state_store_is_kept_and_refused(@TempDir Path directory) throws IOException {
    byte[] garbage = "this is no database, and must not be lost".getBytes(StandardCharsets.UTF_8);
    Files.write(directory.resolve("state.db"), garbage);
    assertEquals(
        Kind.UNAVAILABLE, assertThrows(StapesException.class, () -> Stapes.open(directory)).kind());
    assertEquals(
        new String(garbage, StandardCharsets.UTF_8),
        Files.readString(directory.resolve("state.db")));
  }
}
