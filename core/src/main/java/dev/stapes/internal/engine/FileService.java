package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** Files in instances, running or stopped. */
public final class FileService {
  private static final int MOST_READ = 64 << 20;
  private static final int DEEPEST = 128;

  private final Catalog catalog;
  private final Machines machines;
  private final PoolService pools;

  FileService(Catalog catalog, Machines machines, PoolService pools) {
    this.catalog = catalog;
    this.machines = machines;
    this.pools = pools;
  }

  /** Reads a whole file. */
  public byte[] read(InstanceId id, String path) {
    return with(
        id,
        path,
        tree -> {
          try (InputStream in = tree.read(path)) {
            byte[] content = in.readNBytes(MOST_READ + 1);
            if (content.length > MOST_READ) {
              throw new StapesException(
                  Kind.EXHAUSTED, "file " + path, "larger than " + MOST_READ + " bytes: pull it");
            }
            return content;
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** Writes a file. */
  public void write(InstanceId id, String path, InputStream content, long uid, long gid, int mode) {
    with(
        id,
        path,
        tree -> {
          writeInto(tree, path, content, mode);
          tree.chown(path, uid, gid);
          tree.chmod(path, mode);
          return true;
        });
  }

  /** The names in a directory. */
  public List<String> list(InstanceId id, String path) {
    return with(id, path, tree -> tree.list(path));
  }

  /** Whether something is at a path. */
  public boolean exists(InstanceId id, String path) {
    return with(id, path, tree -> tree.stat(path).isPresent());
  }

  /** Makes a directory and its parents. */
  public void makeDirectories(InstanceId id, String path) {
    with(
        id,
        path,
        tree -> {
          StringBuilder so = new StringBuilder();
          for (String part : path.substring(1).split("/", -1)) {
            if (!part.isEmpty()) {
              makeDirectory(tree, so.append('/').append(part).toString());
            }
          }
          return true;
        });
  }

  /** Removes a thing and what is below. */
  public void delete(InstanceId id, String path) {
    with(
        id,
        path,
        tree -> {
          if (tree.stat(path).isEmpty()) {
            throw StapesException.notFound("file " + path);
          }
          tree.removeAll(path);
          return true;
        });
  }

  /** Copies from the host into an instance. */
  public void push(InstanceId id, Path source, String target) {
    if (!Files.exists(source, LinkOption.NOFOLLOW_LINKS)) {
      throw StapesException.notFound("file " + source);
    }
    with(
        id,
        target,
        tree -> {
          pushInto(tree, source, target, 0);
          return true;
        });
  }

  private static void pushInto(Tree tree, Path source, String target, int depth) {
    requireShallow(target, depth);
    try {
      if (Files.isSymbolicLink(source)) {
        if (tree.stat(target).isPresent()) {
          tree.remove(target);
        }
        tree.symlink(Files.readSymbolicLink(source).toString(), target);
      } else if (Files.isDirectory(source)) {
        makeDirectory(tree, target);
        tree.chmod(target, modeOf(source));
        try (Stream<Path> children = Files.list(source)) {
          for (Path child : (Iterable<Path>) children.sorted()::iterator) {
            pushInto(tree, child, target + "/" + child.getFileName(), depth + 1);
          }
        }
      } else if (Files.isRegularFile(source)) {
        try (InputStream in = Files.newInputStream(source)) {
          writeInto(tree, target, in, modeOf(source));
          tree.chmod(target, modeOf(source));
        }
      } else {
        throw StapesException.invalid(
            "file " + source, "neither a file, nor a directory, nor a link");
      }
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, "file " + source, "cannot be read: " + e, e);
    }
  }

  /** Copies from an instance to the host. */
  public void pull(InstanceId id, String source, Path target) {
    with(
        id,
        source,
        tree -> {
          pullFrom(tree, source, target, 0);
          return true;
        });
  }

  private static void pullFrom(Tree tree, String source, Path target, int depth) {
    requireShallow(source, depth);
    Tree.Stat stat =
        tree.stat(source).orElseThrow(() -> StapesException.notFound("file " + source));
    try {
      switch (stat.type()) {
        case FILE -> {
          requireKind(target, Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS));
          try (InputStream in = tree.read(source)) {
            Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
          }
          Files.setPosixFilePermissions(target, permissionsOf(stat.mode()));
        }
        case DIRECTORY -> {
          requireKind(target, Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS));
          Files.createDirectories(target);
          for (String name : tree.list(source)) {
            pullFrom(tree, source + "/" + name, target.resolve(name), depth + 1);
          }
        }
        case SYMLINK -> {
          requireKind(target, Files.isSymbolicLink(target));
          Files.deleteIfExists(target);
          Files.createSymbolicLink(target, Path.of(tree.readlink(source)));
        }
        default -> {
          if (depth == 0) {
            throw StapesException.invalid("file " + source, "is a " + stat.type());
          }
        }
      }
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, "file " + target, "cannot be written: " + e, e);
    }
  }

  private static void requireKind(Path target, boolean same) {
    if (!same && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new StapesException(
          Kind.CONFLICT, "file " + target, "exists and is another kind of thing");
    }
  }

  private static void requireShallow(String path, int depth) {
    if (depth > DEEPEST) {
      throw new StapesException(
          Kind.EXHAUSTED, "file " + path, "deeper than " + DEEPEST + " directories");
    }
  }

  private static void makeDirectory(Tree tree, String path) {
    Optional<Tree.Stat> there = tree.stat(path);
    if (there.isEmpty()) {
      tree.mkdir(path, 0755);
    } else if (there.get().type() == Tree.Type.FILE) {
      throw new StapesException(Kind.CONFLICT, "file " + path, "is no directory");
    }
  }

  private static void writeInto(Tree tree, String path, InputStream content, int mode) {
    try (OutputStream out = tree.write(path, mode)) {
      content.transferTo(out);
    } catch (IOException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, "file " + path, "cannot be written: " + e.getMessage(), e);
    }
  }

  private static int modeOf(Path file) throws IOException {
    Object mode = Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return ((Integer) mode) & 0777;
  }

  private static Set<PosixFilePermission> permissionsOf(int mode) {
    Set<PosixFilePermission> permissions = java.util.EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] order = PosixFilePermission.values(); // owner read first, 0400
    for (int i = 0; i < order.length; i++) {
      if ((mode & (0400 >> i)) != 0) {
        permissions.add(order[i]);
      }
    }
    return permissions;
  }

  private <T> T with(InstanceId id, String path, Function<Tree, T> body) {
    if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw StapesException.invalid("file", "must be an absolute path: \"" + path + "\"");
    }
    InstanceRecord record = catalog.require(id).value();
    Optional<Running> running = machines.find(id);
    try (Tree tree =
        running.isPresent()
            ? running.get().machine().files()
            : pools.pool(record.pool()).tree(record.volumeId(), Tree.Resolution.IN_ROOT)) {
      return body.apply(tree);
    }
  }
}
