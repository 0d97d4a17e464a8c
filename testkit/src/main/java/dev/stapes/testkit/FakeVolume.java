package dev.stapes.testkit;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongConsumer;

/** A file system in memory. Its own lock guards all of it. */
final class FakeVolume {
  final FakeInode root;
  final UUID identity;
  private final LongConsumer space;
  private final boolean readOnly;
  private Optional<Size> limit = Optional.empty();
  private long used;

  /**
   * A volume.
   *
   * @param space is told how many bytes more or less are used before they are; throws where there
   *     are no more
   */
  FakeVolume(FakeInode root, UUID identity, boolean readOnly, LongConsumer space) {
    this.root = root;
    this.identity = identity;
    this.readOnly = readOnly;
    this.space = space;
    this.used = sum(root, new IdentityHashMap<>());
    space.accept(used);
  }

  /** An empty one, of which nobody counts the space. */
  static FakeVolume unlimited() {
    return new FakeVolume(emptyRoot(), UUID.randomUUID(), false, bytes -> {});
  }

  static FakeInode emptyRoot() {
    return new FakeInode(Tree.Type.DIRECTORY, 0755);
  }

  synchronized FakeVolume copy(boolean copyReadOnly, LongConsumer copySpace) {
    return new FakeVolume(root.copy(), UUID.randomUUID(), copyReadOnly, copySpace);
  }

  synchronized boolean isReadOnly() {
    return readOnly;
  }

  synchronized long used() {
    return used;
  }

  synchronized void limit(Optional<Size> most) {
    limit = most;
  }

  synchronized Optional<Size> limit() {
    return limit;
  }

  /** Before so many bytes more (or less) are used. */
  void charge(String path, long bytes) {
    if (bytes > 0 && limit.isPresent() && used + bytes > limit.get().bytes()) {
      throw new StapesException(
          StapesException.Kind.EXHAUSTED,
          path,
          "cannot write: the volume's limit of " + limit.get() + " is reached (EDQUOT)");
    }
    space.accept(bytes);
    used += bytes;
  }

  private static long sum(FakeInode inode, Map<FakeInode, Boolean> seen) {
    if (seen.put(inode, true) != null) {
      return 0;
    }
    long sum = inode.stored();
    for (FakeInode child : inode.children.values()) {
      sum += sum(child, seen);
    }
    return sum;
  }
}
