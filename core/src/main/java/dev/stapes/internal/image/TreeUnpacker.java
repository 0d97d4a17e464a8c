package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Writes entries into an empty directory, by names that are relative to it. They are not trusted:
 * one that appears twice, or that goes through anything but a directory that was made here, is an
 * error. Used once.
 */
final class TreeUnpacker implements AutoCloseable {
  private final Tree tree;
  private final EntryWriter writer;
  private final Set<String> leftOut = new HashSet<>();
  private long entries;

  /** Prepares; the tree is resolved BENEATH. */
  TreeUnpacker(Tree tree) {
    this.tree = tree;
    this.writer = new EntryWriter(tree);
  }

  /** Files, directories and all else that was written. */
  long entries() {
    return entries;
  }

  /** Bytes of files. */
  long bytes() {
    return writer.bytes();
  }

  /** Things that were left out. */
  long leftOut() {
    return leftOut.size();
  }

  /** Extended attributes that were left out. */
  long attributesLeftOut() {
    return writer.attributesLeftOut();
  }

  /** Whether it is a device node, but for the mark of a deleted file in an overlay. */
  static boolean isDevice(TarEntry entry) {
    boolean device =
        entry.kind() == TarEntry.Kind.CHARACTER_DEVICE
            || entry.kind() == TarEntry.Kind.BLOCK_DEVICE;
    // The character device 0:0 opens nothing.
    boolean whiteout =
        entry.kind() == TarEntry.Kind.CHARACTER_DEVICE && entry.major() == 0 && entry.minor() == 0;
    return device && !whiteout;
  }

  /** Does not write an entry, nor what is a hard link to it. */
  void leaveOut(String name) {
    writer.rememberName(name);
    leftOut.add(name);
  }

  /**
   * Writes an entry.
   *
   * @param name its checked name below the directory; empty: the directory itself
   * @param link the same of what it is a hard link to, asked for where it is one
   */
  void write(String name, TarEntry entry, Supplier<String> link, ImageEntries reader) {
    try {
      if (entry.kind() == TarEntry.Kind.DIRECTORY) {
        directory(name, entry);
      } else {
        if (name.isEmpty()) {
          throw BadArchive.entry(entry.name(), "must be a directory");
        }
        parents(name, entry);
        if (entry.kind() == TarEntry.Kind.HARDLINK) {
          hardlink(name, entry, link.get());
        } else {
          writer.make(name, entry, reader);
        }
      }
      entries++;
    } catch (StapesException e) {
      throw EntryWriter.explained(entry, e);
    }
  }

  private void directory(String name, TarEntry entry) {
    if (!writer.isDirectory(name)) {
      parents(name, entry);
    }
    writer.directory(name, entry);
  }

  /** Makes the directories above that the archive has not named before. */
  private void parents(String name, TarEntry entry) {
    int slash = name.lastIndexOf('/');
    String parent = slash < 0 ? "" : name.substring(0, slash);
    if (writer.isDirectory(parent)) {
      return;
    }
    parents(parent, entry);
    try {
      writer.implied(parent);
    } catch (StapesException e) {
      if (e.kind() != StapesException.Kind.CONFLICT) {
        throw e;
      }
      throw BadArchive.entry(
          entry.name(), "goes through " + BadArchive.quote(parent) + ", which is no directory", e);
    }
  }

  private void hardlink(String name, TarEntry entry, String existing) {
    if (leftOut.contains(existing)) {
      leaveOut(name);
      return;
    }
    int slash = existing.lastIndexOf('/');
    if (!writer.isDirectory(slash < 0 ? "" : existing.substring(0, slash))
        || writer.isDirectory(existing)) {
      throw BadArchive.entry(
          entry.name(),
          "a hard link to " + BadArchive.quote(entry.link()) + ", which is no file before it");
    }
    tree.hardlink(existing, name);
  }

  /** Returns when everything is finished. */
  void finish() {
    writer.finishAll();
  }

  /** What is not finished stays as it is. */
  @Override
  public void close() {
    writer.close();
  }
}
