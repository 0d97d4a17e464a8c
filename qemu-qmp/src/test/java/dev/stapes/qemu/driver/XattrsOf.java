package dev.stapes.qemu.driver;

import dev.stapes.spi.Tree;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A tree with the extended attributes of another one: few machines have getfattr(1). */
record XattrsOf(Tree tree, Tree other) implements Tree {
  @Override
  public Map<String, byte[]> xattrs(String path) {
    return other.xattrs(path);
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    other.setXattr(path, name, value);
  }

  @Override
  public Tree subtree(String path) {
    Tree below = tree.subtree(path);
    return new XattrsOf(below, other.subtree(path));
  }

  @Override
  public void close() {
    tree.close();
  }

  @Override
  public Optional<Stat> stat(String path) {
    return tree.stat(path);
  }

  @Override
  public List<String> list(String path) {
    return tree.list(path);
  }

  @Override
  public InputStream read(String path) {
    return tree.read(path);
  }

  @Override
  public OutputStream write(String path, int mode) {
    return tree.write(path, mode);
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    return tree.writeAs(path, uid, gid, mode);
  }

  @Override
  public OutputStream append(String path, int mode) {
    return tree.append(path, mode);
  }

  @Override
  public OutputStream create(String path, int mode) {
    return tree.create(path, mode);
  }

  @Override
  public void resize(String path, long size) {
    tree.resize(path, size);
  }

  @Override
  public void mkdir(String path, int mode) {
    tree.mkdir(path, mode);
  }

  @Override
  public void symlink(String target, String path) {
    tree.symlink(target, path);
  }

  @Override
  public void hardlink(String existing, String path) {
    tree.hardlink(existing, path);
  }

  @Override
  public void mkfifo(String path, int mode) {
    tree.mkfifo(path, mode);
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    tree.mknod(path, type, mode, major, minor);
  }

  @Override
  public String readlink(String path) {
    return tree.readlink(path);
  }

  @Override
  public void rename(String from, String to) {
    tree.rename(from, to);
  }

  @Override
  public void remove(String path) {
    tree.remove(path);
  }

  @Override
  public void removeAll(String path) {
    tree.removeAll(path);
  }

  @Override
  public void chown(String path, long uid, long gid) {
    tree.chown(path, uid, gid);
  }

  @Override
  public void chmod(String path, int mode) {
    tree.chmod(path, mode);
  }

  @Override
  public void setModified(String path, Instant time) {
    tree.setModified(path, time);
  }
}
