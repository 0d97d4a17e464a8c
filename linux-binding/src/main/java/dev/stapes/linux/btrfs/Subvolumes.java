package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Subvolumes of Btrfs. Directories are given by descriptors that are open for reading; names are
 * single path components. All calls need CAP_SYS_ADMIN.
 */
public final class Subvolumes {
  /** {@code FILEID_BTRFS_WITHOUT_PARENT} of linux/exportfs.h. */
  private static final int HANDLE_TYPE = 0x4d;

  private static final int HANDLE_BYTES = 20;
  private static final int NAME_MAX = 255;

  private final Syscalls sys;
  private final TreeSearch search;

  public Subvolumes(Syscalls sys) {
    this.sys = sys;
    this.search = new TreeSearch(sys);
  }

  /**
   * A subvolume that lies in another one.
   *
   * @param id its number
   * @param directory the inode of the directory that it is in
   * @param name its name there
   */
  public record Child(long id, long directory, String name) {}

  /**
   * Makes an empty subvolume, owned by the caller with the permissions that the umask leaves.
   *
   * @throws LinuxException EEXIST
   */
  public void create(Fd directory, String name) {
    ioctl(directory, BTRFS_IOC_SUBVOL_CREATE_V2, named(name), "BTRFS_IOC_SUBVOL_CREATE_V2", name);
  }

  /**
   * Makes a snapshot of one subvolume, without those that lie in it: they are empty directories in
   * it. See {@link #copyAll}.
   *
   * @param source any descriptor of the subvolume's root
   * @throws LinuxException EEXIST; EXDEV if the two are on different file systems; EINVAL if the
   *     source is no subvolume
   */
  public void snapshot(Fd source, Fd directory, String name, boolean readOnly) {
    ByteBuffer args = named(name);
    args.putLong(btrfs_ioctl_vol_args_v2_fd, source.number());
    args.putLong(btrfs_ioctl_vol_args_v2_flags, readOnly ? BTRFS_SUBVOL_RDONLY : 0);
    ioctl(directory, BTRFS_IOC_SNAP_CREATE_V2, args, "BTRFS_IOC_SNAP_CREATE_V2", name);
  }

  /** Makes a writable snapshot of a subvolume and of all that lie in it, one after the other. */
  public void copyAll(Fd source, Fd directory, String name) {
    snapshot(source, directory, name, false);
    List<Child> children = children(source, id(source));
    if (children.isEmpty()) {
      return;
    }
    try (Fd copy = openAt(directory, name)) {
      for (Child child : children) {
        copyChild(source, child, copy);
      }
    }
  }

  /** A snapshot has the inode numbers of its source: no path is walked, however long. */
  private void copyChild(Fd source, Child child, Fd copy) {
    try (Fd from = open(source, child.id());
        Fd place = open(copy, id(copy), child.directory())) {
      byte[] placeholder = CString.of(child.name());
      int result = sys.libc().unlinkat(place.number(), placeholder, Constants.AT_REMOVEDIR);
      sys.checkUnless(result, "unlinkat(AT_REMOVEDIR)", child.name(), Errno.ENOENT);
      copyAll(from, place, child.name());
    } catch (LinuxException e) {
      if (!e.is(Errno.ESTALE, Errno.ENOENT)) {
        throw e; // those two: it was removed while this went on
      }
    }
  }

  /**
   * Removes a subvolume: its name at once, its data in the background.
   *
   * @throws LinuxException ENOENT; ENOTEMPTY if others lie in it; EINVAL or ENOTDIR if it is none;
   *     EROFS if what it lies in is read-only
   */
  public void destroy(Fd directory, String name) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_vol_args_SIZEOF);
    putName(args, btrfs_ioctl_vol_args_name, name);
    ioctl(directory, BTRFS_IOC_SNAP_DESTROY, args, "BTRFS_IOC_SNAP_DESTROY", name);
  }

  /** Removes a subvolume and all that lie in it, read-only or not. */
  public void destroyAll(Fd directory, String name) {
    try {
      destroy(directory, name);
    } catch (LinuxException e) {
      if (!e.is(Errno.ENOTEMPTY)) {
        throw e;
      }
      try (Fd subvolume = openAt(directory, name)) {
        destroyChildren(subvolume);
      }
      destroy(directory, name);
    }
  }

  private void destroyChildren(Fd subvolume) {
    if (readOnly(subvolume)) {
      readOnly(subvolume, false);
    }
    long id = id(subvolume);
    for (Child child : children(subvolume, id)) {
      // By directory and name: the kernel looks for the path where it is given a number, and what
      // runs in a machine can make paths that are too long for that.
      try (Fd place = open(subvolume, id, child.directory())) {
        destroyAll(place, child.name());
      }
    }
  }

  /** Whether a subvolume refuses changes. */
  public boolean readOnly(Fd subvolume) {
    return (flags(subvolume) & BTRFS_SUBVOL_RDONLY) != 0;
  }

  /** Makes a subvolume refuse changes, or take them. */
  public void readOnly(Fd subvolume, boolean value) {
    long flags = flags(subvolume);
    ByteBuffer args = Syscalls.buffer(Long.BYTES);
    args.putLong(0, value ? flags | BTRFS_SUBVOL_RDONLY : flags & ~BTRFS_SUBVOL_RDONLY);
    ioctl(subvolume, BTRFS_IOC_SUBVOL_SETFLAGS, args, "BTRFS_IOC_SUBVOL_SETFLAGS", subvolume);
  }

  /** Makes a subvolume and all that lie in it refuse changes. */
  public void readOnlyAll(Fd subvolume) {
    for (Child child : children(subvolume, id(subvolume))) {
      try (Fd below = open(subvolume, child.id())) {
        readOnlyAll(below);
      }
    }
    readOnly(subvolume, true);
  }

  private long flags(Fd subvolume) {
    ByteBuffer args = Syscalls.buffer(Long.BYTES);
    ioctl(subvolume, BTRFS_IOC_SUBVOL_GETFLAGS, args, "BTRFS_IOC_SUBVOL_GETFLAGS", subvolume);
    return args.getLong(0);
  }

  /** The number of the subvolume that a descriptor is in. */
  public long id(Fd any) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_ino_lookup_args_SIZEOF);
    args.putLong(btrfs_ioctl_ino_lookup_args_objectid, BTRFS_FIRST_FREE_OBJECTID);
    ioctl(any, BTRFS_IOC_INO_LOOKUP, args, "BTRFS_IOC_INO_LOOKUP", any);
    return args.getLong(btrfs_ioctl_ino_lookup_args_treeid);
  }

  /** What the subvolume that a descriptor is in says of itself. */
  public SubvolumeInfo info(Fd any) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_get_subvol_info_args_SIZEOF);
    ioctl(any, BTRFS_IOC_GET_SUBVOL_INFO, args, "BTRFS_IOC_GET_SUBVOL_INFO", any);
    return new SubvolumeInfo(
        args.getLong(btrfs_ioctl_get_subvol_info_args_treeid),
        args.getLong(btrfs_ioctl_get_subvol_info_args_parent_id),
        // The on-disk flag, which is another bit than that of the flag ioctls.
        (args.getLong(btrfs_ioctl_get_subvol_info_args_flags) & 1) != 0,
        Uuids.get(args, btrfs_ioctl_get_subvol_info_args_uuid),
        present(Uuids.get(args, btrfs_ioctl_get_subvol_info_args_parent_uuid)),
        present(Uuids.get(args, btrfs_ioctl_get_subvol_info_args_received_uuid)),
        args.getLong(btrfs_ioctl_get_subvol_info_args_ctransid),
        args.getLong(btrfs_ioctl_get_subvol_info_args_stransid));
  }

  private static Optional<UUID> present(UUID uuid) {
    return uuid.equals(Uuids.NONE) ? Optional.empty() : Optional.of(uuid);
  }

  /**
   * The subvolumes that lie directly in another one.
   *
   * @param any a descriptor on the file system
   */
  public List<Child> children(Fd any, long id) {
    return search.items(any, BTRFS_ROOT_TREE_OBJECTID, id, BTRFS_ROOT_REF_KEY).stream()
        .map(
            item -> {
              int length = item.content().getShort(btrfs_root_ref_name_len) & 0xFFFF;
              int start = btrfs_root_ref_SIZEOF;
              String name = CString.decode(item.content().array(), start, start + length);
              return new Child(item.offset(), item.content().getLong(btrfs_root_ref_dirid), name);
            })
        .toList();
  }

  /**
   * Opens the root of a subvolume by its number, wherever it lies.
   *
   * @param any a descriptor on the file system
   * @throws LinuxException ESTALE if there is no such subvolume
   */
  public Fd open(Fd any, long id) {
    return open(any, id, BTRFS_FIRST_FREE_OBJECTID);
  }

  /** Opens a directory of a subvolume by its inode number. */
  private Fd open(Fd any, long id, long inode) {
    ByteBuffer handle = Syscalls.buffer(Layout.file_handle_f_handle + HANDLE_BYTES);
    handle.putInt(Layout.file_handle_handle_bytes, HANDLE_BYTES);
    handle.putInt(Layout.file_handle_handle_type, HANDLE_TYPE);
    // struct btrfs_fid: objectid, root_objectid, generation (0 is not compared)
    handle.putLong(Layout.file_handle_f_handle, inode);
    handle.putLong(Layout.file_handle_f_handle + Long.BYTES, id);
    String name = "subvolume " + id + (inode == 256 ? "" : ", inode " + inode);
    int flags = Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_CLOEXEC;
    int number = sys.libc().open_by_handle_at(any.number(), handle, flags);
    return Fd.adopt(sys, sys.check(number, "open_by_handle_at", name), name);
  }

  private Fd openAt(Fd directory, String name) {
    int flags =
        Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;
    int number = sys.libc().openat(directory.number(), CString.of(name), flags, 0);
    return Fd.adopt(sys, sys.check(number, "openat", name), name);
  }

  private static ByteBuffer named(String name) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_vol_args_v2_SIZEOF);
    putName(args, btrfs_ioctl_vol_args_v2_name, name);
    return args;
  }

  private static void putName(ByteBuffer args, int at, String name) {
    byte[] bytes = CString.of(name);
    boolean fits = bytes.length > 1 && bytes.length <= NAME_MAX + 1 && !name.contains("/");
    if (!fits) {
      byte[] shown = name.getBytes(StandardCharsets.UTF_8);
      throw new LinuxException(
          "btrfs", name, shown.length > NAME_MAX ? Errno.ENAMETOOLONG : Errno.EINVAL);
    }
    args.put(at, bytes);
  }

  private void ioctl(Fd fd, int request, ByteBuffer args, String name, Object subject) {
    int result;
    do {
      result = sys.libc().ioctl(fd.number(), request, args);
    } while (sys.interrupted(result));
    sys.check(result, "ioctl(" + name + ")", subject);
  }
}
