package dev.stapes.internal.image;

import java.time.Instant;
import java.util.Arrays;

/**
 * An inode of a squashfs file system.
 *
 * @param type of the basic kind: 1 to 7
 * @param mode 0 to 07777
 * @param uid index of the table of ids
 * @param gid likewise
 * @param modifiedAt in whole seconds
 * @param number of the inode
 * @param links how many names it has
 * @param size of a file, or of the listing of a directory
 * @param start of the blocks of a file, or of the listing in the table of directories
 * @param offset in the block of the listing, or in the fragment
 * @param fragment that a file ends in, or {@link #NO_FRAGMENT}
 * @param xattrs index of the table of attributes, or {@link #NO_XATTRS}
 * @param device number of a device
 * @param target of a symbolic link
 * @param blocks sizes of the blocks of a file, as the file system has them
 */
record SquashInode(
    int type,
    int mode,
    int uid,
    int gid,
    Instant modifiedAt,
    long number,
    long links,
    long size,
    long start,
    int offset,
    long fragment,
    long xattrs,
    long device,
    byte[] target,
    int[] blocks) {
  static final int DIRECTORY = 1;
  static final int FILE = 2;
  static final int SYMLINK = 3;
  static final int BLOCK_DEVICE = 4;
  static final int CHARACTER_DEVICE = 5;
  static final int FIFO = 6;
  static final int SOCKET = 7;

  static final long NO_FRAGMENT = 0xffff_ffffL;
  static final long NO_XATTRS = 0xffff_ffffL;

  private static final int TYPES = 7;
  private static final int TARGET_LIMIT = 65_535;

  /** A listing has three bytes less than its inode says. */
  private static final int NOT_LISTED = 3;

  /** Of a terabyte in blocks of 128 KiB. */
  private static final int BLOCK_LIMIT = 1 << 23;

  /** Reads one. */
  static SquashInode read(SquashCursor in, int blockSize) {
    int type = in.u16();
    if (type < 1 || type > 2 * TYPES) {
      throw BadArchive.because("has an inode of an unknown type: " + type);
    }
    Reading inode = new Reading();
    inode.type = type > TYPES ? type - TYPES : type;
    inode.mode = in.u16() & 07777;
    inode.uid = in.u16();
    inode.gid = in.u16();
    inode.modifiedAt = Instant.ofEpochSecond(in.u32());
    inode.number = in.u32();
    boolean extended = type > TYPES;
    switch (inode.type) {
      case DIRECTORY -> directory(in, inode, extended);
      case FILE -> file(in, inode, extended, blockSize);
      case SYMLINK -> {
        inode.links = in.u32();
        long length = in.u32();
        if (length == 0 || length > TARGET_LIMIT) {
          throw BadArchive.because("has a symbolic link of an impossible length: " + length);
        }
        inode.target = in.bytes((int) length);
      }
      case BLOCK_DEVICE, CHARACTER_DEVICE -> {
        inode.links = in.u32();
        inode.device = in.u32();
      }
      default -> inode.links = in.u32();
    }
    if (extended && inode.type != DIRECTORY && inode.type != FILE) {
      inode.xattrs = in.u32();
    }
    return inode.done();
  }

  private static void directory(SquashCursor in, Reading inode, boolean extended) {
    if (extended) {
      inode.links = in.u32();
      inode.size = in.u32();
      inode.start = in.u32();
      in.u32(); // its parent
      in.u16(); // an index, for those who look for a name
      inode.offset = in.u16();
      inode.xattrs = in.u32();
    } else {
      inode.start = in.u32();
      inode.links = in.u32();
      inode.size = in.u16();
      inode.offset = in.u16();
    }
    inode.size = Math.max(0, inode.size - NOT_LISTED);
  }

  private static void file(SquashCursor in, Reading inode, boolean extended, int blockSize) {
    if (extended) {
      inode.start = in.u64();
      inode.size = in.u64();
      in.u64(); // bytes in holes
      inode.links = in.u32();
      inode.fragment = in.u32();
      inode.offset = offset(in.u32());
      inode.xattrs = in.u32();
    } else {
      inode.start = in.u32();
      inode.fragment = in.u32();
      inode.offset = offset(in.u32());
      inode.size = in.u32();
      inode.links = 1;
    }
    if (inode.size < 0) {
      throw BadArchive.because("has a file of an impossible size");
    }
    boolean whole = inode.fragment == NO_FRAGMENT && inode.size % blockSize != 0;
    long count = inode.size / blockSize + (whole ? 1 : 0);
    if (count > BLOCK_LIMIT) {
      throw BadArchive.because("has a file of an impossible size: " + inode.size);
    }
    // Read before there is room for all: what is not there cannot make us take the memory.
    int[] blocks = new int[(int) Math.min(count, 1024)];
    for (int i = 0; i < count; i++) {
      if (i == blocks.length) {
        blocks = Arrays.copyOf(blocks, (int) Math.min(count, 2L * i));
      }
      blocks[i] = (int) in.u32();
    }
    inode.blocks = blocks;
  }

  private static int offset(long offset) {
    if (offset > Integer.MAX_VALUE) {
      throw BadArchive.because("has a file that ends in no fragment");
    }
    return (int) offset;
  }

  private static final class Reading {
    private int type;
    private int mode;
    private int uid;
    private int gid;
    private Instant modifiedAt = Instant.EPOCH;
    private long number;
    private long links;
    private long size;
    private long start;
    private int offset;
    private long fragment = NO_FRAGMENT;
    private long xattrs = NO_XATTRS;
    private long device;
    private byte[] target = {};
    private int[] blocks = {};

    private SquashInode done() {
      return new SquashInode(
          type,
          mode,
          uid,
          gid,
          modifiedAt,
          number,
          links,
          size,
          start,
          offset,
          fragment,
          xattrs,
          device,
          target,
          blocks);
    }
  }
}
