package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes the root file system of a unified image archive into an empty directory. The archive is
 * not trusted: the kernel keeps every name below the directory (see {@link
 * Tree.Resolution#BENEATH}), and beyond that a name that appears twice, that goes through anything
 * but a directory of this very archive, or that is a link out of it, is an error.
 *
 * <p>Left out and counted: what is below {@code dev} (an instance gets its own), device nodes
 * elsewhere unless they are asked for, and extended attributes that mean something to the host
 * ({@code trusted.*}, labels of security modules). Used once.
 */
final class RootfsUnpacker {
  private static final String ROOT = "/";
  private static final int UNFINISHED_DIRECTORY = 0700;
  private static final int UNFINISHED_FILE = 0600;
  private static final int IMPLIED_DIRECTORY = 0755;

  private static final long REMEMBERED_LIMIT = 256L << 20;
  private static final long REMEMBERED_EACH = 256; // what an object and its place in a map take

  private final Tree tree;
  private final boolean deviceNodes;
  private final ArchiveLimits limits;
  private final Map<String, Optional<TarEntry>> directories = new HashMap<>();
  private final Set<String> leftOut = new HashSet<>();
  private long entries;
  private long bytes;
  private long attributesLeftOut;
  private long remembered;

  /**
   * Prepares.
   *
   * @param tree an empty directory, resolved BENEATH
   * @param deviceNodes whether device nodes are made
   */
  RootfsUnpacker(Tree tree, boolean deviceNodes, ArchiveLimits limits) {
    this.tree = tree;
    this.deviceNodes = deviceNodes;
    this.limits = limits;
  }

  /**
   * What was written.
   *
   * @param entries files, directories and all else
   * @param bytes of files
   * @param leftOut things that were left out
   * @param attributesLeftOut extended attributes that were left out
   */
  record Unpacked(long entries, long bytes, long leftOut, long attributesLeftOut) {}

  /**
   * Unpacks; what was written before an error stays.
   *
   * @throws StapesException INVALID, quoting the entry; what the tree says where it could not be
   *     written; INTERRUPTED
   */
  Unpacked unpack(Path archive, Progress progress) {
    directories.put("", Optional.empty());
    boolean found = false;
    try (ArchiveInput in = ArchiveInput.open(archive, limits, progress, "unpack")) {
      TarReader reader = new TarReader(in, limits);
      for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
        EntryPath path = EntryPath.of(next.get().name(), limits);
        if (path.isRootfs()) {
          found = true;
          write(next.get(), path, reader);
        }
      }
    }
    if (!found) {
      throw BadArchive.because("has no rootfs/ directory");
    }
    finishDirectories();
    return new Unpacked(entries, bytes, leftOut.size(), attributesLeftOut);
  }

  private void write(TarEntry entry, EntryPath path, TarReader reader) {
    String name = path.inRootfs();
    if (isLeftOut(entry, path)) {
      leaveOut(name);
      return;
    }
    try {
      if (entry.kind() == TarEntry.Kind.DIRECTORY) {
        directory(name, entry);
      } else {
        if (name.isEmpty()) {
          throw BadArchive.entry(entry.name(), "must be a directory");
        }
        parents(name, entry);
        make(name, entry, reader);
      }
      entries++;
    } catch (StapesException e) {
      throw explained(entry, e);
    }
  }

  private boolean isLeftOut(TarEntry entry, EntryPath path) {
    if (path.isBelow("dev")) {
      return true;
    }
    boolean device =
        entry.kind() == TarEntry.Kind.CHARACTER_DEVICE
            || entry.kind() == TarEntry.Kind.BLOCK_DEVICE;
    // The character device 0:0 is the mark of a deleted file in an overlay, and opens nothing.
    boolean whiteout =
        entry.kind() == TarEntry.Kind.CHARACTER_DEVICE && entry.major() == 0 && entry.minor() == 0;
    return device && !deviceNodes && !whiteout;
  }

  private void leaveOut(String name) {
    remembered += REMEMBERED_EACH + name.length();
    leftOut.add(name);
  }

  private void directory(String name, TarEntry entry) {
    if (!directories.containsKey(name)) {
      parents(name, entry);
      tree.mkdir(name, UNFINISHED_DIRECTORY);
    }
    remember(name, Optional.of(entry));
  }

  /** Makes the directories above that the archive has not named before. */
  private void parents(String name, TarEntry entry) {
    int slash = name.lastIndexOf('/');
    String parent = slash < 0 ? "" : name.substring(0, slash);
    if (directories.containsKey(parent)) {
      return;
    }
    parents(parent, entry);
    try {
      tree.mkdir(parent, IMPLIED_DIRECTORY);
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.CONFLICT) {
        throw e;
      }
      throw BadArchive.entry(
          entry.name(), "goes through " + BadArchive.quote(parent) + ", which is no directory", e);
    }
    remember(parent, Optional.empty());
  }

  /** What is kept in memory until the end may not exhaust it. */
  private void remember(String name, Optional<TarEntry> entry) {
    remembered += REMEMBERED_EACH + name.length();
    for (byte[] attribute : entry.map(TarEntry::xattrs).orElseGet(TreeMap::new).values()) {
      remembered += REMEMBERED_EACH + attribute.length;
    }
    if (remembered > REMEMBERED_LIMIT) {
      throw BadArchive.because("has too many directories, or too large attributes of them");
    }
    directories.put(name, entry);
  }

  private void make(String name, TarEntry entry, TarReader reader) {
    switch (entry.kind()) {
      case FILE -> file(name, entry, reader);
      case SYMLINK -> {
        if (entry.link().isEmpty()) {
          throw BadArchive.entry(entry.name(), "a symbolic link to nothing");
        }
        tree.symlink(entry.link(), name);
        tree.chown(name, entry.uid(), entry.gid());
        attributes(name, entry);
        tree.setModified(name, entry.modifiedAt());
      }
      case HARDLINK -> hardlink(name, entry);
      case FIFO -> {
        tree.mkfifo(name, UNFINISHED_FILE);
        finish(name, entry);
      }
      case CHARACTER_DEVICE -> device(name, Tree.Type.CHARACTER_DEVICE, entry);
      case BLOCK_DEVICE -> device(name, Tree.Type.BLOCK_DEVICE, entry);
      case DIRECTORY -> throw new IllegalArgumentException(name);
    }
  }

  private void file(String name, TarEntry entry, TarReader reader) {
    try (OutputStream out = tree.create(name, UNFINISHED_FILE)) {
      reader.content(out);
    } catch (IOException e) {
      throw DiskError.of(name, "cannot be written", e);
    }
    bytes += entry.size();
    finish(name, entry);
  }

  private void device(String name, Tree.Type type, TarEntry entry) {
    tree.mknod(name, type, UNFINISHED_FILE, entry.major(), entry.minor());
    finish(name, entry);
  }

  private void hardlink(String name, TarEntry entry) {
    EntryPath first = EntryPath.of(entry.link(), limits);
    if (!first.isRootfs()) {
      throw BadArchive.entry(
          entry.name(), "a hard link to " + BadArchive.quote(entry.link()) + " outside of rootfs/");
    }
    String existing = first.inRootfs();
    if (leftOut.contains(existing)) {
      leaveOut(name);
      return;
    }
    int slash = existing.lastIndexOf('/');
    if (!directories.containsKey(slash < 0 ? "" : existing.substring(0, slash))
        || directories.containsKey(existing)) {
      throw BadArchive.entry(
          entry.name(),
          "a hard link to " + BadArchive.quote(entry.link()) + ", which is no file before it");
    }
    tree.hardlink(existing, name);
  }

  /** The owner first: changing it drops set-user-id bits and capabilities. */
  private void finish(String name, TarEntry entry) {
    tree.chown(name, entry.uid(), entry.gid());
    tree.chmod(name, entry.mode());
    attributes(name, entry);
    tree.setModified(name, entry.modifiedAt());
  }

  private void attributes(String name, TarEntry entry) {
    for (Map.Entry<String, byte[]> attribute : entry.xattrs().entrySet()) {
      if (isKept(attribute.getKey())) {
        tree.setXattr(name, attribute.getKey(), attribute.getValue());
      } else {
        attributesLeftOut++;
      }
    }
  }

  /** Whether an attribute means something inside of an instance only. */
  static boolean isKept(String attribute) {
    return attribute.startsWith("user.")
        || attribute.equals("security.capability")
        || attribute.equals("system.posix_acl_access")
        || attribute.equals("system.posix_acl_default");
  }

  /** Times of directories change with what is made in them: children first, all at the end. */
  private void finishDirectories() {
    for (Map.Entry<String, Optional<TarEntry>> directory :
        new TreeMap<>(directories).descendingMap().entrySet()) {
      if (directory.getValue().isPresent()) {
        TarEntry entry = directory.getValue().get();
        try {
          finish(directory.getKey().isEmpty() ? ROOT : directory.getKey(), entry);
        } catch (StapesException e) {
          throw explained(entry, e);
        }
      }
    }
  }

  /** What the tree refuses because of the archive is the archive's fault, not the caller's. */
  private static StapesException explained(TarEntry entry, StapesException e) {
    return switch (e.kind()) {
      case CONFLICT -> BadArchive.entry(entry.name(), "a name that is taken already", e);
      case NOT_FOUND, INVALID ->
          e.subject().equals(BadArchive.SUBJECT)
              ? e
              : BadArchive.entry(entry.name(), "cannot be made: " + e.getMessage(), e);
      default -> e;
    };
  }
}
