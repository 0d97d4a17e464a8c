package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes what the entries of an archive describe. Whether a place is a right one is for the caller
 * to say.
 */
final class EntryWriter {
  private static final String ROOT = "/";
  private static final int UNFINISHED_DIRECTORY = 0700;
  private static final int UNFINISHED_FILE = 0600;
  private static final int IMPLIED_DIRECTORY = 0755;

  private static final long REMEMBERED_LIMIT = 256L << 20;
  private static final long REMEMBERED_EACH = 256; // what an object and its place in a map take

  private final Tree tree;
  private final Map<String, Optional<TarEntry>> directories = new HashMap<>();
  private long bytes;
  private long attributesLeftOut;
  private long remembered;

  /** Has made nothing; the root of the tree is there. */
  EntryWriter(Tree tree) {
    this.tree = tree;
    directories.put("", Optional.empty());
  }

  /** Bytes of files. */
  long bytes() {
    return bytes;
  }

  /** Extended attributes that were left out. */
  long attributesLeftOut() {
    return attributesLeftOut;
  }

  /** Whether a name is that of a directory that was made or met. */
  boolean isDirectory(String name) {
    return directories.containsKey(name);
  }

  /** Makes a directory, which an entry may describe later. */
  void implied(String name) {
    tree.mkdir(name, IMPLIED_DIRECTORY);
    met(name);
  }

  /** A directory that is there. */
  void met(String name) {
    rememberName(name);
    directories.putIfAbsent(name, Optional.empty());
  }

  /** Makes a directory where there is none; it is finished with all others. */
  void directory(String name, TarEntry entry) {
    if (!directories.containsKey(name)) {
      tree.mkdir(name, UNFINISHED_DIRECTORY);
    }
    remember(name, Optional.of(entry));
  }

  /** Something and all below it is gone. */
  void gone(String name) {
    directories.keySet().removeIf(each -> each.equals(name) || each.startsWith(name + "/"));
  }

  /** What is kept in memory until the end may not exhaust it. */
  private void remember(String name, Optional<TarEntry> entry) {
    for (byte[] attribute : entry.map(TarEntry::xattrs).orElseGet(TreeMap::new).values()) {
      remembered += REMEMBERED_EACH + attribute.length;
    }
    rememberName(name);
    directories.put(name, entry);
  }

  /** Counts a name that is kept until the end. */
  void rememberName(String name) {
    remembered += REMEMBERED_EACH + name.length();
    if (remembered > REMEMBERED_LIMIT) {
      throw BadArchive.because("has too many names, or too large attributes of directories");
    }
  }

  /** Makes anything but a directory or a hard link. */
  void make(String name, TarEntry entry, ImageEntries reader) {
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
      case FIFO -> {
        tree.mkfifo(name, UNFINISHED_FILE);
        finish(name, entry);
      }
      case CHARACTER_DEVICE -> device(name, Tree.Type.CHARACTER_DEVICE, entry);
      case BLOCK_DEVICE -> device(name, Tree.Type.BLOCK_DEVICE, entry);
      case DIRECTORY, HARDLINK -> throw new IllegalArgumentException(name);
    }
  }

  private void file(String name, TarEntry entry, ImageEntries reader) {
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
  void finishDirectories() {
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
  static StapesException explained(TarEntry entry, StapesException e) {
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
