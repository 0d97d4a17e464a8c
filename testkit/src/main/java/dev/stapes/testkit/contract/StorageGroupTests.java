package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.spi.StoragePool.GroupCopies;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Copies of several volumes as of one moment; a pool that has none skips these, and says so. */
abstract class StorageGroupTests extends StorageBlockTests {
  private static final VolumeId OF_A = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.group");
  private static final VolumeId OF_B = new VolumeId(VolumeId.Kind.SNAPSHOT, "b.group");

  @Test
  void copies_of_a_group_are_read_only_and_all_there() {
    GroupCopies group = group();
    pool().create(A);
    pool().create(B);
    bench().writeText(A, "file", "a");
    bench().writeText(B, "file", "b");
    group.copy(Map.of(A, OF_A, B, OF_B));
    bench().writeText(A, "file", "later");
    bench().withTree(OF_A, tree -> assertEquals("a", TreePicture.text(tree, "file")));
    bench().withTree(OF_B, tree -> assertEquals("b", TreePicture.text(tree, "file")));
    bench().withTree(OF_B, tree -> refused(() -> tree.mkdir("new", 0755)));
    bench().reopen();
    assertEquals(Set.of(A, B, OF_A, OF_B), pool().list());
  }

  @Test
  void a_group_with_one_that_cannot_be_copied_leaves_none() {
    GroupCopies group = group();
    pool().create(A);
    pool().create(B);
    refused(NOT_FOUND, "c", () -> group.copy(Map.of(A, OF_A, C, OF_B)));
    pool().copy(B, OF_B, true);
    refused(CONFLICT, "b", () -> group.copy(Map.of(A, OF_A, B, OF_B)));
    assertEquals(Set.of(A, B, OF_B), pool().list());
  }

  /** A writer goes to and fro: it makes an entry in one before it makes it in the other. */
  @Test
  void what_was_written_first_is_in_the_copies_where_what_was_written_then_is() throws Exception {
    GroupCopies group = group();
    pool().create(A);
    pool().create(B);
    ExecutorService behind = Executors.newSingleThreadExecutor();
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch begun = new CountDownLatch(1);
    try (Tree first = pool().tree(A, Tree.Resolution.BENEATH);
        Tree then = pool().tree(B, Tree.Resolution.BENEATH)) {
      Future<Integer> writer =
          behind.submit(
              () -> {
                int n = 0;
                for (; !stop.get(); n++) {
                  first.mkdir("d" + n, 0755);
                  then.mkdir("d" + n, 0755);
                  begun.countDown();
                }
                return n;
              });
      try {
        assertTrue(begun.await(60, TimeUnit.SECONDS));
        for (int i = 0; i < 3; i++) {
          group.copy(Map.of(A, OF_A, B, OF_B));
          int written = entries(OF_A);
          int followed = entries(OF_B);
          assertTrue(
              followed <= written && written <= followed + 1, written + ", then " + followed);
          pool().discard(OF_A);
          pool().discard(OF_B);
        }
      } finally {
        stop.set(true);
        assertTrue(writer.get() > 0);
      }
    } finally {
      behind.shutdownNow();
    }
  }

  private int entries(VolumeId id) {
    try (Tree tree = pool().tree(id, Tree.Resolution.BENEATH)) {
      return tree.list("").size();
    }
  }

  private GroupCopies group() {
    return can(pool().groupCopies(), "copies of several volumes at once");
  }
}
