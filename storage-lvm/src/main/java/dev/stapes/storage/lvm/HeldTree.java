package dev.stapes.storage.lvm;

import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A tree that holds something as long as it is open, or a part of it is. */
final class HeldTree implements Tree {
  private final Tree tree;
  private final AtomicInteger open;
  private final Runnable letGo;
  private final AtomicBoolean closed = new AtomicBoolean();

  private HeldTree(Tree tree, AtomicInteger open, Runnable letGo) {
    this.tree = tree;
    this.open = open;
    this.letGo = letGo;
    open.incrementAndGet();
  }

  /**
   * Opens one.
   *
   * @param letGo done once, after all of it was closed, or when it cannot be opened
   */
  static Tree open(Supplier<Tree> opening, Runnable letGo) {
    try {
      return new HeldTree(opening.get(), new AtomicInteger(), letGo);
    } catch (RuntimeException e) {
      Undo.after(e, letGo);
      throw e;
    }
  }

  @Override
  public Tree subtree(String path) {
    return new HeldTree(tree.subtree(path), open, letGo);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      try {
        tree.close();
      } finally {
        if (open.decrementAndGet() == 0) {
          letGo.run();
        }
      }
    }
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
  public NewFile newFile(String path) {
    return tree.newFile(path);
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

  @Override
  public Map<String, byte[]> xattrs(String path) {
    return tree.xattrs(path);
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    tree.setXattr(path, name, value);
  }
}
