package dev.stapes.linux.host;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.Xattrs;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Tree;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;

/** A new file of a {@link HostTree}, by its descriptor. */
final class HostFile implements Tree.NewFile {
  private final Syscalls sys;
  private final HostTree tree;
  private final String path;
  private final Fd fd;
  private long position;
  private boolean endsInHole;

  HostFile(Syscalls sys, HostTree tree, String path, Fd fd) {
    this.sys = sys;
    this.tree = tree;
    this.path = path;
    this.fd = fd;
  }

  @Override
  public boolean isIndependent() {
    return true;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length > 0) {
      HostTree.translating(path, () -> fd.write(ByteBuffer.wrap(bytes, offset, length), position));
      position += length;
      endsInHole = false;
    }
  }

  @Override
  public void skip(long length) {
    position = Math.addExact(position, length);
    endsInHole |= length > 0;
  }

  /** The owner first: changing it drops set-user-id bits and capabilities. */
  @Override
  public void finish(Tree.Attributes attributes) {
    FileTree.Owner owner = tree.owner(path, attributes.uid(), attributes.gid());
    int permissions = HostTree.permissions(path, attributes.mode());
    HostTree.translating(
        path,
        () -> {
          if (endsInHole) {
            fd.truncate(position);
          }
          chown(owner);
          fd.chmod(permissions);
          setXattrs(attributes.xattrs());
          fd.times(attributes.modifiedAt(), attributes.modifiedAt());
        });
  }

  /** Asking is cheaper: a change looks for capabilities that it would have to take away. */
  private void chown(FileTree.Owner owner) {
    FileStat stat = fd.stat();
    if (stat.uid() != owner.uid() || stat.gid() != owner.gid()) {
      fd.chown(owner.uid(), owner.gid());
    }
  }

  private void setXattrs(Map<String, byte[]> attributes) {
    if (!attributes.isEmpty()) {
      Xattrs xattrs = Xattrs.of(sys, fd);
      attributes.forEach((name, value) -> xattrs.set(name, tree.hosts(path, name, value)));
    }
  }

  @Override
  public void close() {
    HostTree.translating(path, fd::close);
  }
}
