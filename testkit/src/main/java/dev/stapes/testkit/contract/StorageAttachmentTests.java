package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How a pool makes volumes available to machines. */
abstract class StorageAttachmentTests extends StorageVolumeTests {
  private static final IdMapping MAP = IdMapping.of(1_000_000, 65_536);

  @Test
  void an_attached_volume_shows_its_files_in_the_host_s_mount_namespace() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    try (Attachment attachment = pool().attach(A, Optional.empty(), false);
        Tree tree = open(attachment)) {
      assertEquals(Optional.empty(), attachment.mapped());
      assertTrue(attachment.path().isAbsolute());
      assertEquals(bench().picture(A), TreePicture.of(tree));
    }
  }

  @Test
  void what_is_written_to_an_attached_volume_is_in_the_volume() {
    pool().create(A);
    try (Attachment attachment = pool().attach(A, Optional.empty(), false);
        Tree tree = open(attachment)) {
      TreePicture.write(tree, "file", "written");
      tree.chown("file", 1000, 1001);
    }
    bench()
        .withTree(
            A,
            tree -> {
              assertEquals("written", TreePicture.text(tree, "file"));
              assertEquals(1000, tree.stat("file").orElseThrow().uid());
            });
    bench().reopen();
    bench().withTree(A, tree -> assertEquals("written", TreePicture.text(tree, "file")));
  }

  @Test
  void a_volume_attached_read_only_refuses_changes() {
    pool().create(A);
    bench().writeText(A, "file", "kept");
    try (Attachment attachment = pool().attach(A, Optional.empty(), true);
        Tree tree = open(attachment)) {
      refused(() -> tree.mkdir("new", 0755));
      refused(() -> tree.write("file", 0644).close());
      assertEquals("kept", TreePicture.text(tree, "file"));
    }
  }

  @Test
  void a_read_only_volume_can_be_attached_read_only() {
    pool().create(A);
    bench().writeText(A, "file", "kept");
    pool().copy(A, IMAGE, true);
    try (Attachment attachment = pool().attach(IMAGE, Optional.empty(), true);
        Tree tree = open(attachment)) {
      assertEquals("kept", TreePicture.text(tree, "file"));
      refused(() -> tree.mkdir("new", 0755));
    }
  }

  @Test
  void owners_appear_as_the_attachment_says() {
    pool().create(A);
    bench()
        .withTree(
            A,
            tree -> {
              TreePicture.write(tree, "file", "");
              tree.chown("file", 1000, 1001);
            });
    try (Attachment attachment = pool().attach(A, Optional.of(MAP), false);
        Tree tree = open(attachment)) {
      boolean mapped = attachment.mapped().isPresent();
      attachment.mapped().ifPresent(map -> assertEquals(MAP, map));
      Tree.Stat stat = tree.stat("file").orElseThrow();
      assertEquals(mapped ? 1_001_000 : 1000, stat.uid());
      assertEquals(mapped ? 1_001_001 : 1001, stat.gid());
    }
    bench().withTree(A, tree -> assertEquals(1000, tree.stat("file").orElseThrow().uid()));
  }

  @Test
  void the_owner_of_a_file_made_below_a_mapped_attachment_is_the_one_inside() {
    pool().create(A);
    try (Attachment attachment = pool().attach(A, Optional.of(MAP), false)) {
      Optional<IdMapping> seen = attachment.mapped();
      try (Tree tree =
          bench()
              .host()
              .tree(
                  bench().host().mounts().local(attachment.path()),
                  Tree.Resolution.IN_ROOT,
                  seen)) {
        TreePicture.write(tree, "file", "");
        assertEquals(0, tree.stat("file").orElseThrow().uid());
        tree.chown("file", 33, 34);
      }
    }
    bench()
        .withTree(
            A,
            tree -> {
              assertEquals(33, tree.stat("file").orElseThrow().uid());
              assertEquals(34, tree.stat("file").orElseThrow().gid());
            });
  }

  @Test
  void what_does_not_exist_cannot_be_attached() {
    refused(NOT_FOUND, "a", () -> pool().attach(A, Optional.empty(), false).close());
  }

  @Test
  void a_detached_volume_can_be_attached_again_and_discarded() {
    pool().create(A);
    for (int round = 0; round < 3; round++) {
      try (Attachment attachment = pool().attach(A, Optional.empty(), false);
          Tree tree = open(attachment)) {
        TreePicture.write(tree, "round-" + round, "");
      }
    }
    bench().withTree(A, tree -> assertEquals(3, tree.list("/").size()));
    pool().discard(A);
    pool().reclaim();
  }

  @Test
  void closing_an_attachment_again_does_nothing() {
    pool().create(A);
    Attachment first = pool().attach(A, Optional.empty(), false);
    first.close();
    try (Attachment second = pool().attach(A, Optional.empty(), false);
        Tree tree = open(second)) {
      first.close();
      TreePicture.write(tree, "file", "still attached");
    }
    bench().withTree(A, tree -> assertEquals("still attached", TreePicture.text(tree, "file")));
  }

  @Test
  void volumes_attached_at_once_do_not_get_in_each_other_s_way() {
    pool().create(A);
    pool().create(B);
    try (Attachment a = pool().attach(A, Optional.empty(), false);
        Attachment b = pool().attach(B, Optional.of(MAP), false);
        Tree treeA = open(a)) {
      TreePicture.write(treeA, "file", "a");
      b.close();
      TreePicture.write(treeA, "file", "still a");
    }
    bench().withTree(A, tree -> assertEquals("still a", TreePicture.text(tree, "file")));
    bench().withTree(B, tree -> assertEquals(java.util.List.of(), tree.list("/")));
  }

  @Test
  void closing_the_pool_detaches_what_nobody_holds() {
    pool().create(A);
    Attachment attachment = pool().attach(A, Optional.of(MAP), false);
    bench().reopen();
    attachment.close();
    assertEquals(
        java.util.List.of(),
        bench().host().mounts().below(attachment.path()).stream()
            .filter(entry -> entry.target().equals(attachment.path()))
            .toList());
    pool().discard(A);
    pool().reclaim();
  }

  @Test
  void a_copy_of_an_attached_volume_has_what_was_written_so_far() {
    pool().create(A);
    try (Attachment attachment = pool().attach(A, Optional.of(MAP), false)) {
      Optional<IdMapping> seen = attachment.mapped();
      try (Tree tree =
          bench()
              .host()
              .tree(
                  bench().host().mounts().local(attachment.path()),
                  Tree.Resolution.BENEATH,
                  seen)) {
        TreePicture.write(tree, "file", "so far");
        pool().copy(A, SNAPSHOT, true);
        TreePicture.write(tree, "file", "later");
      }
    }
    bench().withTree(SNAPSHOT, tree -> assertEquals("so far", TreePicture.text(tree, "file")));
    bench().withTree(SNAPSHOT, tree -> assertEquals(0, tree.stat("file").orElseThrow().uid()));
  }

  private Tree open(Attachment attachment) {
    return bench()
        .host()
        .tree(bench().host().mounts().local(attachment.path()), Tree.Resolution.BENEATH);
  }
}
