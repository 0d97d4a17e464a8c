package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a pool does with its volumes; the hooks of the storage contract. */
@Timeout(300)
abstract class StorageVolumeTests {
  static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  static final VolumeId C = new VolumeId(VolumeId.Kind.INSTANCE, "c");
  static final VolumeId IMAGE = new VolumeId(VolumeId.Kind.IMAGE, "image");
  static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");

  private @Nullable StorageBench opened;

  /** The driver under test; called once per test. */
  protected abstract StorageDriverProvider provider();

  /**
   * The driver under test, with all that it does to the machine by bindings of its own going
   * through the faults. What it does through the host goes through them anyhow.
   */
  protected StorageDriverProvider provider(Faults faults) {
    return provider();
  }

  /** The machine; by default the only host provider that the service loader finds. */
  protected Host openHost() {
    return ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  }

  /** The pool to make: 256 MiB where the driver has a {@code size}. */
  protected PoolSpec poolSpec() {
    StorageDriverProvider driver = provider();
    PoolSpec spec = PoolSpec.of("contract", driver.name());
    boolean sized = driver.poolKeys().stream().anyMatch(key -> key.name().equals("size"));
    return sized ? spec.size(Size.ofMebibytes(256)) : spec;
  }

  /**
   * Whether block volumes take space only for what is written to them; where not, one that is
   * larger than the pool is refused.
   */
  protected boolean takesSpaceAsWritten() {
    return true;
  }

  /** A second pool beside the first: by default one with the same config. */
  protected PoolSpec otherPoolSpec() {
    PoolSpec first = poolSpec();
    return new PoolSpec("other", first.driver(), first.config());
  }

  /**
   * What there is on the machine that belongs to a directory; compared before and after each test.
   */
  protected Set<String> leftovers(Path directory) {
    return HostLeftovers.of(directory);
  }

  @BeforeEach
  void open() {
    opened = StorageBench.open(this);
  }

  @AfterEach
  void close() {
    if (opened != null) {
      opened.close();
    }
  }

  StorageBench bench() {
    return Objects.requireNonNull(opened, "no test runs");
  }

  StoragePool pool() {
    return bench().pool();
  }

  @Test
  void how_it_copies_is_the_same_however_it_is_asked() {
    assertEquals(pool().info().copies(), pool().copies());
  }

  @Test
  void a_new_pool_has_no_volumes() {
    assertEquals(Set.of(), pool().list());
    assertFalse(pool().exists(A));
  }

  @Test
  void a_new_volume_is_an_empty_directory_of_root_with_mode_0755() {
    pool().create(A);
    assertEquals(Map.of("/", "DIRECTORY 755 0:0"), bench().picture(A));
  }

  @Test
  void a_volume_is_listed_and_exists_by_its_id() {
    pool().create(A);
    assertTrue(pool().exists(A));
    assertFalse(pool().exists(B));
    assertEquals(Set.of(A), pool().list());
  }

  @Test
  void volumes_of_one_name_and_two_kinds_are_two_volumes() {
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      VolumeId id = new VolumeId(kind, "same");
      assertFalse(pool().exists(id));
      pool().create(id);
      bench().writeText(id, "kind", kind.name());
    }
    assertEquals(VolumeId.Kind.values().length, pool().list().size());
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      bench()
          .withTree(
              new VolumeId(kind, "same"),
              tree -> assertEquals(kind.name(), TreePicture.text(tree, "kind")));
    }
  }

  @Test
  void every_name_that_a_volume_may_have_works() {
    for (String name :
        List.of("0", "a.b_c-d", "x".repeat(100), "a..b", "lost-found", "5d0c1a.pre-upgrade")) {
      VolumeId id = new VolumeId(VolumeId.Kind.CUSTOM, name);
      pool().create(id);
      bench().writeText(id, "name", name);
      pool().copy(id, new VolumeId(VolumeId.Kind.SNAPSHOT, name), true);
      bench().withTree(id, tree -> assertEquals(name, TreePicture.text(tree, "name")));
      assertTrue(pool().list().contains(id), name);
    }
  }

  @Test
  void a_volume_that_exists_is_not_made_again() {
    pool().create(A);
    bench().writeText(A, "file", "kept");
    refused(CONFLICT, "a", () -> pool().create(A));
    bench().withTree(A, tree -> assertEquals("kept", TreePicture.text(tree, "file")));
  }

  @Test
  void a_volume_that_does_not_exist_has_no_files() {
    refused(NOT_FOUND, "b", () -> pool().tree(B, Tree.Resolution.BENEATH).close());
  }

  @Test
  void the_tree_of_a_volume_resolves_links_as_it_is_asked_to() {
    pool().create(A);
    bench()
        .withTree(
            A,
            tree -> {
              TreePicture.write(tree, "file", "inside");
              tree.symlink("/file", "link");
            });
    try (Tree tree = pool().tree(A, Tree.Resolution.IN_ROOT)) {
      assertEquals("inside", TreePicture.text(tree, "link"));
    }
    bench()
        .withTree(
            A,
            tree ->
                refused(
                    dev.stapes.model.StapesException.Kind.INVALID,
                    "link",
                    () -> tree.read("link")));
  }

  @Test
  void a_volume_keeps_everything_that_a_root_file_system_has() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    Map<String, String> picture = bench().picture(A);
    assertTrue(picture.get("/tool") != null, picture.toString());
    assertTrue(picture.getOrDefault("/tool", "").startsWith("FILE 6755 1000:1001"), "" + picture);
    assertTrue(picture.getOrDefault("/tool", "").contains("security.capability="), "" + picture);
    assertTrue(
        picture.getOrDefault("/etc/hostname-too", "").contains("same as /etc/hostname"),
        "" + picture);
    bench().reopen();
    assertEquals(picture, bench().picture(A));
  }

  @Test
  void a_copy_is_the_same_in_everything() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, B, false);
    assertEquals(bench().picture(A), bench().picture(B));
    assertEquals(Set.of(A, B), pool().list());
  }

  @Test
  @Tag("smoke")
  void a_copy_and_its_source_do_not_see_each_other_s_changes() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, B, false);
    Map<String, String> asCopied = bench().picture(B);
    bench()
        .withTree(
            A,
            tree -> {
              TreePicture.write(tree, "etc/hostname", "changed");
              tree.chmod("tool", 0700);
              tree.removeAll("home");
            });
    assertEquals(asCopied, bench().picture(B));
    Map<String, String> changed = bench().picture(A);
    bench()
        .withTree(
            B,
            tree -> {
              TreePicture.write(tree, "big", "small");
              tree.removeAll("etc");
            });
    assertEquals(changed, bench().picture(A));
    assertNotEquals(changed, bench().picture(B));
  }

  @Test
  void a_copy_can_be_copied_and_outlives_its_source() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    Map<String, String> picture = bench().picture(A);
    pool().copy(A, B, true);
    pool().discard(A);
    pool().copy(B, C, false);
    pool().discard(B);
    pool().reclaim();
    assertEquals(picture, bench().picture(C));
  }

  @Test
  void a_copy_onto_a_volume_that_exists_changes_neither() {
    pool().create(A);
    bench().writeText(A, "a", "a");
    pool().create(B);
    bench().writeText(B, "b", "b");
    Map<VolumeId, Map<String, String>> before = bench().state();
    refused(CONFLICT, "b", () -> pool().copy(A, B, false));
    refused(CONFLICT, "a", () -> pool().copy(A, A, false));
    assertEquals(before, bench().state());
  }

  @Test
  void a_copy_of_what_does_not_exist_leaves_nothing() {
    pool().create(A);
    refused(NOT_FOUND, "b", () -> pool().copy(B, C, false));
    refused(NOT_FOUND, "image", () -> pool().copy(IMAGE, C, true));
    assertEquals(Set.of(A), pool().list());
  }

  @Test
  @Tag("smoke")
  void a_read_only_copy_refuses_every_change() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    Map<String, String> before = bench().picture(SNAPSHOT);
    bench()
        .withTree(
            SNAPSHOT,
            tree -> {
              refused(() -> tree.write("etc/hostname", 0644).close());
              refused(() -> tree.create("new", 0644).close());
              refused(() -> tree.mkdir("new", 0755));
              refused(() -> tree.symlink("target", "new"));
              refused(() -> tree.hardlink("tool", "new"));
              refused(() -> tree.rename("tool", "new"));
              refused(() -> tree.remove("tool"));
              refused(() -> tree.removeAll("etc"));
              refused(() -> tree.chown("tool", 1, 1));
              refused(() -> tree.chmod("tool", 0700));
              refused(() -> tree.setXattr("tool", "user.new", new byte[] {1}));
            });
    assertEquals(before, bench().picture(SNAPSHOT));
  }

  @Test
  void a_read_only_copy_stays_read_only_after_a_reopen() {
    pool().create(A);
    pool().copy(A, SNAPSHOT, true);
    bench().reopen();
    bench().withTree(SNAPSHOT, tree -> refused(() -> tree.mkdir("new", 0755)));
  }

  @Test
  void a_writable_copy_of_a_read_only_one_can_be_changed() {
    pool().create(A);
    bench().writeText(A, "file", "old");
    pool().copy(A, SNAPSHOT, true);
    pool().copy(SNAPSHOT, B, false);
    bench().writeText(B, "file", "new");
    bench().withTree(SNAPSHOT, tree -> assertEquals("old", TreePicture.text(tree, "file")));
    bench().withTree(B, tree -> assertEquals("new", TreePicture.text(tree, "file")));
  }

  @Test
  void a_discarded_volume_is_gone_by_its_id() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().create(B);
    pool().discard(A);
    assertFalse(pool().exists(A));
    assertEquals(Set.of(B), pool().list());
    refused(NOT_FOUND, "a", () -> pool().tree(A, Tree.Resolution.BENEATH).close());
    refused(NOT_FOUND, "a", () -> pool().copy(A, C, false));
  }

  @Test
  void the_id_of_a_discarded_volume_can_be_used_at_once() {
    for (int round = 0; round < 3; round++) {
      pool().create(A);
      bench().withTree(A, tree -> assertNull(TreePicture.text(tree, "file")));
      bench().writeText(A, "file", "old");
      pool().discard(A);
    }
    pool().reclaim();
    assertEquals(Set.of(), pool().list());
  }

  @Test
  void a_read_only_volume_can_be_discarded() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    pool().discard(SNAPSHOT);
    pool().reclaim();
    assertEquals(Set.of(A), pool().list());
  }

  @Test
  @Tag("smoke")
  void volumes_that_are_discarded_together_are_gone_and_what_was_copied_from_them_is_not() {
    pool().create(A);
    bench().writeText(A, "file", "kept");
    List<VolumeId> all = new ArrayList<>(List.of(A, IMAGE));
    for (int number = 0; number < 5; number++) {
      VolumeId snapshot = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.s" + number);
      pool().copy(A, snapshot, true);
      all.add(snapshot);
    }
    pool().copy(all.get(4), B, false);
    pool().discardAll(all);
    assertEquals(Set.of(B), pool().list());
    pool().discardAll(all);
    pool().reclaim();
    bench().withTree(B, tree -> assertEquals("kept", TreePicture.text(tree, "file")));
    assertEquals(Set.of(B), pool().list());
  }

  @Test
  void discarding_what_does_not_exist_does_nothing() {
    pool().create(A);
    pool().discard(B);
    pool().discard(B);
    assertEquals(Set.of(A), pool().list());
  }

  @Test
  void reclaiming_touches_no_volume_that_exists() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, B, false);
    pool().copy(B, SNAPSHOT, true);
    pool().discard(B);
    Map<VolumeId, Map<String, String>> before = bench().state();
    pool().reclaim();
    pool().reclaim();
    assertEquals(before, bench().state());
  }

  @Test
  void a_pool_reopened_has_all_its_volumes_and_not_the_discarded_ones() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    pool().create(B);
    pool().discard(B);
    Map<VolumeId, Map<String, String>> before = bench().state();
    bench().reopen();
    assertEquals(before, bench().state());
    pool().reclaim();
    assertEquals(before, bench().state());
  }
}
