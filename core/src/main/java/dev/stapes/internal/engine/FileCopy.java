package dev.stapes.internal.engine;

import dev.stapes.internal.image.DiskError;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/**
 * Copies a thing with all below it from one tree to another. Between trees names and the targets of
 * links are bytes that nobody has to understand: an instance may choose any. Links are copied as
 * links; of a directory that is there already neither owner nor mode changes.
 */
final class FileCopy {
  private static final int DEEPEST = 128;
  private static final int CHUNK = 128 << 10;
  private static final int PERMISSIONS = 0777;
  private static final int OWNERS = 0700;

  private final Tree from;
  private final Tree to;
  private final boolean intoInstance;

  private FileCopy(Tree from, Tree to, boolean intoInstance) {
    this.from = from;
    this.to = to;
    this.intoInstance = intoInstance;
  }

  /**
   * Into an instance: what comes belongs to its root, and files and directories that are there
   * already are found through links, as a program inside would find them.
   */
  static void push(Tree host, String source, Tree instance, String target) {
    new FileCopy(host, instance, true).copy(source, target, 0);
  }

  /** Out of an instance: no link on the host is followed, and files that are there are replaced. */
  static void pull(Tree instance, String source, Tree host, String target) {
    new FileCopy(instance, host, false).copy(source, target, 0);
  }

  private void copy(String source, String target, int depth) {
    if (depth > DEEPEST) {
      throw new StapesException(
          Kind.EXHAUSTED, "file " + source, "deeper than " + DEEPEST + " directories");
    }
    Tree.Stat stat =
        from.stat(source).orElseThrow(() -> StapesException.notFound("file " + source));
    switch (stat.type()) {
      case FILE -> file(source, target, stat.mode() & PERMISSIONS);
      case DIRECTORY -> directory(source, target, stat.mode() & PERMISSIONS, depth);
      case SYMLINK -> {
        String text = from.readlink(source);
        replace(target, Tree.Type.SYMLINK);
        to.symlink(text, target);
      }
      default -> {
        if (depth == 0 || intoInstance) {
          throw StapesException.invalid(
              "file " + source, "neither a file, nor a directory, nor a link: " + stat.type());
        }
      }
    }
  }

  private void file(String source, String target, int mode) {
    try (InputStream in = from.read(source);
        OutputStream out = intoInstance ? to.writeAs(target, 0, 0, mode) : anew(target, mode)) {
      transfer(in, out);
    } catch (IOException e) {
      throw DiskError.of("file " + target, "cannot be copied", e, Kind.UNAVAILABLE);
    }
  }

  private OutputStream anew(String target, int mode) {
    replace(target, Tree.Type.FILE);
    return to.create(target, mode);
  }

  /**
   * Removes what is there, where it is of the kind that comes; in an instance, any but a directory.
   */
  private void replace(String target, Tree.Type kind) {
    Optional<Tree.Stat> there = to.stat(target);
    if (there.isEmpty()) {
      return;
    }
    Tree.Type type = there.get().type();
    if (intoInstance ? type == Tree.Type.DIRECTORY : type != kind) {
      throw otherKind(target, type);
    }
    to.remove(target);
  }

  private void directory(String source, String target, int mode, int depth) {
    boolean made =
        intoInstance
            ? makeDirectory(to, target, mode | OWNERS)
            : makeRealDirectory(target, mode | OWNERS);
    for (String name : from.list(source)) {
      copy(source + "/" + name, target + "/" + name, depth + 1);
    }
    if (made && (mode & OWNERS) != OWNERS) {
      to.chmod(target, mode);
    }
  }

  private boolean makeRealDirectory(String target, int mode) {
    Optional<Tree.Stat> there = to.stat(target);
    if (there.isPresent() && there.get().type() != Tree.Type.DIRECTORY) {
      throw otherKind(target, there.get().type());
    }
    if (there.isEmpty()) {
      to.mkdir(target, mode);
    }
    return there.isEmpty();
  }

  /**
   * Makes a directory, unless there is one or a link to one.
   *
   * @return whether it was made
   */
  static boolean makeDirectory(Tree tree, String path, int mode) {
    Optional<Tree.Stat> there = tree.stat(path);
    if (there.isEmpty()) {
      tree.mkdir(path, mode);
      return true;
    }
    switch (there.get().type()) {
      case DIRECTORY -> {}
      case SYMLINK -> requireDirectory(tree, path);
      default -> throw otherKind(path, there.get().type());
    }
    return false;
  }

  private static void requireDirectory(Tree tree, String link) {
    try {
      tree.subtree(link).close();
    } catch (StapesException e) {
      throw new StapesException(
          Kind.CONFLICT, "file " + link, "is a link that leads to no directory", e);
    }
  }

  private static StapesException otherKind(String path, Tree.Type type) {
    return new StapesException(
        Kind.CONFLICT, "file " + path, "exists and is another kind of thing: " + type);
  }

  /** Copies all bytes; closes neither. */
  static void transfer(InputStream in, OutputStream out) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
      out.write(chunk, 0, n);
    }
  }
}
