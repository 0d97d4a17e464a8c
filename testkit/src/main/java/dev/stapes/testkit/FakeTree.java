package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.DENIED;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** A tree over a fake volume; it needs no privilege for owners, devices and attributes. */
final class FakeTree implements Tree {
  private static final long NOBODY = 65534;

  private final View view;
  private final FakeInode root;
  private volatile boolean closed;

  /**
   * How a volume is looked at.
   *
   * @param volume whose files these are
   * @param resolution what links mean
   * @param mounted the map of the mount, through which a uid on disk becomes one of the host;
   *     empty: they are the same
   * @param seen the map whose inner ids the tree speaks; empty: it speaks the host's
   * @param readOnly whether this view refuses changes of a volume that does not
   */
  record View(
      FakeVolume volume,
      Resolution resolution,
      Optional<IdMapping> mounted,
      Optional<IdMapping> seen,
      boolean readOnly) {}

  FakeTree(View view) {
    this(view, view.volume.root);
  }

  private FakeTree(View view, FakeInode root) {
    this.view = view;
    this.root = root;
  }

  View view() {
    return view;
  }

  /** The same directory, looked at in another way. */
  FakeTree with(View other) {
    return new FakeTree(other, root);
  }

  FakeTree below(String path) {
    synchronized (lock()) {
      return new FakeTree(view, directory(path));
    }
  }

  @Override
  public Optional<Stat> stat(String path) {
    synchronized (lock()) {
      FakeInode inode = orMissing(path).inode();
      return inode == null ? Optional.empty() : Optional.of(stat(inode));
    }
  }

  /** The place of a path; one without a parent directory is as good as empty. */
  private FakeResolver.Place orMissing(String path) {
    try {
      return resolver().find(path, false);
    } catch (StapesException e) {
      if (e.kind() == NOT_FOUND) {
        return new FakeResolver.Place(root, path, null);
      }
      throw e;
    }
  }

  private Stat stat(FakeInode inode) {
    return new Stat(
        inode.type,
        inode.mode,
        shown(inode.uid, true),
        shown(inode.gid, false),
        inode.size(),
        inode.modifiedAt,
        inode.major,
        inode.minor,
        inode.links,
        inode.number);
  }

  /** The id that the tree speaks for one on disk. */
  private long shown(long id, boolean isUid) {
    OptionalLong host = OptionalLong.of(id);
    if (view.mounted.isPresent()) {
      host = isUid ? view.mounted.get().hostUid(id) : view.mounted.get().hostGid(id);
    }
    if (view.seen.isPresent() && host.isPresent()) {
      host = inner(view.seen.get(), host.getAsLong(), isUid);
    }
    return host.orElse(NOBODY);
  }

  /** The id on disk for one that the tree speaks. */
  private long stored(String path, long id, boolean isUid) {
    OptionalLong disk = OptionalLong.of(id);
    if (view.seen.isPresent()) {
      disk = isUid ? view.seen.get().hostUid(id) : view.seen.get().hostGid(id);
    }
    if (view.mounted.isPresent() && disk.isPresent()) {
      disk = inner(view.mounted.get(), disk.getAsLong(), isUid);
    }
    return disk.orElseThrow(
        () -> new StapesException(INVALID, path, "id " + id + " is in no map (EOVERFLOW)"));
  }

  private static OptionalLong inner(IdMapping mapping, long outer, boolean isUid) {
    return (isUid ? mapping.uids() : mapping.gids())
        .stream()
            .filter(r -> outer >= r.outside() && outer < r.outside() + r.count())
            .mapToLong(r -> outer - r.outside() + r.inside())
            .findFirst();
  }

  @Override
  public List<String> list(String path) {
    synchronized (lock()) {
      return List.copyOf(directory(path).children.keySet());
    }
  }

  @Override
  public InputStream read(String path) {
    synchronized (lock()) {
      return new FakeFile.Reader(lock(), file(path, existing(path, true)));
    }
  }

  @Override
  public OutputStream write(String path, int mode) {
    synchronized (lock()) {
      writable(path);
      FakeInode file = openOrMake(path, mode);
      view.volume.charge(path, -file.stored());
      file.truncate();
      file.modifiedAt = Instant.now();
      return new FakeFile.Writer(view.volume, path, file, 0);
    }
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    synchronized (lock()) {
      long newUid = stored(path, uid, true);
      long newGid = stored(path, gid, false);
      int newMode = bits(path, mode);
      OutputStream out = write(path, 0600);
      FakeInode file = existing(path, true);
      file.uid = newUid;
      file.gid = newGid;
      file.mode = newMode;
      return out;
    }
  }

  @Override
  public OutputStream append(String path, int mode) {
    synchronized (lock()) {
      writable(path);
      FakeInode file = openOrMake(path, mode);
      return new FakeFile.Writer(view.volume, path, file, Math.toIntExact(file.size()));
    }
  }

  private FakeInode openOrMake(String path, int mode) {
    FakeResolver.Place place = resolver().find(path, true);
    return place.inode() == null
        ? add(path, place, fresh(path, Type.FILE, mode))
        : file(path, place.inode());
  }

  @Override
  public OutputStream create(String path, int mode) {
    synchronized (lock()) {
      FakeInode file = make(path, Type.FILE, mode);
      return new FakeFile.Writer(view.volume, path, file, 0);
    }
  }

  @Override
  public void resize(String path, long size) {
    synchronized (lock()) {
      FakeInode file = file(path, changing(path, false));
      view.volume.charge(path, Math.min(0, size - file.stored()));
      file.resize(size);
    }
  }

  @Override
  public void mkdir(String path, int mode) {
    synchronized (lock()) {
      make(path, Type.DIRECTORY, mode);
    }
  }

  @Override
  public void symlink(String target, String path) {
    synchronized (lock()) {
      if (target.isEmpty() || target.indexOf('\0') >= 0) {
        throw new StapesException(INVALID, path, "not the target of a link: \"" + target + "\"");
      }
      view.volume.charge(path, target.length());
      try {
        make(path, Type.SYMLINK, 0777).target = target;
      } catch (StapesException e) {
        view.volume.charge(path, -target.length());
        throw e;
      }
    }
  }

  @Override
  public void hardlink(String existing, String path) {
    synchronized (lock()) {
      FakeInode inode = existing(existing, false);
      if (inode.is(Type.DIRECTORY)) {
        throw new StapesException(DENIED, existing, "a directory has one name only");
      }
      add(path, vacant(path), inode);
      inode.links++;
    }
  }

  @Override
  public void mkfifo(String path, int mode) {
    synchronized (lock()) {
      make(path, Type.FIFO, mode);
    }
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    if (type != Type.CHARACTER_DEVICE && type != Type.BLOCK_DEVICE) {
      throw new StapesException(INVALID, path, "not a device: " + type);
    }
    synchronized (lock()) {
      FakeInode device = make(path, type, mode);
      device.major = major;
      device.minor = minor;
    }
  }

  @Override
  public String readlink(String path) {
    synchronized (lock()) {
      FakeInode inode = existing(path, false);
      if (!inode.is(Type.SYMLINK)) {
        throw new StapesException(INVALID, path, "not a symbolic link");
      }
      return inode.target;
    }
  }

  @Override
  public void rename(String from, String to) {
    synchronized (lock()) {
      writable(from);
      FakeResolver.Place source = resolver().find(from, false);
      FakeResolver.Place target = resolver().find(to, false);
      FakeInode moved = source.orThrow(from);
      FakeInode replaced = target.inode();
      if (replaced == moved) {
        return;
      }
      if (source.isRoot() || target.isRoot() || FakeResolver.holds(moved, target.parent())) {
        throw new StapesException(INVALID, from, "cannot be moved to " + to);
      }
      if (replaced != null) {
        replaceable(to, moved, replaced);
        drop(to, target);
      }
      source.parent().children.remove(source.name());
      target.parent().children.put(target.name(), moved);
      touch(source.parent());
      touch(target.parent());
    }
  }

  private static void replaceable(String to, FakeInode moved, FakeInode replaced) {
    if (moved.is(Type.DIRECTORY) != replaced.is(Type.DIRECTORY)) {
      throw new StapesException(INVALID, to, "a directory replaces directories only");
    }
    if (!replaced.children.isEmpty()) {
      throw new StapesException(CONFLICT, to, "is a directory that is not empty");
    }
  }

  @Override
  public void remove(String path) {
    synchronized (lock()) {
      writable(path);
      FakeResolver.Place place = resolver().find(path, false);
      if (!place.orThrow(path).children.isEmpty()) {
        throw new StapesException(CONFLICT, path, "is a directory that is not empty");
      }
      drop(path, place);
    }
  }

  @Override
  public void removeAll(String path) {
    synchronized (lock()) {
      writable(path);
      FakeResolver.Place place = orMissing(path);
      if (place.inode() != null) {
        dropAll(path, place);
      }
    }
  }

  private void dropAll(String path, FakeResolver.Place place) {
    FakeInode inode = place.orThrow(path);
    for (Map.Entry<String, FakeInode> child : List.copyOf(inode.children.entrySet())) {
      dropAll(path, new FakeResolver.Place(inode, child.getKey(), child.getValue()));
    }
    if (!place.isRoot()) {
      drop(path, place);
    }
  }

  private void drop(String path, FakeResolver.Place place) {
    if (place.isRoot()) {
      throw new StapesException(INVALID, path, "is the tree itself");
    }
    FakeInode inode = place.orThrow(path);
    place.parent().children.remove(place.name());
    touch(place.parent());
    inode.links--;
    if (inode.links == 0) {
      view.volume.charge(path, -inode.stored());
    }
  }

  @Override
  public void chown(String path, long uid, long gid) {
    synchronized (lock()) {
      FakeInode inode = changing(path, false);
      long newUid = stored(path, uid, true);
      inode.gid = stored(path, gid, false);
      inode.uid = newUid;
      // chown(2): the bits that lend the owner's rights do not survive a change of owner.
      if (inode.is(Type.FILE)) {
        inode.mode &= 01777;
      }
    }
  }

  @Override
  public void chmod(String path, int mode) {
    synchronized (lock()) {
      changing(path, true).mode = bits(path, mode);
    }
  }

  @Override
  public void setModified(String path, Instant time) {
    synchronized (lock()) {
      changing(path, false).modifiedAt = time;
    }
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    synchronized (lock()) {
      Map<String, byte[]> copy = new TreeMap<>();
      existing(path, false).xattrs.forEach((name, value) -> copy.put(name, value.clone()));
      return copy;
    }
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    synchronized (lock()) {
      if (!name.matches("(user|trusted|security|system)\\..+")) {
        throw new StapesException(
            StapesException.Kind.UNSUPPORTED, path, "no such attribute: \"" + name + "\"");
      }
      changing(path, false).xattrs.put(name, value.clone());
    }
  }

  @Override
  public Tree subtree(String path) {
    return below(path);
  }

  @Override
  public void close() {
    closed = true;
  }

  private FakeVolume lock() {
    if (closed) {
      throw new StapesException(UNAVAILABLE, "tree", "closed");
    }
    return view.volume;
  }

  private FakeResolver resolver() {
    return new FakeResolver(root, view.resolution);
  }

  private FakeInode existing(String path, boolean follow) {
    return resolver().find(path, follow).orThrow(path);
  }

  private FakeInode changing(String path, boolean follow) {
    FakeInode inode = existing(path, follow);
    writable(path);
    return inode;
  }

  private FakeInode directory(String path) {
    FakeInode inode = existing(path, true);
    if (!inode.is(Type.DIRECTORY)) {
      throw new StapesException(INVALID, path, "not a directory");
    }
    return inode;
  }

  private static FakeInode file(String path, FakeInode inode) {
    if (!inode.is(Type.FILE)) {
      throw new StapesException(INVALID, path, "not a regular file");
    }
    return inode;
  }

  private FakeInode make(String path, Type type, int mode) {
    FakeResolver.Place place = vacant(path);
    return add(path, place, fresh(path, type, mode));
  }

  private FakeInode fresh(String path, Type type, int mode) {
    FakeInode inode = new FakeInode(type, bits(path, mode));
    inode.uid = stored(path, 0, true);
    inode.gid = stored(path, 0, false);
    return inode;
  }

  private FakeResolver.Place vacant(String path) {
    FakeResolver.Place place = resolver().find(path, false);
    if (place.inode() != null) {
      throw new StapesException(CONFLICT, path, "exists");
    }
    return place;
  }

  private FakeInode add(String path, FakeResolver.Place place, FakeInode inode) {
    writable(path);
    if (place.name().isEmpty()) {
      throw new StapesException(NOT_FOUND, path, "has no parent directory");
    }
    place.parent().children.put(place.name(), inode);
    touch(place.parent());
    return inode;
  }

  private static void touch(FakeInode directory) {
    directory.modifiedAt = Instant.now();
  }

  private void writable(String path) {
    if (view.readOnly || view.volume.isReadOnly()) {
      throw new StapesException(DENIED, path, "cannot be changed: read-only (EROFS)");
    }
  }

  private static int bits(String path, int mode) {
    if (mode < 0 || mode > 07777) {
      throw new StapesException(
          INVALID, path, "not permission bits: 0" + Integer.toOctalString(mode));
    }
    return mode;
  }
}
