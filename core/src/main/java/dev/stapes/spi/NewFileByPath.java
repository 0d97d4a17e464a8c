package dev.stapes.spi;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.OutputStream;

/** A new file of a tree that has no better way than its path. */
final class NewFileByPath implements Tree.NewFile {
  private static final int UNFINISHED = 0600;
  private static final byte[] ZEROS = new byte[64 << 10];

  private final Tree tree;
  private final String path;
  private final OutputStream out;

  NewFileByPath(Tree tree, String path) {
    this.tree = tree;
    this.path = path;
    this.out = tree.create(path, UNFINISHED);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    try {
      out.write(bytes, offset, length);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void skip(long length) {
    for (long left = length; left > 0; left -= ZEROS.length) {
      write(ZEROS, 0, (int) Math.min(left, ZEROS.length));
    }
  }

  @Override
  public void finish(Tree.Attributes attributes) {
    close();
    tree.chown(path, attributes.uid(), attributes.gid());
    tree.chmod(path, attributes.mode());
    attributes.xattrs().forEach((name, value) -> tree.setXattr(path, name, value));
    tree.setModified(path, attributes.modifiedAt());
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private StapesException failed(IOException e) {
    return new StapesException(
        StapesException.Kind.INTERNAL, path, "cannot be written: " + e.getMessage(), e);
  }
}
