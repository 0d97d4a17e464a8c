package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.btrfs.StreamCommand.Attribute;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Makes a subvolume of a send stream. Every path of the stream is resolved below the subvolume, so
 * that it changes nothing else whatever it says. Closing it ends that, also from another thread
 * while one waits for the stream; then nothing holds the file system any more. Needs CAP_SYS_ADMIN.
 */
public final class ReceivedSubvolume implements AutoCloseable {
  private static final Set<OpenFlag> DIRECTORY =
      EnumSet.of(OpenFlag.READ, OpenFlag.DIRECTORY, OpenFlag.NO_FOLLOW);
  private static final int PERMISSIONS = 07777;

  private final Syscalls sys;
  private final Subvolumes subvolumes;
  private final Fd directory;
  private final String name;
  private final Others others;
  private UUID uuid = Uuids.NONE;
  private long transaction;
  private @Nullable FileTree tree;
  private @Nullable Fd file;
  private String filePath = "";
  private boolean closed;

  /** Subvolumes that are there already. */
  @FunctionalInterface
  public interface Others {
    /**
     * Opens the one that a stream means: it was received from the given one, or is it.
     *
     * @param uuid of the sender's
     * @param transaction of its last change
     * @return empty if it is not there
     */
    Optional<Fd> find(UUID uuid, long transaction);
  }

  /**
   * What is to be made.
   *
   * @param directory where; closed with this
   * @param name of the subvolume; the stream's own is not used
   */
  public ReceivedSubvolume(Syscalls sys, Fd directory, String name, Others others) {
    this.sys = sys;
    this.subvolumes = new Subvolumes(sys);
    this.directory = directory;
    this.name = name;
    this.others = others;
  }

  /**
   * Reads a stream to its end and makes the subvolume, writable yet; see {@link #finish}. Where
   * this fails the caller removes what there is by the name.
   *
   * @throws BadStreamException if the stream is none, or refers to what is not there
   * @throws UncheckedIOException if the stream cannot be read, or this was closed
   */
  public void receive(InputStream in) {
    StreamReader reader = new StreamReader(in);
    try {
      reader.begin();
      begin(reader.next());
      for (StreamCommand command = reader.next();
          command.type() != StreamCommand.Type.END;
          command = reader.next()) {
        apply(command);
      }
    } catch (LinuxException e) {
      if (e.is(Errno.ENOSPC, Errno.EDQUOT, Errno.EIO, Errno.ENOMEM, Errno.EMFILE, Errno.EROFS)) {
        throw e;
      }
      throw new BadStreamException("it does not fit what is there: " + e.getMessage(), e);
    } finally {
      close();
    }
  }

  /** Notes on the subvolume what it was received from, and makes it read-only. */
  public void finish(Fd subvolume) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_received_subvol_args_SIZEOF);
    Uuids.put(args, btrfs_ioctl_received_subvol_args_uuid, uuid);
    args.putLong(btrfs_ioctl_received_subvol_args_stransid, transaction);
    int result = sys.libc().ioctl(subvolume.number(), BTRFS_IOC_SET_RECEIVED_SUBVOL, args);
    sys.check(result, "ioctl(BTRFS_IOC_SET_RECEIVED_SUBVOL)", name);
    subvolumes.readOnly(subvolume, true);
  }

  private void ensureOpen() {
    if (closed) {
      throw new UncheckedIOException(
          "send stream: the making of " + name + " was ended", new ClosedChannelException());
    }
  }

  private synchronized void begin(StreamCommand command) {
    ensureOpen();
    switch (command.type()) {
      case SUBVOL -> subvolumes.create(directory, name);
      case SNAPSHOT -> {
        UUID base = command.uuid(Attribute.CLONE_UUID);
        try (Fd source = other(base, command.number(Attribute.CLONE_CTRANSID))) {
          subvolumes.snapshot(source, directory, name, false);
        }
      }
      default -> throw new BadStreamException("it begins with " + command.type());
    }
    uuid = command.uuid(Attribute.UUID);
    transaction = command.number(Attribute.CTRANSID);
    tree = open();
  }

  private Fd other(UUID wanted, long changedIn) {
    return others
        .find(wanted, changedIn)
        .orElseThrow(
            () ->
                new BadStreamException(
                    "it is a difference to subvolume " + wanted + ", which is not here"));
  }

  private FileTree open() {
    try (FileTree parent = FileTree.over(sys, directory.duplicate(), FileTree.Resolution.BENEATH)) {
      Fd subvolume = parent.open(name, DIRECTORY, 0);
      return FileTree.over(sys, subvolume, FileTree.Resolution.BENEATH);
    }
  }

  private synchronized void apply(StreamCommand command) {
    ensureOpen();
    apply(Objects.requireNonNull(tree, "it has begun"), command);
  }

  private void apply(FileTree below, StreamCommand command) {
    String path = command.text(Attribute.PATH);
    switch (command.type()) {
      case WRITE -> {
        ByteBuffer data = command.data();
        ByteBuffer direct = Syscalls.buffer(data.remaining()).put(data).flip();
        file(below, path).write(direct, offset(command, Attribute.FILE_OFFSET));
      }
      case CLONE -> share(below, command, path);
      case TRUNCATE -> file(below, path).truncate(offset(command, Attribute.SIZE));
      case UPDATE_EXTENT -> {
        // only in streams without data: there is nothing to write
      }
      default -> {
        closeFile();
        applyToName(below, command, path);
      }
    }
  }

  private void applyToName(FileTree below, StreamCommand command, String path) {
    switch (command.type()) {
      case MKFILE -> below.create(path, 0600).close();
      case MKDIR -> below.mkdir(path, 0700);
      case MKNOD -> device(below, command, path);
      case MKFIFO -> below.mkfifo(path, 0600);
      case MKSOCK -> below.mknod(path, FileKind.SOCKET, 0600, new DeviceNumber(0, 0));
      case SYMLINK -> below.symlink(command.text(Attribute.PATH_LINK), path);
      case RENAME -> below.rename(path, command.text(Attribute.PATH_TO));
      case LINK -> below.hardlink(command.text(Attribute.PATH_LINK), path);
      case UNLINK -> below.unlink(path);
      case RMDIR -> below.rmdir(path);
      default -> applyToAttributes(below, command, path);
    }
  }

  private static void applyToAttributes(FileTree below, StreamCommand command, String path) {
    switch (command.type()) {
      case SET_XATTR ->
          below.xattrs(
              path,
              xattrs -> {
                xattrs.set(command.text(Attribute.XATTR_NAME), command.bytes(Attribute.XATTR_DATA));
                return path;
              });
      case REMOVE_XATTR ->
          below.xattrs(
              path,
              xattrs -> {
                xattrs.remove(command.text(Attribute.XATTR_NAME));
                return path;
              });
      case CHMOD -> below.chmod(path, (int) command.number(Attribute.MODE) & PERMISSIONS);
      case CHOWN -> below.chown(path, command.number(Attribute.UID), command.number(Attribute.GID));
      case UTIMES ->
          below.times(path, command.time(Attribute.ATIME), command.time(Attribute.MTIME));
      default -> throw new BadStreamException("a second " + command.type());
    }
  }

  private static void device(FileTree below, StreamCommand command, String path) {
    long mode = command.number(Attribute.MODE);
    long device = command.number(Attribute.RDEV);
    int minor = (int) ((device & 0xFF) | ((device >> 12) & 0xFFF00));
    DeviceNumber number = new DeviceNumber((int) (device >> 8) & 0xFFF, minor);
    boolean block = (mode & 0170000) == 0060000;
    FileKind kind = block ? FileKind.BLOCK_DEVICE : FileKind.CHARACTER_DEVICE;
    below.mknod(path, kind, 0600, number);
  }

  private static long offset(StreamCommand command, Attribute attribute) {
    long value = command.number(attribute);
    if (value < 0) {
      throw new BadStreamException(command.type() + " with " + attribute + " " + value);
    }
    return value;
  }

  private void share(FileTree below, StreamCommand command, String path) {
    UUID wanted = command.uuid(Attribute.CLONE_UUID);
    String from = command.text(Attribute.CLONE_PATH);
    if (wanted.equals(uuid)) {
      share(below, from, command, file(below, path));
      return;
    }
    Fd other = other(wanted, command.number(Attribute.CLONE_CTRANSID));
    try (FileTree source = FileTree.over(sys, other, FileTree.Resolution.BENEATH)) {
      share(source, from, command, file(below, path));
    }
  }

  private void share(FileTree source, String from, StreamCommand command, Fd target) {
    try (Fd opened = source.openFile(from, Set.of(OpenFlag.READ))) {
      ByteBuffer range = Syscalls.buffer(file_clone_range_SIZEOF);
      range.putLong(file_clone_range_src_fd, opened.number());
      range.putLong(file_clone_range_src_offset, command.number(Attribute.CLONE_OFFSET));
      range.putLong(file_clone_range_src_length, command.number(Attribute.CLONE_LEN));
      range.putLong(file_clone_range_dest_offset, command.number(Attribute.FILE_OFFSET));
      int result = sys.libc().ioctl(target.number(), FICLONERANGE, range);
      sys.check(result, "ioctl(FICLONERANGE)", filePath);
    }
  }

  /** Writes to one file come one after the other: it is opened once. */
  private Fd file(FileTree below, String path) {
    Fd open = file;
    if (open == null || !path.equals(filePath)) {
      closeFile();
      open = below.openFile(path, Set.of(OpenFlag.WRITE));
      file = open;
      filePath = path;
    }
    return open;
  }

  private void closeFile() {
    if (file != null) {
      file.close();
      file = null;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    closeFile();
    if (tree != null) {
      tree.close();
    }
    directory.close();
  }
}
