package dev.stapes.internal.image;

import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The volume of a virtual machine whose disk is a device: the files of a directory, and the device
 * as the file {@link Machine.Disk#IMAGE} among them. So it looks as on pools without devices.
 */
final class PairedTree implements Tree {
  private final Tree directory;
  private final DeviceTree disk;

  /** Of both; the directory is closed with it. */
  PairedTree(Tree directory, DeviceTree disk) {
    this.directory = directory;
    this.disk = disk;
  }

  private Tree of(String path) {
    return DeviceTree.isDisk(path) ? disk : directory;
  }

  @Override
  public Optional<Stat> stat(String path) {
    return of(path).stat(path);
  }

  @Override
  public List<String> list(String path) {
    List<String> files = directory.list(path);
    return DeviceTree.isRoot(path)
        ? Stream.concat(files.stream(), Stream.of(Machine.Disk.IMAGE)).distinct().sorted().toList()
        : files;
  }

  @Override
  public InputStream read(String path) {
    return of(path).read(path);
  }

  @Override
  public OutputStream write(String path, int mode) {
    return of(path).write(path, mode);
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    return of(path).writeAs(path, uid, gid, mode);
  }

  @Override
  public OutputStream append(String path, int mode) {
    return of(path).append(path, mode);
  }

  @Override
  public OutputStream create(String path, int mode) {
    return of(path).create(path, mode);
  }

  @Override
  public NewFile newFile(String path) {
    return of(path).newFile(path);
  }

  @Override
  public void resize(String path, long size) {
    of(path).resize(path, size);
  }

  @Override
  public void mkdir(String path, int mode) {
    of(path).mkdir(path, mode);
  }

  @Override
  public void symlink(String target, String path) {
    of(path).symlink(target, path);
  }

  @Override
  public void hardlink(String existing, String path) {
    of(DeviceTree.isDisk(existing) ? existing : path).hardlink(existing, path);
  }

  @Override
  public void mkfifo(String path, int mode) {
    of(path).mkfifo(path, mode);
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    of(path).mknod(path, type, mode, major, minor);
  }

  @Override
  public String readlink(String path) {
    return of(path).readlink(path);
  }

  @Override
  public void rename(String from, String to) {
    of(DeviceTree.isDisk(from) ? from : to).rename(from, to);
  }

  @Override
  public void remove(String path) {
    of(path).remove(path);
  }

  @Override
  public void removeAll(String path) {
    of(path).removeAll(path);
  }

  @Override
  public void chown(String path, long uid, long gid) {
    of(path).chown(path, uid, gid);
  }

  @Override
  public void chmod(String path, int mode) {
    of(path).chmod(path, mode);
  }

  @Override
  public void setModified(String path, Instant time) {
    of(path).setModified(path, time);
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    return of(path).xattrs(path);
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    of(path).setXattr(path, name, value);
  }

  @Override
  public Tree subtree(String path) {
    return DeviceTree.isRoot(path) ? this : directory.subtree(path);
  }

  @Override
  public void close() {
    try (directory) {
      disk.close();
    }
  }
}
