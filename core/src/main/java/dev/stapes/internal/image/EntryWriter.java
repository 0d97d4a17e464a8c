package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Makes what the entries of an archive describe. Whether a place is a right one is for the caller
 * to say.
 */
final class EntryWriter implements AutoCloseable {
  private static final String ROOT = "/";
  private static final int UNFINISHED_DIRECTORY = 0700;
  private static final int UNFINISHED_FILE = 0600;
  private static final int IMPLIED_DIRECTORY = 0755;

  private static final long REMEMBERED_LIMIT = 256L << 20;
  private static final long REMEMBERED_EACH = 256; // what an object and its place in a map take

  private final Tree tree;
  private final OpenDirectory directory;
  private final FileWriters files = new FileWriters();
  private final Map<String, Optional<TarEntry>> directories = new HashMap<>();
  private long bytes;
  private long attributesLeftOut;
  private long remembered;

  /** Has made nothing; the root of the tree is there. */
  EntryWriter(Tree tree) {
    this.tree = tree;
    this.directory = new OpenDirectory(tree);
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
    directory.of(name).mkdir(OpenDirectory.last(name), IMPLIED_DIRECTORY);
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
      directory.of(name).mkdir(OpenDirectory.last(name), UNFINISHED_DIRECTORY);
    }
    remember(name, Optional.of(entry));
  }

  /** Something and all below it is gone. */
  void gone(String name) {
    directory.close();
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
    Tree parent = directory.of(name);
    String last = OpenDirectory.last(name);
    switch (entry.kind()) {
      case FILE -> file(parent.newFile(last), entry, reader);
      case SYMLINK -> {
        if (entry.link().isEmpty()) {
          throw BadArchive.entry(entry.name(), "a symbolic link to nothing");
        }
        parent.symlink(entry.link(), last);
        parent.chown(last, entry.uid(), entry.gid());
        attributes(parent, last, entry);
        parent.setModified(last, entry.modifiedAt());
      }
      case FIFO -> {
        parent.mkfifo(last, UNFINISHED_FILE);
        finish(parent, last, entry);
      }
      case CHARACTER_DEVICE, BLOCK_DEVICE -> {
        Tree.Type type = Tree.Type.valueOf(entry.kind().name());
        parent.mknod(last, type, UNFINISHED_FILE, entry.major(), entry.minor());
        finish(parent, last, entry);
      }
      case DIRECTORY, HARDLINK -> throw new IllegalArgumentException(name);
    }
  }

  private void file(Tree.NewFile file, TarEntry entry, ImageEntries reader) {
    SortedMap<String, byte[]> kept = new TreeMap<>(entry.xattrs());
    kept.keySet().removeIf(attribute -> !isKept(attribute));
    attributesLeftOut += entry.xattrs().size() - kept.size();
    Tree.Attributes attributes =
        new Tree.Attributes(entry.uid(), entry.gid(), entry.mode(), kept, entry.modifiedAt());
    files.write(entry, file, attributes, reader::content);
    bytes += entry.size();
  }

  /** The owner first: changing it drops set-user-id bits and capabilities. */
  private void finish(Tree parent, String name, TarEntry entry) {
    parent.chown(name, entry.uid(), entry.gid());
    parent.chmod(name, entry.mode());
    attributes(parent, name, entry);
    parent.setModified(name, entry.modifiedAt());
  }

  private void attributes(Tree parent, String name, TarEntry entry) {
    for (Map.Entry<String, byte[]> attribute : entry.xattrs().entrySet()) {
      if (isKept(attribute.getKey())) {
        parent.setXattr(name, attribute.getKey(), attribute.getValue());
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

  /**
   * Finishes what was made. Times of directories change with what is made in them: children first,
   * all at the end.
   */
  void finishAll() {
    for (Map.Entry<String, Optional<TarEntry>> each :
        new TreeMap<>(directories).descendingMap().entrySet()) {
      if (each.getValue().isPresent()) {
        TarEntry entry = each.getValue().get();
        try {
          finish(tree, each.getKey().isEmpty() ? ROOT : each.getKey(), entry);
        } catch (StapesException e) {
          throw explained(entry, e);
        }
      }
    }
    files.await();
  }

  /** What is not finished stays as it is. */
  @Override
  public void close() {
    try (files) {
      directory.close();
    }
  }

  /** What the tree refuses because of the archive is the archive's fault, not the caller's. */
  static StapesException explained(TarEntry entry, StapesException e) {
    if (e.subject().equals(BadArchive.SUBJECT)) {
      return e;
    }
    return switch (e.kind()) {
      case CONFLICT -> BadArchive.entry(entry.name(), "a name that is taken already", e);
      case NOT_FOUND, INVALID ->
          BadArchive.entry(entry.name(), "cannot be made: " + e.getMessage(), e);
      default ->
          new StapesException(
              e.kind(),
              BadArchive.SUBJECT,
              "entry " + BadArchive.quote(entry.name()) + " cannot be made: " + e.getMessage(),
              e);
    };
  }
}
