package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * The disk of a virtual machine: a raw file in its volume, which takes the space only of what has
 * been written to it. Not for use while the machine runs.
 */
public final class VolumeDisk {
  /** What a disk has where nothing else is asked for, as with Incus. */
  public static final Size USUAL = Size.ofGibibytes(10);

  static final int MODE = 0600;

  /** As with Incus: a size that every kind of volume can have. */
  private static final long STEP = 8 << 10;

  private final StoragePool pool;
  private final VolumeId volume;
  private final String subject;

  /**
   * Of a volume.
   *
   * @param subject what errors are about
   */
  public VolumeDisk(StoragePool pool, VolumeId volume, String subject) {
    this.pool = pool;
    this.volume = volume;
    this.subject = subject;
  }

  /** Makes an empty one in an empty volume. */
  public void create(Optional<Size> size) {
    try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH);
        Tree.NewFile file = tree.newFile(Machine.Disk.IMAGE)) {
      file.finish(new Tree.Attributes(0, 0, MODE, Map.of(), Instant.EPOCH));
    }
    fit(size);
  }

  /**
   * Makes it larger where it is smaller.
   *
   * @param wanted what it is to have; empty: at least {@link #USUAL}
   * @throws StapesException INVALID where it has more than is wanted
   */
  public void fit(Optional<Size> wanted) {
    try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH)) {
      long has = size(tree);
      long wants = rounded(wanted.orElse(USUAL).bytes());
      if (has > wants && wanted.isPresent()) {
        throw StapesException.invalid(
            subject,
            "its disk has "
                + Size.ofBytes(has)
                + ", and cannot shrink to "
                + wanted.get()
                + ": give its root disk a size of at least "
                + Size.ofBytes(has));
      }
      if (has < wants) {
        tree.resize(Machine.Disk.IMAGE, wants);
      }
    }
  }

  /** What it has. */
  public Size size() {
    try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH)) {
      return Size.ofBytes(size(tree));
    }
  }

  /** Takes back that it has grown, before anybody has written to it. */
  public void shrinkTo(Size before) {
    try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH)) {
      if (size(tree) > before.bytes()) {
        tree.resize(Machine.Disk.IMAGE, before.bytes());
      }
    }
  }

  private long size(Tree tree) {
    return tree.stat(Machine.Disk.IMAGE)
        .filter(stat -> stat.type() == Tree.Type.FILE)
        .orElseThrow(
            () ->
                new StapesException(
                    StapesException.Kind.INTERNAL,
                    subject,
                    "has no file " + Machine.Disk.IMAGE + " in its volume"))
        .size();
  }

  private static long rounded(long size) {
    return Math.addExact(size, STEP - 1) / STEP * STEP;
  }
}
