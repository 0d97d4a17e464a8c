package dev.stapes.internal.engine;

import dev.stapes.internal.image.DiskError;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Files in instances, running or stopped. */
public final class FileService {
  private static final int MOST_READ = 64 << 20;

  private final Host host;
  private final Catalog catalog;
  private final Machines machines;
  private final PoolService pools;

  FileService(Host host, Catalog catalog, Machines machines, PoolService pools) {
    this.host = host;
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
            throw new StapesException(
                Kind.UNAVAILABLE, "file " + path, "cannot be read: " + e.getMessage(), e);
          }
        });
  }

  /** Writes a file. */
  public void write(InstanceId id, String path, InputStream content, long uid, long gid, int mode) {
    with(
        id,
        path,
        tree -> {
          try (OutputStream out = tree.writeAs(path, uid, gid, mode)) {
            FileCopy.transfer(content, out);
          } catch (IOException e) {
            throw DiskError.of("file " + path, "cannot be written", e, Kind.UNAVAILABLE);
          }
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
              FileCopy.makeDirectory(tree, so.append('/').append(part).toString(), 0755);
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
          Place place = Place.of(source);
          try (Tree from = host.tree(place.directory(), Tree.Resolution.BENEATH)) {
            FileCopy.push(from, place.name(), tree, target);
          }
          return true;
        });
  }

  /** Copies from an instance to the host. */
  public void pull(InstanceId id, String source, Path target) {
    with(
        id,
        source,
        tree -> {
          Place place = Place.of(target);
          if (tree.stat(source).filter(stat -> stat.type() == Tree.Type.DIRECTORY).isPresent()) {
            makeDirectories(place.directory());
          }
          try (Tree to = host.tree(place.directory(), Tree.Resolution.BENEATH)) {
            FileCopy.pull(tree, source, to, place.name());
          }
          return true;
        });
  }

  private static void makeDirectories(Path directory) {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, "file " + directory, "cannot be made a directory: " + e, e);
    }
  }

  /**
   * A place on the host.
   *
   * @param directory the directory that it is in
   * @param name its name there
   */
  private record Place(Path directory, String name) {
    static Place of(Path path) {
      Path absolute = path.toAbsolutePath();
      Path name = absolute.getFileName();
      if (name == null || name.toString().equals(".") || name.toString().equals("..")) {
        absolute = real(absolute);
        name = absolute.getFileName();
      }
      Path parent = absolute.getParent();
      return name == null || parent == null
          ? new Place(absolute, ".")
          : new Place(parent, name.toString());
    }

    private static Path real(Path path) {
      try {
        return path.toRealPath();
      } catch (IOException e) {
        throw new StapesException(Kind.NOT_FOUND, "file " + path, "cannot be found: " + e, e);
      }
    }
  }

  private <T> T with(InstanceId id, String path, Function<Tree, T> body) {
    if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw StapesException.invalid("file", "must be an absolute path: \"" + path + "\"");
    }
    InstanceRecord record = catalog.require(id).value();
    Optional<Running> running = machines.find(id);
    if (running.isEmpty() && record.type() == InstanceType.VIRTUAL_MACHINE) {
      // Its disk is its own: the kernel of this machine does not mount it.
      throw new StapesException(
          Kind.UNSUPPORTED,
          record.subject(),
          "files of a stopped virtual machine cannot be reached: start it");
    }
    try (Tree tree =
        running.isPresent()
            ? running.get().machine().files()
            : pools.pool(record.pool()).tree(record.volumeId(), Tree.Resolution.IN_ROOT)) {
      return body.apply(tree);
    }
  }
}
