package dev.stapes.testkit;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Walks a path through a fake volume as openat2(2) does. */
final class FakeResolver {
  private static final int MOST_LINKS = 40;

  private final FakeInode root;
  private final Tree.Resolution resolution;
  private final Deque<String> rest = new ArrayDeque<>();
  private final Deque<FakeInode> parents = new ArrayDeque<>();
  private int links;

  FakeResolver(FakeInode root, Tree.Resolution resolution) {
    this.root = root;
    this.resolution = resolution;
  }

  /**
   * Where a path leads.
   *
   * @param parent the directory; of the root itself: the root
   * @param name in it; of the root itself: empty
   * @param inode null where there is nothing of the name
   */
  record Place(FakeInode parent, String name, @Nullable FakeInode inode) {
    boolean isRoot() {
      return name.isEmpty();
    }

    FakeInode orThrow(String path) {
      if (inode == null) {
        throw StapesException.notFound(path);
      }
      return inode;
    }
  }

  /** Whether a directory is another one or one above it. */
  static boolean holds(FakeInode directory, FakeInode other) {
    return directory == other
        || directory.children.values().stream().anyMatch(child -> holds(child, other));
  }

  /** The place of a path; only its last name may be missing. */
  Place find(String path, boolean followLast) {
    if (path.indexOf('\0') >= 0) {
      throw StapesException.invalid(path.replace('\0', '?'), "has a NUL character");
    }
    // Names of the tree are relative to it, whether they begin with a slash or not.
    push(path);
    boolean directoryWanted = path.endsWith("/");
    FakeInode current = root;
    Place place = new Place(root, "", root);
    while (!rest.isEmpty()) {
      String name = rest.pop();
      if (!current.is(Tree.Type.DIRECTORY)) {
        throw StapesException.invalid(path, "not a directory on the way to " + name);
      }
      if (name.equals("..")) {
        current = up(path);
        place = parents.isEmpty() ? new Place(root, "", root) : nameOf(current);
        continue;
      }
      FakeInode child = current.children.get(name);
      boolean last = rest.isEmpty();
      if (child == null) {
        if (last) {
          return new Place(current, name, null);
        }
        throw StapesException.notFound(path);
      }
      if (child.is(Tree.Type.SYMLINK) && (!last || followLast || directoryWanted)) {
        current = follow(path, child, current);
        place = parents.isEmpty() ? new Place(root, "", root) : nameOf(current);
      } else {
        place = new Place(current, name, child);
        parents.push(current);
        current = child;
      }
    }
    return place;
  }

  private Place nameOf(FakeInode directory) {
    FakeInode parent = parents.peek();
    if (parent != null) {
      for (var entry : parent.children.entrySet()) {
        if (entry.getValue() == directory) {
          return new Place(parent, entry.getKey(), directory);
        }
      }
    }
    return new Place(root, "", root);
  }

  private FakeInode up(String path) {
    FakeInode parent = parents.poll();
    if (parent != null) {
      return parent;
    }
    if (resolution == Tree.Resolution.BENEATH) {
      throw StapesException.invalid(path, "leaves the tree");
    }
    return root;
  }

  private FakeInode follow(String path, FakeInode link, FakeInode directory) {
    links++;
    if (links > MOST_LINKS) {
      throw StapesException.invalid(path, "too many symbolic links");
    }
    boolean absolute = link.target.startsWith("/");
    if (absolute && resolution == Tree.Resolution.BENEATH) {
      throw StapesException.invalid(path, "leaves the tree by a link to " + link.target);
    }
    push(link.target);
    if (absolute) {
      parents.clear();
      return root;
    }
    return directory;
  }

  private void push(String path) {
    List<String> names =
        List.of(path.split("/", -1)).stream()
            .filter(name -> !name.isEmpty() && !name.equals("."))
            .toList();
    for (int i = names.size() - 1; i >= 0; i--) {
      rest.push(names.get(i));
    }
  }
}
