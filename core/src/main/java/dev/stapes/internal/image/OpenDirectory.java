package dev.stapes.internal.image;

import dev.stapes.spi.Tree;
import org.jspecify.annotations.Nullable;

/**
 * The directory that something was made in last is kept open, since an archive names all of a
 * directory in a row: the kernel need not find the way to it again. Not for use by several threads.
 */
final class OpenDirectory implements AutoCloseable {
  private final Tree tree;
  private String path = "";
  private @Nullable Tree open;

  OpenDirectory(Tree tree) {
    this.tree = tree;
  }

  /** The directory that a name is in; good until the next call. */
  Tree of(String name) {
    int slash = name.lastIndexOf('/');
    if (slash < 0) {
      return tree;
    }
    Tree known = open;
    if (known != null && slash == path.length() && name.startsWith(path)) {
      return known;
    }
    close();
    path = name.substring(0, slash);
    known = tree.subtree(path);
    open = known;
    return known;
  }

  /** A name within its directory. */
  static String last(String name) {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  /** Also to be called when something was taken away, which it may have been. */
  @Override
  public void close() {
    if (open != null) {
      open.close();
      open = null;
    }
  }
}
