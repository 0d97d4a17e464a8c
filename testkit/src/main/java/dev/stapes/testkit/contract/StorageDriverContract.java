package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every storage driver must do. A driver's test extends it and gives its provider:
 *
 * <pre>{@code
 * @RequiresRoot
 * @RequiresKernel("btrfs")
 * class BtrfsContractIT extends StorageDriverContract {
 *   @Override
 *   protected StorageDriverProvider provider() {
 *     return new BtrfsProvider();
 *   }
 * }
 * }</pre>
 *
 * <p>The machine is the host provider that the service loader finds; {@link #openHost} gives
 * another. Each test has a pool of its own in a directory of its own below {@code java.io.tmpdir},
 * and fails if anything of it is left on the machine at its end. A driver that calls the machine by
 * bindings of its own overrides {@link #provider(dev.stapes.testkit.Faults)} too, so that each of
 * these calls can be made to fail. What a pool cannot do ({@link StoragePool#quotas} and the other
 * capabilities) is skipped.
 *
 * <p>A few tests that together touch most of a driver have the tag {@code smoke}, for where each
 * takes seconds.
 *
 * <p>The property runs 10 random sequences of operations; {@code @PropertyDefaults} on the driver's
 * test changes that.
 */
@PropertyDefaults(tries = 10, edgeCases = EdgeCasesMode.NONE)
public abstract class StorageDriverContract extends StorageFailureTests {

  /** For subclasses. */
  protected StorageDriverContract() {}

  @Test
  @Tag("smoke")
  void the_driver_works_on_this_host() {
    assertEquals(Availability.available(), bench().provider().probe(bench().host()));
  }

  @Test
  void the_driver_s_keys_are_declared_once_with_a_doc_and_a_default_that_parses() {
    List<ConfigKey<?>> keys = bench().provider().poolKeys();
    assertEquals(keys, new ConfigSchema(keys).keys());
    for (ConfigKey<?> key : keys) {
      assertFalse(key.doc().isBlank(), key.name());
      key.defaultText().ifPresent(text -> assertDoesNotThrow(() -> key.parse(text)));
    }
  }

  @Test
  void a_pool_says_what_it_is() {
    PoolInfo info = pool().info();
    assertEquals(bench().spec().name(), info.name());
    assertEquals(bench().provider().name(), info.driver());
    assertEquals(bench().spec().config(), info.config());
    assertTrue(info.total().bytes() > 0, info.toString());
    assertTrue(info.used().compareTo(info.total()) <= 0, info.toString());
  }

  @Test
  void a_pool_that_was_never_made_is_not_opened_and_not_made() throws IOException {
    Path empty = Files.createDirectory(bench().directory().resolve("empty"));
    refused(
        UNAVAILABLE,
        "other",
        () -> bench().provider().open(bench().host(), otherPoolSpec(), empty).close());
    assertEquals(Set.of(), HostLeftovers.filesBelow(empty));
    refused(
        UNAVAILABLE,
        "other",
        () ->
            bench()
                .provider()
                .open(bench().host(), otherPoolSpec(), empty.resolve("missing"))
                .close());
  }

  @Test
  void a_source_that_is_not_empty_is_refused_and_not_touched() throws IOException {
    Assumptions.assumeTrue(
        bench().provider().poolKeys().stream().anyMatch(key -> key.name().equals("source")),
        "the driver takes no source");
    Path own = Files.createDirectory(bench().directory().resolve("own"));
    Path source = Files.createDirectory(bench().directory().resolve("source"));
    Files.writeString(source.resolve("somebody's"), "data");
    PoolSpec spec = PoolSpec.of("other", bench().provider().name()).source(source.toString());
    refused(
        CONFLICT, source.toString(), () -> bench().provider().create(bench().host(), spec, own));
    assertEquals(Set.of("file " + source.resolve("somebody's")), HostLeftovers.filesBelow(source));
    assertEquals("data", Files.readString(source.resolve("somebody's")));
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  @Test
  void a_destroyed_pool_is_closed_and_cannot_be_opened() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, SNAPSHOT, true);
    StoragePool destroyed = pool();
    bench().destroy();
    assertEquals(Set.of(), HostLeftovers.filesBelow(bench().poolDirectory()));
    refused(UNAVAILABLE, "contract", () -> destroyed.create(B));
    destroyed.close();
    refused(
        UNAVAILABLE,
        "contract",
        () ->
            bench()
                .provider()
                .open(bench().host(), bench().spec(), bench().poolDirectory())
                .close());
  }

  @Test
  void a_pool_can_be_made_again_where_one_was_destroyed() {
    pool().create(A);
    bench().destroy();
    StoragePool again =
        bench().provider().create(bench().host(), bench().spec(), bench().poolDirectory());
    assertEquals(Set.of(), again.list());
    again.destroy();
  }

  @Test
  @Tag("smoke")
  void a_removal_that_was_cut_short_is_finished_by_a_sweep_and_again_by_none() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().close();
    for (int i = 0; i < 2; i++) {
      bench()
          .provider()
          .sweep(bench().host(), bench().spec(), bench().poolDirectory(), Unfinished.REMOVAL);
      refused(
          UNAVAILABLE,
          "contract",
          () ->
              bench()
                  .provider()
                  .open(bench().host(), bench().spec(), bench().poolDirectory())
                  .close());
    }
    StoragePool again =
        bench().provider().create(bench().host(), bench().spec(), bench().poolDirectory());
    assertEquals(Set.of(), again.list());
    again.destroy();
    bench().forgetPool();
  }

  @Test
  void a_creation_that_did_not_begin_leaves_what_others_have_to_them() throws IOException {
    pool().create(A);
    Path other = Files.createDirectory(bench().directory().resolve("other"));
    bench().provider().sweep(bench().host(), bench().spec(), other, Unfinished.CREATION);
    assertEquals(Set.of(A), pool().list());
    bench().reopen();
    assertEquals(Set.of(A), pool().list());
    assertEquals(Set.of(), HostLeftovers.filesBelow(other));
  }

  @Test
  void two_pools_do_not_know_each_other() throws IOException {
    Path other = Files.createDirectory(bench().directory().resolve("other"));
    PoolSpec spec = otherPoolSpec();
    StoragePool second = bench().provider().create(bench().host(), spec, other);
    try {
      pool().create(A);
      assertFalse(second.exists(A));
      second.create(A);
      bench().writeText(A, "file", "first");
      try (var tree = second.tree(A, dev.stapes.spi.Tree.Resolution.BENEATH)) {
        assertEquals(List.of(), tree.list("/"));
      }
    } finally {
      second.destroy();
    }
    assertEquals(Set.of(A), pool().list());
  }

  @Test
  void closing_again_does_nothing() {
    pool().close();
    pool().close();
    bench().reopen();
    assertEquals(Set.of(), pool().list());
  }

  /** The model-based property; run by jqwik. */
  @Property
  void any_sequence_of_operations_does_what_a_simple_model_says(
      @ForAll("sequences") List<StorageAction> actions) {
    try (StorageBench world = StorageBench.open(this)) {
      StorageModel model = new StorageModel();
      for (StorageAction action : actions) {
        model.run(action, world);
      }
      assertEquals(model.expected(), StorageModel.actual(world));
    }
  }

  /** Sequences of up to 30 operations on six volumes. */
  @Provide
  Arbitrary<List<StorageAction>> sequences() {
    return StorageAction.any().list().ofMinSize(1).ofMaxSize(30);
  }
}
