package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.DENIED;
import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A tree over a real directory that needs no privilege: what only root could set (owners, device
 * nodes, attributes, and modes that would lock the JVM out) is remembered instead.
 */
final class FakeDirectoryTree implements Tree {
  private final Path root;
  private final Resolution resolution;
  private final FakeOwners owners;

  FakeDirectoryTree(Path root, Resolution resolution, FakeOwners owners) {
    this.root = root;
    this.resolution = resolution;
    this.owners = owners;
  }

  /** Something to do with a file. */
  private interface Work<T> {
    T run() throws IOException;
  }

  private static <T> T attempt(String path, Work<T> work) {
    try {
      return work.run();
    } catch (IOException e) {
      StapesException.Kind kind = INTERNAL;
      if (e instanceof NoSuchFileException) {
        kind = NOT_FOUND;
      } else if (e instanceof FileAlreadyExistsException
          || e instanceof DirectoryNotEmptyException) {
        kind = CONFLICT;
      } else if (e instanceof AccessDeniedException) {
        kind = DENIED;
      } else if (e instanceof NotDirectoryException) {
        kind = INVALID;
      }
      throw new StapesException(kind, path, "cannot be done: " + e, e);
    }
  }

  @Override
  public Optional<Stat> stat(String path) {
    Path file;
    try {
      file = find(path, false);
    } catch (StapesException e) {
      if (e.kind() == NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
    return exists(file) ? Optional.of(attempt(path, () -> owners.stat(file))) : Optional.empty();
  }

  @Override
  public List<String> list(String path) {
    Path directory = find(path, true);
    requireThere(path, directory);
    return attempt(
        path,
        () -> {
          try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
          }
        });
  }

  @Override
  public InputStream read(String path) {
    Path file = find(path, true);
    requireThere(path, file);
    requireFile(path, file);
    return attempt(path, () -> Files.newInputStream(file));
  }

  @Override
  public OutputStream write(String path, int mode) {
    return open(path, mode, StandardOpenOption.TRUNCATE_EXISTING);
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    OutputStream out = write(path, 0600);
    Path file = find(path, true);
    attempt(path, () -> owners.chown(file, uid, gid));
    attempt(path, () -> owners.chmod(file, mode));
    return out;
  }

  @Override
  public OutputStream append(String path, int mode) {
    return open(path, mode, StandardOpenOption.APPEND);
  }

  private OutputStream open(String path, int mode, OpenOption how) {
    Path file = find(path, true);
    boolean made = !exists(file);
    if (!made) {
      requireFile(path, file);
    }
    OutputStream out =
        attempt(
            path,
            () ->
                Files.newOutputStream(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, how));
    if (made) {
      own(path, file, Type.FILE, mode);
    }
    return out;
  }

  @Override
  public OutputStream create(String path, int mode) {
    Path file = find(path, false);
    OutputStream out =
        attempt(
            path,
            () ->
                Files.newOutputStream(
                    file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    own(path, file, Type.FILE, mode);
    return out;
  }

  @Override
  public void mkdir(String path, int mode) {
    Path directory = find(path, false);
    attempt(path, () -> Files.createDirectory(directory));
    own(path, directory, Type.DIRECTORY, mode);
  }

  @Override
  public void symlink(String target, String path) {
    Path link = find(path, false);
    attempt(path, () -> Files.createSymbolicLink(link, Path.of(target)));
    own(path, link, Type.SYMLINK, 0777);
  }

  @Override
  public void hardlink(String existing, String path) {
    Path from = find(existing, false);
    Path to = find(path, false);
    attempt(path, () -> Files.createLink(to, from));
  }

  @Override
  public void mkfifo(String path, int mode) {
    create(path, Type.FIFO, mode, 0, 0);
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    if (type != Type.CHARACTER_DEVICE && type != Type.BLOCK_DEVICE) {
      throw new StapesException(INVALID, path, "not a device: " + type);
    }
    create(path, type, mode, major, minor);
  }

  private void create(String path, Type type, int mode, int major, int minor) {
    Path file = find(path, false);
    attempt(path, () -> Files.createFile(file));
    own(path, file, type, mode);
    attempt(path, () -> owners.device(file, major, minor));
  }

  @Override
  public String readlink(String path) {
    Path link = find(path, false);
    requireThere(path, link);
    if (!Files.isSymbolicLink(link)) {
      throw new StapesException(INVALID, path, "not a symbolic link");
    }
    return attempt(path, () -> Files.readSymbolicLink(link).toString());
  }

  @Override
  public void rename(String from, String to) {
    Path source = find(from, false);
    Path target = find(to, false);
    requireThere(from, source);
    attempt(
        from,
        () ->
            Files.move(
                source,
                target,
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING));
  }

  @Override
  public void remove(String path) {
    Path file = find(path, false);
    requireThere(path, file);
    attempt(path, () -> owners.delete(file));
  }

  @Override
  public void removeAll(String path) {
    if (stat(path).isEmpty()) {
      return;
    }
    Path top = find(path, false);
    List<Path> all =
        attempt(
            path,
            () -> {
              try (Stream<Path> files = Files.walk(top)) {
                return files.sorted(java.util.Comparator.reverseOrder()).toList();
              }
            });
    for (Path file : all) {
      if (!file.equals(root)) {
        attempt(path, () -> owners.delete(file));
      }
    }
  }

  @Override
  public void chown(String path, long uid, long gid) {
    Path file = find(path, false);
    requireThere(path, file);
    attempt(path, () -> owners.chown(file, uid, gid));
  }

  @Override
  public void resize(String path, long size) {
    Path file = find(path, false);
    requireThere(path, file);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw StapesException.invalid(path, "no regular file");
    }
    attempt(
        path,
        () -> {
          try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(size);
            return true;
          }
        });
  }

  @Override
  public void chmod(String path, int mode) {
    Path file = find(path, true);
    requireThere(path, file);
    attempt(path, () -> owners.chmod(file, mode));
  }

  @Override
  public void setModified(String path, Instant time) {
    Path file = find(path, false);
    requireThere(path, file);
    if (!Files.isSymbolicLink(file)) {
      attempt(path, () -> Files.setLastModifiedTime(file, FileTime.from(time)));
    }
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    Path file = find(path, false);
    requireThere(path, file);
    return new TreeMap<>(attempt(path, () -> owners.xattrs(file)));
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    Path file = find(path, false);
    requireThere(path, file);
    attempt(path, () -> owners.xattrs(file).put(name, value.clone()));
  }

  @Override
  public Tree subtree(String path) {
    Path directory = find(path, true);
    requireThere(path, directory);
    if (!Files.isDirectory(directory)) {
      throw new StapesException(INVALID, path, "not a directory");
    }
    return new FakeDirectoryTree(directory, resolution, owners);
  }

  @Override
  public void close() {
    // It holds nothing.
  }

  private void own(String path, Path file, Type type, int mode) {
    attempt(path, () -> owners.own(file, type, mode));
  }

  private static boolean exists(Path file) {
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
  }

  private static void requireThere(String path, Path file) {
    if (!exists(file)) {
      throw StapesException.notFound(path);
    }
  }

  private void requireFile(String path, Path file) {
    if (attempt(path, () -> owners.stat(file)).type() != Type.FILE) {
      throw new StapesException(INVALID, path, "not a regular file");
    }
  }

  private Path find(String path, boolean follow) {
    return new FakePathWalk(root, resolution).find(path, follow);
  }
}
