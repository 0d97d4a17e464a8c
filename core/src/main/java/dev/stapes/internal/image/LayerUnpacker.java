package dev.stapes.internal.image;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Puts a layer of an OCI image over those below it: what it names replaces what is there, and its
 * whiteouts take away what the layers below have (OCI image specification, layer.md). The layer is
 * not trusted: the kernel keeps every name inside of the root file system, as if it were the root
 * directory (see {@link Tree.Resolution#IN_ROOT}), since names of a layer may lead through symbolic
 * links of the layers below. Used once.
 */
final class LayerUnpacker {
  private static final String WHITEOUT = ".wh.";
  private static final String RESERVED = ".wh..wh.";
  private static final String OPAQUE = ".wh..wh..opq";

  private final Tree tree;
  private final EntryWriter writer;
  private final ArchiveLimits limits;
  private final Decoders decoders;
  private final TreeSet<String> made = new TreeSet<>();
  private final Set<String> leftOut = new HashSet<>();
  private long entries;

  /**
   * Prepares.
   *
   * @param tree the layers below, or an empty directory; resolved IN_ROOT
   * @param decoders of the layer
   */
  LayerUnpacker(Tree tree, ArchiveLimits limits, Decoders decoders) {
    this.tree = tree;
    this.writer = new EntryWriter(tree);
    this.limits = limits;
    this.decoders = decoders;
  }

  /** Unpacks; what was written before an error stays. Errors as of {@link RootfsUnpacker}. */
  RootfsUnpacker.Unpacked unpack(Path layer, Progress progress) {
    try (writer;
        ArchiveInput in = ArchiveInput.openAhead(layer, limits, decoders, progress, "unpack")) {
      TarReader reader = new TarReader(in, limits);
      for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
        write(next.get(), EntryPath.ofRootfs(next.get().name(), limits), reader);
      }
      writer.finishAll();
    }
    return new RootfsUnpacker.Unpacked(
        entries, writer.bytes(), leftOut.size(), writer.attributesLeftOut());
  }

  private void write(TarEntry entry, EntryPath path, ImageEntries reader) {
    String name = path.inRootfs();
    String last = name.substring(name.lastIndexOf('/') + 1);
    try {
      if (last.startsWith(WHITEOUT)) {
        whiteout(entry, parent(name), last);
      } else if (RootfsUnpacker.isLeftOut(entry, path, false)) {
        writer.rememberName(name);
        leftOut.add(name);
      } else {
        make(entry, name, reader);
      }
    } catch (StapesException e) {
      throw EntryWriter.explained(entry, e);
    }
  }

  private void make(TarEntry entry, String name, ImageEntries reader) {
    if (entry.kind() == TarEntry.Kind.DIRECTORY) {
      directory(entry, name);
    } else {
      if (name.isEmpty()) {
        throw BadArchive.entry(entry.name(), "must be a directory");
      }
      if (entry.kind() == TarEntry.Kind.HARDLINK) {
        hardlink(entry, name);
      } else {
        parents(entry, name);
        replace(name);
        writer.make(name, entry, reader);
      }
    }
    writer.rememberName(name);
    made.add(name);
    entries++;
  }

  private void directory(TarEntry entry, String name) {
    if (!writer.isDirectory(name)) {
      parents(entry, name);
      Optional<Tree.Stat> there = tree.stat(name);
      if (there.isPresent() && there.get().type() == Tree.Type.DIRECTORY) {
        writer.met(name);
      } else if (there.isPresent()) {
        tree.remove(name);
        writer.gone(name);
      }
    }
    writer.directory(name, entry);
  }

  private void hardlink(TarEntry entry, String name) {
    String existing = EntryPath.ofRootfs(entry.link(), limits).inRootfs();
    if (leftOut.contains(existing)) {
      leftOut.add(name);
      return;
    }
    if (existing.equals(name)) {
      throw BadArchive.entry(entry.name(), "a hard link to itself");
    }
    parents(entry, name);
    replace(name);
    tree.hardlink(existing, name);
  }

  /** Takes away what a thing is to replace. */
  private void replace(String name) {
    Optional<Tree.Stat> there = tree.stat(name);
    if (there.isPresent()) {
      tree.removeAll(name);
      writer.gone(name);
    }
  }

  /** Makes the directories above that are not there; symbolic links to directories will do. */
  private void parents(TarEntry entry, String name) {
    String parent = parent(name);
    if (writer.isDirectory(parent)) {
      return;
    }
    parents(entry, parent);
    Optional<Tree.Stat> there = tree.stat(parent);
    if (there.isEmpty()) {
      writer.implied(parent);
      return;
    }
    Tree.Type type = there.get().type();
    if (type != Tree.Type.DIRECTORY && type != Tree.Type.SYMLINK) {
      throw BadArchive.entry(
          entry.name(), "goes through " + BadArchive.quote(parent) + ", which is no directory");
    }
    if (type == Tree.Type.DIRECTORY) {
      writer.met(parent);
    }
  }

  private static String parent(String name) {
    int slash = name.lastIndexOf('/');
    return slash < 0 ? "" : name.substring(0, slash);
  }

  private void whiteout(TarEntry entry, String directory, String mark) {
    if (mark.equals(OPAQUE)) {
      if (tree.stat(path(directory)).isPresent()) {
        clear(directory);
      }
    } else if (!mark.startsWith(RESERVED)) { // those belong to the driver that made the layer
      String hidden = mark.substring(WHITEOUT.length());
      if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
        throw BadArchive.entry(entry.name(), "a whiteout of nothing");
      }
      hide(directory.isEmpty() ? hidden : directory + "/" + hidden);
    }
  }

  /** Takes away what the layers below have in a directory. */
  private void clear(String directory) {
    for (String child : tree.list(path(directory))) {
      hide(directory.isEmpty() ? child : directory + "/" + child);
    }
  }

  /** Takes away what the layers below have at a place; this layer's own stays. */
  private void hide(String name) {
    if (!isMadeAtOrBelow(name)) {
      tree.removeAll(name);
      writer.gone(name);
    } else if (tree.stat(name).map(Tree.Stat::type).equals(Optional.of(Tree.Type.DIRECTORY))) {
      clear(name);
    }
  }

  private boolean isMadeAtOrBelow(String name) {
    if (made.contains(name)) {
      return true;
    }
    String next = made.ceiling(name + "/");
    return next != null && next.startsWith(name + "/");
  }

  private static String path(String name) {
    return name.isEmpty() ? "/" : name;
  }
}
