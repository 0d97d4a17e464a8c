package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Map;

/**
 * Copies disks byte by byte between volumes that have them as files or as devices. Blocks of zeros
 * are left out, so that a copy takes no more space than what it is of.
 */
public final class DiskTransfer {
  private static final int CHUNK = 1 << 20;

  private DiskTransfer() {}

  /**
   * Copies the disk of a volume to one that has none yet, or one of zeros.
   *
   * @param progress is told of bytes
   * @throws StapesException INTERRUPTED; what the trees say
   */
  public static void copy(Tree from, Tree to, Progress progress) {
    long size = from.stat(Machine.Disk.IMAGE).map(Tree.Stat::size).orElse(-1L);
    try (InputStream in = from.read(Machine.Disk.IMAGE)) {
      long done = fill(in, to, size, progress);
      if (done != size) {
        throw new StapesException(
            StapesException.Kind.INTERNAL, "disk", "has " + size + " bytes, and gave " + done);
      }
    } catch (IOException e) {
      throw DiskError.of("disk", "cannot be read", e);
    }
  }

  /**
   * Writes the disk of a volume, and answers how many bytes it has.
   *
   * @param in is read to its end
   * @param size that progress is told of; -1: not known
   */
  public static long fill(InputStream in, Tree to, long size, Progress progress)
      throws IOException {
    Blocks blocks = new Blocks(CHUNK, 1);
    long done = 0;
    try (Tree.NewFile file = to.newFile(Machine.Disk.IMAGE)) {
      SparseContent content = new SparseContent(file);
      while (true) {
        Blocks.Block block = blocks.take();
        int count = in.readNBytes(block.bytes(), 0, CHUNK);
        if (count == 0) {
          break;
        }
        content.data(block, 0, count); // which takes note of an interrupt
        block.release();
        done += count;
        progress.update("copy", done, size);
      }
      content.finish();
      file.finish(new Tree.Attributes(0, 0, VolumeDisk.MODE, Map.of(), Instant.EPOCH));
    }
    return done;
  }
}
