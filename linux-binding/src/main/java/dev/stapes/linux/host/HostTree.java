package dev.stapes.linux.host;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A {@link FileTree} in the words of the SPI. */
final class HostTree implements Tree {
  private final Syscalls sys;
  private final FileTree tree;
  private final @Nullable IdView ids;

  private HostTree(Syscalls sys, FileTree tree, @Nullable IdView ids) {
    this.sys = sys;
    this.tree = tree;
    this.ids = ids;
  }

  static HostTree open(
      Syscalls sys, Path directory, Resolution resolution, Optional<IdMapping> mapping) {
    FileTree.Resolution kernels =
        resolution == Resolution.BENEATH
            ? FileTree.Resolution.BENEATH
            : FileTree.Resolution.IN_ROOT;
    return Failures.translated(
        () -> {
          if (mapping.isEmpty()) {
            return new HostTree(sys, FileTree.open(sys, directory, kernels), null);
          }
          IdView ids = new IdView(mapping.get());
          return new HostTree(sys, FileTree.open(sys, directory, kernels, ids.root()), ids);
        });
  }

  @Override
  public Optional<Stat> stat(String path) {
    return translated(path, () -> tree.stat(path)).map(this::stat);
  }

  private Stat stat(FileStat stat) {
    return new Stat(
        Type.valueOf(stat.kind().name()),
        stat.permissions(),
        ids == null ? stat.uid() : ids.insideUid(stat.uid()),
        ids == null ? stat.gid() : ids.insideGid(stat.gid()),
        stat.size(),
        stat.modified(),
        stat.special().major(),
        stat.special().minor(),
        stat.links(),
        stat.inode());
  }

  @Override
  public List<String> list(String path) {
    return translated(path, () -> tree.list(path)).stream().sorted().toList();
  }

  @Override
  public InputStream read(String path) {
    return translated(path, () -> tree.openFile(path, Set.of(OpenFlag.READ)).fileInput());
  }

  @Override
  public OutputStream write(String path, int mode) {
    Fd fd = translated(path, () -> openForWriting(path, mode, OpenFlag.WRITE));
    try {
      translating(path, () -> fd.truncate(0));
      return fd.fileOutput();
    } catch (StapesException e) {
      fd.close();
      throw e;
    }
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    FileTree.Owner owner = owner(path, uid, gid);
    int permissions = permissions(path, mode);
    Fd fd = translated(path, () -> openForWriting(path, 0600, OpenFlag.WRITE));
    try {
      translating(
          path,
          () -> {
            fd.truncate(0);
            fd.chown(owner.uid(), owner.gid());
            fd.chmod(permissions); // chown(2) takes set-user-id away: in this order
          });
      return fd.fileOutput();
    } catch (StapesException e) {
      fd.close();
      throw e;
    }
  }

  @Override
  public OutputStream append(String path, int mode) {
    return translated(path, () -> openForWriting(path, mode, OpenFlag.APPEND)).fileOutput();
  }

  private Fd openForWriting(String path, int mode, OpenFlag flag) {
    return tree.openOrCreateFile(path, EnumSet.of(OpenFlag.WRITE, flag), permissions(path, mode));
  }

  @Override
  public OutputStream create(String path, int mode) {
    return translated(path, () -> tree.create(path, permissions(path, mode)).fileOutput());
  }

  @Override
  public NewFile newFile(String path) {
    return new HostFile(sys, this, path, translated(path, () -> tree.createUnfinished(path)));
  }

  @Override
  public void resize(String path, long size) {
    if (stat(path).filter(found -> found.type() == Type.SYMLINK).isPresent() || size < 0) {
      throw StapesException.invalid(path, "no file that could have the size " + size);
    }
    translating(
        path,
        () -> {
          try (Fd fd = tree.openFile(path, Set.of(OpenFlag.WRITE))) {
            fd.truncate(size);
          }
        });
  }

  @Override
  public void mkdir(String path, int mode) {
    translating(path, () -> tree.mkdir(path, permissions(path, mode)));
  }

  @Override
  public void symlink(String target, String path) {
    translating(path, () -> tree.symlink(target, path));
  }

  @Override
  public void hardlink(String existing, String path) {
    translating(path, () -> tree.hardlink(existing, path));
  }

  @Override
  public void mkfifo(String path, int mode) {
    translating(path, () -> tree.mkfifo(path, permissions(path, mode)));
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    if (type != Type.CHARACTER_DEVICE && type != Type.BLOCK_DEVICE) {
      throw StapesException.invalid(path, "not a type of device: " + type);
    }
    FileKind kind = FileKind.valueOf(type.name());
    int permissions = permissions(path, mode);
    translating(path, () -> tree.mknod(path, kind, permissions, new DeviceNumber(major, minor)));
  }

  @Override
  public String readlink(String path) {
    return translated(path, () -> tree.readlink(path));
  }

  @Override
  public void rename(String from, String to) {
    translating(from + " to " + to, () -> tree.rename(from, to));
  }

  @Override
  public void remove(String path) {
    translating(
        path,
        () -> {
          try {
            tree.unlink(path);
          } catch (LinuxException e) {
            if (e.errno() != Errno.EISDIR) {
              throw e;
            }
            tree.rmdir(path);
          }
        });
  }

  @Override
  public void removeAll(String path) {
    translating(path, () -> tree.removeAll(path));
  }

  @Override
  public void chown(String path, long uid, long gid) {
    FileTree.Owner owner = owner(path, uid, gid);
    translating(path, () -> tree.chown(path, owner.uid(), owner.gid()));
  }

  /** The host's ids of whom the tree knows by these. */
  FileTree.Owner owner(String path, long uid, long gid) {
    if (uid < 0 || uid > 0xFFFF_FFFEL || gid < 0 || gid > 0xFFFF_FFFEL) {
      throw StapesException.invalid(path, "not an owner: " + uid + ":" + gid);
    }
    return ids == null
        ? new FileTree.Owner(uid, gid)
        : new FileTree.Owner(ids.hostUid(path, uid), ids.hostGid(path, gid));
  }

  @Override
  public void chmod(String path, int mode) {
    translating(path, () -> tree.chmod(path, permissions(path, mode)));
  }

  @Override
  public void setModified(String path, Instant time) {
    translating(path, () -> tree.times(path, time, time));
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    return translated(
        path,
        () ->
            tree.xattrs(
                path,
                attributes -> {
                  Map<String, byte[]> all = new TreeMap<>();
                  for (String name : attributes.list()) {
                    attributes.get(name).ifPresent(value -> all.put(name, inside(name, value)));
                  }
                  return all;
                }));
  }

  private byte[] inside(String name, byte[] value) {
    return ids == null ? value : ids.xattrToInside(name, value);
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    byte[] hosts = hosts(path, name, value);
    translated(
        path,
        () ->
            tree.xattrs(
                path,
                attributes -> {
                  attributes.set(name, hosts);
                  return true;
                }));
  }

  /** The value of an attribute as the kernel wants it. */
  byte[] hosts(String path, String name, byte[] value) {
    return ids == null ? value : ids.xattrToHost(path, name, value);
  }

  @Override
  public Tree subtree(String path) {
    return new HostTree(sys, translated(path, () -> tree.subtree(path)), ids);
  }

  @Override
  public void close() {
    tree.close();
  }

  static int permissions(String path, int mode) {
    if (mode < 0 || mode > 07777) {
      throw StapesException.invalid(path, "not permissions: " + Integer.toOctalString(mode));
    }
    return mode;
  }

  /** Bad arguments and a tree that was closed are the caller's: names with a NUL, for one. */
  private static <T> T translated(String path, Supplier<T> call) {
    try {
      return call.get();
    } catch (LinuxException e) {
      throw Failures.of(e, path);
    } catch (IllegalArgumentException e) {
      throw StapesException.invalid(path, String.valueOf(e.getMessage()));
    }
  }

  static void translating(String path, Runnable call) {
    translated(
        path,
        () -> {
          call.run();
          return true;
        });
  }
}
