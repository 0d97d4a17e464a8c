package dev.stapes.testkit;

import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What a fake host remembers of real files, by inode, because only root could set it. */
final class FakeOwners {
  private final Map<Object, Remembered> files = new ConcurrentHashMap<>();

  private static final class Remembered {
    private final Tree.Type type;
    private final Map<String, byte[]> xattrs = new TreeMap<>();
    private int mode;
    private long uid;
    private long gid;
    private int major;
    private int minor;

    Remembered(Tree.Type type, int mode, long uid, long gid) {
      this.type = type;
      this.mode = mode;
      this.uid = uid;
      this.gid = gid;
    }
  }

  /** A file that was made: it belongs to root. */
  synchronized Path own(Path file, Tree.Type type, int mode) throws IOException {
    files.put(key(file), new Remembered(type, mode, 0, 0));
    return file;
  }

  synchronized Tree.Stat stat(Path file) throws IOException {
    Remembered known = of(file);
    Map<String, Object> real =
        Files.readAttributes(
            file, "unix:size,lastModifiedTime,nlink,ino", LinkOption.NOFOLLOW_LINKS);
    return new Tree.Stat(
        known.type,
        known.mode,
        known.uid,
        known.gid,
        number(real.get("size")),
        Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toInstant(),
        known.major,
        known.minor,
        number(real.get("nlink")),
        number(real.get("ino")));
  }

  synchronized Path chown(Path file, long uid, long gid) throws IOException {
    Remembered known = of(file);
    known.uid = uid;
    known.gid = gid;
    files.put(key(file), known);
    return file;
  }

  synchronized Path chmod(Path file, int mode) throws IOException {
    Remembered known = of(file);
    known.mode = mode;
    files.put(key(file), known);
    return file;
  }

  synchronized Path device(Path file, int major, int minor) throws IOException {
    Remembered known = of(file);
    known.major = major;
    known.minor = minor;
    files.put(key(file), known);
    return file;
  }

  synchronized Map<String, byte[]> xattrs(Path file) throws IOException {
    Remembered known = of(file);
    files.put(key(file), known);
    return known.xattrs;
  }

  synchronized Path delete(Path file) throws IOException {
    Object key = key(file);
    boolean last = number(Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS)) <= 1;
    boolean directory = Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    Files.delete(file);
    if (last || directory) {
      files.remove(key); // the inode's number may be given to another file
    }
    return file;
  }

  private Remembered of(Path file) throws IOException {
    Remembered known = files.get(key(file));
    if (known != null) {
      return known;
    }
    Map<String, Object> real =
        Files.readAttributes(file, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
    int mode = (int) number(real.get("mode"));
    return new Remembered(
        type(mode), mode & 07777, number(real.get("uid")), number(real.get("gid")));
  }

  /** The type bits of st_mode, inode(7). */
  private static Tree.Type type(int mode) {
    return switch (mode & 0170000) {
      case 0040000 -> Tree.Type.DIRECTORY;
      case 0120000 -> Tree.Type.SYMLINK;
      case 0010000 -> Tree.Type.FIFO;
      case 0140000 -> Tree.Type.SOCKET;
      case 0020000 -> Tree.Type.CHARACTER_DEVICE;
      case 0060000 -> Tree.Type.BLOCK_DEVICE;
      default -> Tree.Type.FILE;
    };
  }

  private static Object key(Path file) throws IOException {
    Object key =
        Files.readAttributes(
                file, java.nio.file.attribute.BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
            .fileKey();
    return key == null ? file : key;
  }

  private static long number(@Nullable Object value) {
    return value instanceof Number number ? number.longValue() : 0;
  }
}
