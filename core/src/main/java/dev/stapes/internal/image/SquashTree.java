package dev.stapes.internal.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/** Walks the directories of a squashfs file system, parents first. */
final class SquashTree {
  private static final String ROOT = "./";
  private static final long NO_ID = 0xffff_ffffL;
  private static final int HEADER = 12;
  private static final int ENTRY = 8;
  private static final int MOST_OF_A_HEADER = 256;

  private final SquashFile file;
  private final SquashSuperblock superblock;
  private final SquashTables tables;
  private final ArchiveLimits limits;
  private final Deque<Listing> open = new ArrayDeque<>();
  private final Set<Long> entered = new HashSet<>();
  private final Map<Long, String> firstNames = new HashMap<>();
  private boolean begun;
  private long entries;
  private long unpacked;

  SquashTree(SquashFile file, ArchiveLimits limits) {
    this.file = file;
    this.superblock = file.superblock();
    this.tables = new SquashTables(file, limits);
    this.limits = limits;
  }

  /**
   * A thing with its inode.
   *
   * @param entry what is to be made of it
   */
  record Node(TarEntry entry, SquashInode inode) {
    /** Whether it is a file that has not been met under another name. */
    boolean hasContent() {
      return entry.kind() == TarEntry.Kind.FILE;
    }
  }

  /** What the inodes refer to. */
  SquashTables tables() {
    return tables;
  }

  /** The next thing, or empty behind the last. */
  Optional<Node> next() {
    if (!begun) {
      begun = true;
      return Optional.of(root());
    }
    while (!open.isEmpty()) {
      Listing listing = open.element();
      if (!listing.hasNext()) {
        open.pop();
        continue;
      }
      Optional<Node> node = node(listing);
      if (node.isPresent()) {
        return node;
      }
    }
    return Optional.empty();
  }

  private Node root() {
    SquashInode inode = inode(superblock.root());
    if (inode.type() != SquashInode.DIRECTORY) {
      throw BadArchive.because("has no root directory");
    }
    enter(superblock.root(), inode, "");
    return new Node(entry(ROOT, TarEntry.Kind.DIRECTORY, inode), inode);
  }

  /** Empty for a socket: who made it has ended. */
  private Optional<Node> node(Listing listing) {
    listing.advance();
    if (++entries > limits.entries()) {
      throw BadArchive.because("has more than the allowed " + limits.entries() + " entries");
    }
    String path = listing.path + listing.name;
    if (path.getBytes(StandardCharsets.UTF_8).length > limits.pathBytes()) {
      throw BadArchive.entry(path, "a name of more than " + limits.pathBytes() + " bytes");
    }
    SquashInode inode = inode(listing.reference);
    if (inode.type() == SquashInode.SOCKET) {
      return Optional.empty();
    }
    if (inode.type() == SquashInode.DIRECTORY) {
      enter(listing.reference, inode, path + "/");
    } else if (inode.links() > 1) {
      String first = firstNames.putIfAbsent(inode.number(), path);
      if (first != null) {
        return Optional.of(new Node(TarEntry.hardlink(path, first, inode.modifiedAt()), inode));
      }
    }
    return Optional.of(new Node(entry(path, kind(inode), inode), inode));
  }

  private SquashInode inode(long reference) {
    return SquashInode.read(
        SquashCursor.at(file, superblock.inodeTable(), reference), superblock.blockSize());
  }

  private void enter(long reference, SquashInode inode, String path) {
    if (!entered.add(reference)) {
      throw BadArchive.entry(path, "a directory that is elsewhere, too");
    }
    if (open.size() > limits.depth()) {
      throw BadArchive.entry(path, "deeper than the allowed " + limits.depth() + " directories");
    }
    open.push(new Listing(inode, path));
  }

  private static TarEntry.Kind kind(SquashInode inode) {
    return switch (inode.type()) {
      case SquashInode.DIRECTORY -> TarEntry.Kind.DIRECTORY;
      case SquashInode.FILE -> TarEntry.Kind.FILE;
      case SquashInode.SYMLINK -> TarEntry.Kind.SYMLINK;
      case SquashInode.BLOCK_DEVICE -> TarEntry.Kind.BLOCK_DEVICE;
      case SquashInode.CHARACTER_DEVICE -> TarEntry.Kind.CHARACTER_DEVICE;
      default -> TarEntry.Kind.FIFO;
    };
  }

  private TarEntry entry(String path, TarEntry.Kind kind, SquashInode inode) {
    long size = kind == TarEntry.Kind.FILE ? inode.size() : 0;
    unpacked += size;
    if (unpacked > limits.unpacked().bytes() || unpacked < 0) {
      throw BadArchive.entry(path, "exceeds the allowed " + limits.unpacked() + " in all");
    }
    SortedMap<String, byte[]> xattrs =
        inode.xattrs() == SquashInode.NO_XATTRS
            ? Collections.emptySortedMap()
            : tables.xattrs(inode.xattrs());
    // As the kernel's new_encode_dev has it.
    int major = (int) (inode.device() >> 8 & 0xfff);
    int minor = (int) ((inode.device() & 0xff) | (inode.device() >> 12 & 0xfff00));
    return new TarEntry(
        path,
        kind,
        inode.mode(),
        id(inode.uid(), path),
        id(inode.gid(), path),
        size,
        inode.modifiedAt(),
        inode.target().length == 0 ? "" : TarFormat.text(inode.target(), "link"),
        major,
        minor,
        xattrs);
  }

  private long id(int index, String path) {
    long id = tables.id(index);
    if (id == NO_ID) {
      throw BadArchive.entry(path, "its owner is no uid or gid: " + id);
    }
    return id;
  }

  /** The names in a directory, read as they are asked for. */
  private final class Listing {
    private final String path;
    private long left;
    private long ofThisHeader;
    private long inodes;
    private final SquashCursor in;
    private String name = "";
    private long reference;

    Listing(SquashInode directory, String path) {
      this.path = path;
      this.left = directory.size();
      // Not where there is nothing: an empty directory may lead nowhere.
      this.in =
          left == 0
              ? new SquashCursor(file, superblock.inodeTable(), 0)
              : new SquashCursor(
                  file, superblock.directoryTable() + directory.start(), directory.offset());
    }

    boolean hasNext() {
      return left > 0;
    }

    void advance() {
      if (ofThisHeader == 0) {
        take(HEADER);
        ofThisHeader = in.u32() + 1;
        inodes = in.u32();
        in.u32(); // the number of the first inode
        if (ofThisHeader > MOST_OF_A_HEADER) {
          throw BadArchive.entry(path, "a directory with a damaged listing");
        }
      }
      ofThisHeader--;
      take(ENTRY);
      int offset = in.u16();
      in.u16(); // the number of the inode, from the first
      in.u16(); // the type, which the inode has, too
      int length = in.u16() + 1;
      take(length);
      if (length > ArchiveLimits.NAME_BYTES + 1) {
        throw BadArchive.entry(path, "a directory with a name that is too long");
      }
      name = checked(TarFormat.text(in.bytes(length), "name"));
      reference = inodes << 16 | offset;
    }

    private void take(int bytes) {
      left -= bytes;
      if (left < 0) {
        throw BadArchive.entry(path, "a directory whose listing ends early");
      }
    }

    private String checked(String text) {
      if (text.equals(".") || text.equals("..") || text.indexOf('/') >= 0 || text.indexOf(0) >= 0) {
        throw BadArchive.entry(path + text, "no name of a file");
      }
      return text;
    }
  }
}
