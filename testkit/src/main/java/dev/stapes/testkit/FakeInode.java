package dev.stapes.testkit;

import dev.stapes.spi.Tree;
import java.time.Instant;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** A thing in a fake volume. Guarded by its volume's lock. */
final class FakeInode {
  private static final AtomicLong NUMBERS = new AtomicLong(1);

  final Tree.Type type;
  final long number = NUMBERS.incrementAndGet();
  final TreeMap<String, FakeInode> children = new TreeMap<>();
  final TreeMap<String, byte[]> xattrs = new TreeMap<>();
  int mode;
  long uid;
  long gid;
  int major;
  int minor;
  long links = 1;
  String target = "";
  Instant modifiedAt = Instant.now();

  /** Its first bytes; those beyond are zeros. An array is never changed once it is shared. */
  private byte[] bytes = new byte[0];

  private int written;
  private long size;
  private boolean shared;

  FakeInode(Tree.Type type, int mode) {
    this.type = type;
    this.mode = mode;
  }

  boolean is(Tree.Type other) {
    return type == other;
  }

  long size() {
    return type == Tree.Type.SYMLINK ? target.length() : size;
  }

  byte[] content() {
    return Arrays.copyOf(bytes, Math.toIntExact(size));
  }

  int read(long position, byte[] into, int offset, int length) {
    int count = (int) Math.max(0, Math.min(length, size - position));
    int stored = (int) Math.max(0, Math.min(count, bytes.length - position));
    if (stored > 0) {
      System.arraycopy(bytes, (int) position, into, offset, stored);
    }
    Arrays.fill(into, offset + stored, offset + count, (byte) 0);
    return count;
  }

  /** The bytes that take space: all up to the last one that was written. */
  int stored() {
    return written;
  }

  /** Changes its size; what it grows by takes no memory. */
  void resize(long to) {
    written = (int) Math.min(written, to);
    bytes = Arrays.copyOf(bytes, written);
    shared = false;
    size = to;
  }

  void truncate() {
    bytes = new byte[0];
    shared = false;
    written = 0;
    size = 0;
  }

  void write(int position, byte[] from, int offset, int length) {
    int end = position + length;
    if (shared || end > bytes.length) {
      int room = Math.max(end, Math.min(bytes.length * 2, 1 << 30));
      bytes = Arrays.copyOf(bytes, Math.max(room, bytes.length));
      shared = false;
    }
    System.arraycopy(from, offset, bytes, position, length);
    written = Math.max(written, end);
    size = Math.max(size, written);
  }

  /** A copy of it and all below; names of one inode stay names of one inode. */
  FakeInode copy() {
    return copy(new IdentityHashMap<>());
  }

  private FakeInode copy(Map<FakeInode, FakeInode> done) {
    FakeInode known = done.get(this);
    if (known != null) {
      return known;
    }
    FakeInode copy = new FakeInode(type, mode);
    done.put(this, copy);
    copy.uid = uid;
    copy.gid = gid;
    copy.major = major;
    copy.minor = minor;
    copy.links = links;
    copy.target = target;
    copy.modifiedAt = modifiedAt;
    copy.bytes = bytes;
    copy.written = written;
    copy.size = size;
    copy.shared = true;
    shared = true;
    copy.xattrs.putAll(xattrs);
    children.forEach((name, child) -> copy.children.put(name, child.copy(done)));
    return copy;
  }
}
