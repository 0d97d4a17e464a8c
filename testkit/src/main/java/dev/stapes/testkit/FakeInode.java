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

  /** The first {@link #size} bytes of it; an array is never changed once it is shared. */
  private byte[] bytes = new byte[0];

  private int size;
  private boolean shared;

  FakeInode(Tree.Type type, int mode) {
    this.type = type;
    this.mode = mode;
  }

  boolean is(Tree.Type other) {
    return type == other;
  }

  int size() {
    return type == Tree.Type.SYMLINK ? target.length() : size;
  }

  byte[] content() {
    return Arrays.copyOf(bytes, size);
  }

  int read(int position, byte[] into, int offset, int length) {
    int count = Math.min(length, size - position);
    if (count > 0) {
      System.arraycopy(bytes, position, into, offset, count);
    }
    return Math.max(count, 0);
  }

  void truncate() {
    bytes = new byte[0];
    shared = false;
    size = 0;
  }

  void write(int position, byte[] from, int offset, int length) {
    int end = Math.max(size, position + length);
    if (shared || end > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(end, Math.min(bytes.length * 2, 1 << 30)));
      shared = false;
    }
    System.arraycopy(from, offset, bytes, position, length);
    size = end;
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
    copy.size = size;
    copy.shared = true;
    shared = true;
    copy.xattrs.putAll(xattrs);
    children.forEach((name, child) -> copy.children.put(name, child.copy(done)));
    return copy;
  }
}
