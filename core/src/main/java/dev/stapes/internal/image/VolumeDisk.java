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
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The disk of a virtual machine: a raw file in its volume, or a block device beside it, which takes
 * the space only of what has been written to it. Not for use while the machine runs.
 */
public final class VolumeDisk {
  /** What a disk has where nothing else is asked for, as with Incus. */
  public static final Size USUAL = Size.ofGibibytes(10);

  static final int MODE = 0600;

  /** As with Incus: a size that every kind of volume can have. */
  private static final long STEP = 8 << 10;

  /**
   * A device may have so much more than was asked for, as pools are divided; and so may a file that
   * was made of one, which is not small then.
   */
  private static final long EXTENT = 64 << 20;

  private static final long PART = 16;

  private final Supplier<Tree> files;
  private final Consumer<Size> device;
  private final String subject;

  /**
   * Of a volume.
   *
   * @param subject what errors are about
   */
  public VolumeDisk(StoragePool pool, VolumeId volume, String subject) {
    this(
        () -> pool.tree(volume, Tree.Resolution.BENEATH),
        size -> PairedPool.makeDevice(pool, volume, size),
        subject);
  }

  /**
   * Of what is opened when it is needed.
   *
   * @param subject what errors are about
   */
  public VolumeDisk(Supplier<Tree> files, String subject) {
    this(files, size -> {}, subject);
  }

  private VolumeDisk(Supplier<Tree> files, Consumer<Size> device, String subject) {
    this.files = files;
    this.device = device;
    this.subject = subject;
  }

  /** Makes an empty one in an empty volume, or beside it. */
  public void create(Optional<Size> size) {
    device.accept(Size.ofBytes(rounded(size.orElse(USUAL).bytes())));
    try (Tree tree = files.get();
        Tree.NewFile file = tree.newFile(Machine.Disk.IMAGE)) {
      file.finish(new Tree.Attributes(0, 0, MODE, Map.of(), Instant.EPOCH));
    }
    growTo(size.orElse(USUAL)); // a pool may have given more
  }

  /**
   * Makes it larger where it is smaller.
   *
   * @param wanted what it is to have; empty: at least {@link #USUAL}
   * @throws StapesException INVALID where it has more than is wanted, by more than pools round up
   */
  public void fit(Optional<Size> wanted) {
    try (Tree tree = files.get()) {
      long has = size(tree);
      long wants = rounded(wanted.orElse(USUAL).bytes());
      long spare = tree instanceof PairedTree ? EXTENT : Math.min(EXTENT, wants / PART);
      long most = Math.addExact(wants, spare);
      if (has > most && wanted.isPresent()) {
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

  /** Makes it larger where it is smaller than this. */
  public void growTo(Size wanted) {
    try (Tree tree = files.get()) {
      long wants = rounded(wanted.bytes());
      if (size(tree) < wants) {
        tree.resize(Machine.Disk.IMAGE, wants);
      }
    }
  }

  /** What it has. */
  public Size size() {
    try (Tree tree = files.get()) {
      return Size.ofBytes(size(tree));
    }
  }

  /** Takes back that it has grown, before anybody has written to it. */
  public void shrinkTo(Size before) {
    try (Tree tree = files.get()) {
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
