package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.LongFunction;

/** Writes images of CDs of which nobody knows where they come from into volumes. */
public final class IsoImport {
  private IsoImport() {}

  /**
   * Writes one, and answers its size.
   *
   * @param subject what errors are about
   * @param in is read to its end
   * @param size that progress is told of; empty: not known
   * @param volume makes the place for it, when it is known that it is one and how many bytes it has
   *     at least, 0 where it does not say
   * @throws StapesException INVALID where it is no such image, or was cut; INTERRUPTED; what the
   *     volume says
   */
  public static Size read(
      String subject,
      InputStream in,
      Optional<Size> size,
      LongFunction<Tree> volume,
      Progress progress) {
    try {
      IsoHeader header = IsoHeader.read(subject, in);
      try (Tree tree = volume.apply(header.least())) {
        long total = size.map(Size::bytes).orElse(-1L);
        long bytes = DiskTransfer.fill(header.whole(in), tree, total, progress);
        header.requireWhole(subject, bytes);
        return Size.ofBytes(bytes);
      }
    } catch (IOException e) {
      throw DiskError.of(subject, "the image cannot be read", e, StapesException.Kind.UNAVAILABLE);
    }
  }
}
