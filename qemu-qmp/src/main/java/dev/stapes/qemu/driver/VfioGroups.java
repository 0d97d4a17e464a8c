package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The nodes of IOMMU groups, which QEMU opens by their names: each belongs to the user of the
 * machine that has it, and to root again when that has ended.
 *
 * @param directory of the nodes
 */
record VfioGroups(Path directory) {
  private static final String OWNER = "unix:uid";
  private static final int ROOT = 0;

  /**
   * Lets a user open one.
   *
   * @throws StapesException BUSY where it is another one's
   */
  static synchronized void give(String subject, Path node, long user) {
    try {
      int owner = owner(node);
      if (owner != ROOT && owner != user) {
        throw new StapesException(
            Kind.BUSY, subject, node + " belongs to another machine, of the user " + owner);
      }
      Files.setAttribute(node, OWNER, (int) user, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      throw IoFailure.of(subject, node + " cannot be given to its user", e);
    }
  }

  /** Takes away what belongs to the owner of a directory. */
  void takeFromOwnerOf(Path machine) throws IOException {
    int user = owner(machine);
    if (user == ROOT) {
      return;
    }
    for (Path node : HostSysfs.children(directory, "\\d+")) {
      try {
        if (owner(node) == user) {
          Files.setAttribute(node, OWNER, ROOT, LinkOption.NOFOLLOW_LINKS);
        }
      } catch (NoSuchFileException e) {
        // its devices have left VFIO meanwhile
      }
    }
  }

  private static int owner(Path path) throws IOException {
    return ((Number) Files.getAttribute(path, OWNER, LinkOption.NOFOLLOW_LINKS)).intValue();
  }
}
