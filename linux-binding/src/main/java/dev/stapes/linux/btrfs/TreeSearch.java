package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Reads items of the file system's own trees; needs CAP_SYS_ADMIN. */
final class TreeSearch {
  private final Syscalls sys;

  /** An item; its content is little-endian, as on disk. */
  record Item(long offset, ByteBuffer content) {}

  TreeSearch(Syscalls sys) {
    this.sys = sys;
  }

  /** All items of one object and type, by rising offset; none where the tree does not exist. */
  List<Item> items(Fd fd, long tree, long object, int type) {
    List<Item> items = new ArrayList<>();
    long from = 0;
    while (true) {
      ByteBuffer args = arguments(tree, object, type, from);
      int result = sys.libc().ioctl(fd.number(), BTRFS_IOC_TREE_SEARCH, args);
      int found = sys.checkUnless(result, "ioctl(BTRFS_IOC_TREE_SEARCH)", fd, Errno.ENOENT);
      int count = found < 0 ? 0 : args.getInt(btrfs_ioctl_search_key_nr_items);
      if (count == 0) {
        return items;
      }
      read(args, count, items);
      from = items.get(items.size() - 1).offset() + 1;
      if (from == 0) {
        return items; // the last possible offset
      }
    }
  }

  private static ByteBuffer arguments(long tree, long object, int type, long from) {
    ByteBuffer args = Syscalls.buffer(btrfs_ioctl_search_args_SIZEOF);
    args.putLong(btrfs_ioctl_search_key_tree_id, tree);
    args.putLong(btrfs_ioctl_search_key_min_objectid, object);
    args.putLong(btrfs_ioctl_search_key_max_objectid, object);
    args.putLong(btrfs_ioctl_search_key_min_offset, from);
    args.putLong(btrfs_ioctl_search_key_max_offset, -1);
    args.putLong(btrfs_ioctl_search_key_min_transid, 0);
    args.putLong(btrfs_ioctl_search_key_max_transid, -1);
    args.putInt(btrfs_ioctl_search_key_min_type, type);
    args.putInt(btrfs_ioctl_search_key_max_type, type);
    args.putInt(btrfs_ioctl_search_key_nr_items, 4096);
    return args;
  }

  private static void read(ByteBuffer args, int count, List<Item> items) {
    int at = btrfs_ioctl_search_args_buf;
    for (int i = 0; i < count; i++) {
      int length = args.getInt(at + btrfs_ioctl_search_header_len);
      long offset = args.getLong(at + btrfs_ioctl_search_header_offset);
      at += btrfs_ioctl_search_header_SIZEOF;
      byte[] content = new byte[length];
      args.get(at, content);
      at += length;
      items.add(new Item(offset, ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN)));
    }
  }
}
