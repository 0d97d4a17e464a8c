package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Writes the root file system of an image into an empty directory: what is below {@code rootfs/} of
 * a unified archive, or all of the second archive of a split one. The archive is not trusted: the
 * kernel keeps every name below the directory (see {@link Tree.Resolution#BENEATH}), and beyond
 * that a name that appears twice, that goes through anything but a directory of this very archive,
 * or that is a link out of it, is an error.
 *
 * <p>Left out and counted: what is below {@code dev} (an instance gets its own), device nodes
 * elsewhere unless they are asked for, and extended attributes that mean something to the host
 * ({@code trusted.*}, labels of security modules). Used once.
 */
public final class RootfsUnpacker {
  private final TreeUnpacker files;
  private final boolean deviceNodes;
  private final ArchiveLimits limits;
  private final Decoders decoders;
  private boolean split;

  /**
   * Prepares.
   *
   * @param tree an empty directory, resolved BENEATH
   * @param deviceNodes whether device nodes are made
   * @param decoders of the archive
   */
  public RootfsUnpacker(Tree tree, boolean deviceNodes, ArchiveLimits limits, Decoders decoders) {
    this.files = new TreeUnpacker(tree);
    this.deviceNodes = deviceNodes;
    this.limits = limits;
    this.decoders = decoders;
  }

  /**
   * What was written.
   *
   * @param entries files, directories and all else
   * @param bytes of files
   * @param leftOut things that were left out
   * @param attributesLeftOut extended attributes that were left out
   */
  public record Unpacked(long entries, long bytes, long leftOut, long attributesLeftOut) {}

  /**
   * Unpacks; what was written before an error stays.
   *
   * @throws StapesException INVALID, quoting the entry; what the tree says where it could not be
   *     written; INTERRUPTED
   */
  public Unpacked unpack(ImageParts image, Progress progress) {
    split = image.rootfs().isPresent();
    try (files) {
      boolean found = write(image.rootfs().orElse(image.archive()), progress);
      if (!found) {
        throw BadArchive.because(split ? "is empty" : "has no rootfs/ directory");
      }
      files.finish();
    }
    return new Unpacked(files.entries(), files.bytes(), files.leftOut(), files.attributesLeftOut());
  }

  private boolean write(Path archive, Progress progress) {
    if (split && SquashReader.isSquash(archive)) {
      try (SquashReader entries =
          SquashReader.open(archive, limits, decoders, progress, "unpack")) {
        return write(entries);
      }
    }
    try (ArchiveInput in = ArchiveInput.openAhead(archive, limits, decoders, progress, "unpack")) {
      return write(new TarReader(in, limits));
    }
  }

  /** Whether there was anything of a root file system. */
  private boolean write(ImageEntries entries) {
    boolean found = false;
    for (Optional<TarEntry> next = entries.next(); next.isPresent(); next = entries.next()) {
      EntryPath path = path(next.get().name());
      if (path.isRootfs()) {
        found = true;
        write(next.get(), path, entries);
      }
    }
    return found;
  }

  private EntryPath path(String name) {
    return split ? EntryPath.ofRootfs(name, limits) : EntryPath.of(name, limits);
  }

  private void write(TarEntry entry, EntryPath path, ImageEntries reader) {
    String name = path.inRootfs();
    if (isLeftOut(entry, path)) {
      files.leaveOut(name);
      return;
    }
    files.write(name, entry, () -> first(entry).inRootfs(), reader);
  }

  private EntryPath first(TarEntry entry) {
    EntryPath first = path(entry.link());
    if (!first.isRootfs()) {
      throw BadArchive.entry(
          entry.name(), "a hard link to " + BadArchive.quote(entry.link()) + " outside of rootfs/");
    }
    return first;
  }

  private boolean isLeftOut(TarEntry entry, EntryPath path) {
    return isLeftOut(entry, path, deviceNodes);
  }

  /** Whether an instance gets it from elsewhere, or not at all. */
  static boolean isLeftOut(TarEntry entry, EntryPath path, boolean deviceNodes) {
    return path.isBelow("dev") || (TreeUnpacker.isDevice(entry) && !deviceNodes);
  }
}
