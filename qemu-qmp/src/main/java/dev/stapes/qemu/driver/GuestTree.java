package dev.stapes.qemu.driver;

import dev.stapes.linux.ffi.CString;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** A directory of a guest, by a shell there. What comes from it is the guest's word. */
final class GuestTree implements Tree {
  private static final Duration LONG = Duration.ofMinutes(30);
  private static final int PERMISSIONS = 07777;
  private static final long LAST_ID = 0xFFFF_FFFEL;

  private final GuestShell shell;
  private final String root;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * A directory.
   *
   * @param shell released when this is closed
   * @param root absolute, real; empty for the guest's own root directory
   */
  GuestTree(GuestShell shell, String root) {
    this.shell = shell;
    this.root = root;
  }

  private byte[] run(String path, String function, Object... words) {
    return opened(path).run(path, function, root, words);
  }

  private GuestShell opened(String path) {
    if (closed.get()) {
      throw StapesException.invalid("file " + path, "the tree is closed");
    }
    return shell;
  }

  @Override
  public Optional<Stat> stat(String path) {
    byte[] text;
    try {
      text = run(path, "stat_");
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
    try {
      return Optional.of(GuestStat.parse(new String(text, StandardCharsets.US_ASCII).strip()));
    } catch (IOException e) {
      throw shell.unbelievable(path, e);
    }
  }

  @Override
  public List<String> list(String path) {
    String text = GuestShell.text(run(path, "list_"));
    return Stream.of(text.split("/", -1)).filter(name -> !name.isEmpty()).sorted().toList();
  }

  @Override
  public InputStream read(String path) {
    int file = opened(path).takeFile(path);
    try {
      String size = new String(run(path, "read_", file), StandardCharsets.US_ASCII).strip();
      return new GuestInput(shell, path, file, GuestShell.number(size));
    } catch (IOException e) {
      shell.giveFile(file);
      throw shell.unbelievable(path, e);
    } catch (StapesException e) {
      shell.giveFile(file);
      throw e;
    }
  }

  @Override
  public OutputStream write(String path, int mode) {
    return open(path, "write_", permissions(path, mode), "");
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    return open(path, "write_", permissions(path, mode), owner(path, uid, gid));
  }

  @Override
  public OutputStream append(String path, int mode) {
    return open(path, "append_", permissions(path, mode), "");
  }

  @Override
  public OutputStream create(String path, int mode) {
    return open(path, "create_", permissions(path, mode), "");
  }

  private OutputStream open(String path, String function, String mode, String owner) {
    int file = opened(path).takeFile(path);
    try {
      run(path, function, file, mode, owner);
      return new GuestOutput(shell, path, file);
    } catch (StapesException e) {
      shell.giveFile(file);
      throw e;
    }
  }

  @Override
  public void resize(String path, long size) {
    if (size < 0) {
      throw StapesException.invalid("file " + path, "no file has the size " + size);
    }
    run(path, "resize_", size);
  }

  @Override
  public void mkdir(String path, int mode) {
    run(path, "mkdir_", permissions(path, mode));
  }

  @Override
  public void symlink(String target, String path) {
    run(path, "symlink_", target);
  }

  @Override
  public void hardlink(String existing, String path) {
    run(existing, "hardlink_", path);
  }

  @Override
  public void mkfifo(String path, int mode) {
    run(path, "mkfifo_", permissions(path, mode));
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    if (type != Type.CHARACTER_DEVICE && type != Type.BLOCK_DEVICE) {
      throw StapesException.invalid("file " + path, "not a type of device: " + type);
    }
    String kind = type == Type.BLOCK_DEVICE ? "b" : "c";
    run(path, "mknod_", permissions(path, mode), kind, major, minor);
  }

  @Override
  public String readlink(String path) {
    byte[] line = run(path, "readlink_");
    int length = line.length;
    return CString.decode(line, 0, length > 0 && line[length - 1] == '\n' ? length - 1 : length);
  }

  @Override
  public void rename(String from, String to) {
    run(from, "rename_", to);
  }

  @Override
  public void remove(String path) {
    run(path, "remove_");
  }

  @Override
  public void removeAll(String path) {
    try {
      opened(path).run(path, LONG, "remove_all_", root);
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
    }
  }

  @Override
  public void chown(String path, long uid, long gid) {
    run(path, "chown_", owner(path, uid, gid));
  }

  @Override
  public void chmod(String path, int mode) {
    run(path, "chmod_", permissions(path, mode));
  }

  @Override
  public void setModified(String path, Instant time) {
    boolean whole = time.getNano() == 0 || time.getEpochSecond() < 0;
    String nanos = whole ? "" : String.format(Locale.ROOT, ".%09d", time.getNano());
    run(path, "touch_", time.getEpochSecond(), nanos);
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    try {
      return GuestXattrs.parse(run(path, "xattrs_"));
    } catch (IOException e) {
      throw shell.unbelievable(path, e);
    }
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    run(path, "set_xattr_", name, "0x" + HexFormat.of().formatHex(value));
  }

  @Override
  public Tree subtree(String path) {
    String real = GuestShell.text(run(path, "directory_"));
    return new GuestTree(shell.use(), real.equals("/") ? "" : real);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      shell.release();
    }
  }

  /** Five digits at least: with fewer, chmod(1) leaves a directory's set-group-id bit. */
  private static String permissions(String path, int mode) {
    if (mode < 0 || mode > PERMISSIONS) {
      throw StapesException.invalid(
          "file " + path, "not permissions: " + Integer.toOctalString(mode));
    }
    return String.format(Locale.ROOT, "%05o", mode);
  }

  private static String owner(String path, long uid, long gid) {
    if (uid < 0 || uid > LAST_ID || gid < 0 || gid > LAST_ID) {
      throw StapesException.invalid("file " + path, "not an owner: " + uid + ":" + gid);
    }
    return uid + ":" + gid;
  }
}
