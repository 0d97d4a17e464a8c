package dev.stapes.testkit;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** Walks a path below a real directory name by name, so that links mean what the tree says. */
final class FakePathWalk {
  private static final int MOST_LINKS = 40;

  private final Path root;
  private final Tree.Resolution resolution;
  private final Deque<String> rest = new ArrayDeque<>();
  private int links;

  FakePathWalk(Path root, Tree.Resolution resolution) {
    this.root = root;
    this.resolution = resolution;
  }

  /** The real path of a path; its last name need not exist. */
  Path find(String path, boolean followLast) {
    push(path);
    Path current = root;
    while (!rest.isEmpty()) {
      String name = rest.pop();
      if (name.equals("..")) {
        current = up(path, current);
        continue;
      }
      Path next = current.resolve(name);
      if (Files.isSymbolicLink(next) && (followLast || !rest.isEmpty())) {
        current = follow(path, next, current);
      } else if (!rest.isEmpty() && !Files.isDirectory(next)) {
        throw Files.exists(next)
            ? StapesException.invalid(path, "not a directory on the way: " + name)
            : StapesException.notFound(path);
      } else {
        current = next;
      }
    }
    return current;
  }

  private Path up(String path, Path current) {
    Path parent = current.getParent();
    if (!current.equals(root) && parent != null) {
      return parent;
    }
    if (resolution == Tree.Resolution.BENEATH) {
      throw StapesException.invalid(path, "leaves the tree");
    }
    return root;
  }

  private Path follow(String path, Path link, Path directory) {
    links++;
    if (links > MOST_LINKS) {
      throw StapesException.invalid(path, "too many symbolic links");
    }
    String target;
    try {
      target = Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    boolean absolute = target.startsWith("/");
    if (absolute && resolution == Tree.Resolution.BENEATH) {
      throw StapesException.invalid(path, "leaves the tree by a link to " + target);
    }
    push(target);
    return absolute ? root : directory;
  }

  private void push(String path) {
    String[] names = path.split("/", -1);
    for (int i = names.length - 1; i >= 0; i--) {
      if (!names[i].isEmpty() && !names[i].equals(".")) {
        rest.push(names[i]);
      }
    }
  }
}
