package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A tree in memory, resolved BENEATH as openat2(2) does it. */
final class MemoryTree implements Tree {
  private static final int MOST_LINKS = 40;

  /** A thing; several names may lead to it. */
  static final class Node {
    final Type type;
    final long inode;
    int mode;
    long uid;
    long gid;
    byte[] content = new byte[0];
    String target = "";
    Instant modified = Instant.EPOCH;
    int major;
    int minor;
    long links = 1;
    final TreeMap<String, Node> children = new TreeMap<>();
    final TreeMap<String, byte[]> xattrs = new TreeMap<>();

    Node(Type type, int mode, long inode) {
      this.type = type;
      this.mode = mode;
      this.inode = inode;
    }
  }

  /** Another tree with the same content. */
  MemoryTree copy() {
    return new MemoryTree(copy(root, new HashMap<>()));
  }

  private static Node copy(Node node, Map<Long, Node> copies) {
    Node known = copies.get(node.inode);
    if (known != null) {
      return known;
    }
    Node copy = new Node(node.type, node.mode, node.inode);
    copies.put(node.inode, copy);
    copy.uid = node.uid;
    copy.gid = node.gid;
    copy.content = node.content.clone();
    copy.target = node.target;
    copy.modified = node.modified;
    copy.major = node.major;
    copy.minor = node.minor;
    copy.links = node.links;
    copy.xattrs.putAll(node.xattrs);
    node.children.forEach((name, child) -> copy.children.put(name, copy(child, copies)));
    return copy;
  }

  private record Place(Node directory, String name) {}

  private final Node root;
  private final AtomicLong inodes;

  MemoryTree() {
    this(new Node(Type.DIRECTORY, 0755, 1));
  }

  private MemoryTree(Node root, AtomicLong inodes) {
    this.root = root;
    this.inodes = inodes;
  }

  private MemoryTree(Node root) {
    this.root = root;
    this.inodes = new AtomicLong(most(root));
  }

  private static long most(Node node) {
    return Math.max(
        node.inode, node.children.values().stream().mapToLong(MemoryTree::most).max().orElse(0));
  }

  /** Everything, as lines that two equal trees have in common. */
  List<String> dump() {
    List<String> lines = new ArrayList<>();
    dump("", root, lines, new TreeMap<>());
    return lines;
  }

  private static void dump(
      String path, Node node, List<String> lines, TreeMap<Long, String> firsts) {
    StringBuilder attributes = new StringBuilder();
    node.xattrs.forEach(
        (name, value) -> attributes.append(name).append(Arrays.toString(value)).append(' '));
    String first = node.type == Type.DIRECTORY ? path : firsts.getOrDefault(node.inode, path);
    firsts.putIfAbsent(node.inode, path);
    lines.add(
        String.format(
            Locale.ROOT,
            "%s %s %o %d:%d %s %s %d,%d %s %s =%s",
            path,
            node.type,
            node.mode,
            node.uid,
            node.gid,
            node.modified,
            node.target,
            node.major,
            node.minor,
            attributes,
            Arrays.toString(node.content),
            first));
    node.children.forEach((name, child) -> dump(path + "/" + name, child, lines, firsts));
  }

  @Override
  public Optional<Stat> stat(String path) {
    Node node = find(path, false);
    return node == null ? Optional.empty() : Optional.of(stat(node));
  }

  private static Stat stat(Node node) {
    return new Stat(
        node.type,
        node.mode,
        node.uid,
        node.gid,
        node.content.length,
        node.modified,
        node.major,
        node.minor,
        node.links,
        node.inode);
  }

  @Override
  public List<String> list(String path) {
    Node node = need(path, true);
    if (node.type != Type.DIRECTORY) {
      throw StapesException.invalid(path, "not a directory");
    }
    return List.copyOf(node.children.keySet());
  }

  @Override
  public InputStream read(String path) {
    Node node = need(path, true);
    if (node.type != Type.FILE) {
      throw StapesException.invalid(path, "no regular file");
    }
    return new ByteArrayInputStream(node.content);
  }

  @Override
  public OutputStream write(String path, int mode) {
    Node existing = find(path, true);
    Node node = existing == null ? add(path, Type.FILE, mode) : existing;
    return output(node, new byte[0]);
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    OutputStream out = write(path, mode);
    Node node = need(path, true);
    node.uid = uid;
    node.gid = gid;
    node.mode = mode;
    return out;
  }

  @Override
  public OutputStream append(String path, int mode) {
    Node existing = find(path, true);
    Node node = existing == null ? add(path, Type.FILE, mode) : existing;
    return output(node, node.content);
  }

  @Override
  public OutputStream create(String path, int mode) {
    return output(add(path, Type.FILE, mode), new byte[0]);
  }

  /** By its node, as a descriptor is: other threads may fill it. */
  @Override
  public NewFile newFile(String path) {
    Node node = add(path, Type.FILE, 0600);
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    return new NewFile() {
      @Override
      public boolean isIndependent() {
        return true;
      }

      @Override
      public void write(byte[] bytes, int offset, int length) {
        content.write(bytes, offset, length);
      }

      @Override
      public void skip(long length) {
        content.writeBytes(new byte[(int) length]);
      }

      @Override
      public void finish(Attributes attributes) {
        node.content = content.toByteArray();
        node.uid = attributes.uid();
        node.gid = attributes.gid();
        node.mode = attributes.mode();
        node.xattrs.putAll(attributes.xattrs());
        node.modified = attributes.modifiedAt();
      }

      @Override
      public void close() {
        // Nothing is open.
      }
    };
  }

  private static OutputStream output(Node node, byte[] start) {
    ByteArrayOutputStream out =
        new ByteArrayOutputStream() {
          @Override
          public void close() {
            node.content = toByteArray();
          }
        };
    out.writeBytes(start);
    return out;
  }

  @Override
  public void mkdir(String path, int mode) {
    add(path, Type.DIRECTORY, mode);
  }

  @Override
  public void symlink(String target, String path) {
    add(path, Type.SYMLINK, 0777).target = target;
  }

  @Override
  public void hardlink(String existing, String path) {
    Node node = need(existing, false);
    if (node.type == Type.DIRECTORY) {
      throw new StapesException(StapesException.Kind.DENIED, existing, "a directory");
    }
    put(path, node);
    node.links++;
  }

  @Override
  public void mkfifo(String path, int mode) {
    add(path, Type.FIFO, mode);
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    Node node = add(path, type, mode);
    node.major = major;
    node.minor = minor;
  }

  @Override
  public String readlink(String path) {
    return need(path, false).target;
  }

  @Override
  public void rename(String from, String to) {
    Node node = need(from, false);
    Place place = place(from);
    place.directory.children.remove(place.name);
    Place target = place(to);
    target.directory.children.put(target.name, node);
  }

  @Override
  public void remove(String path) {
    need(path, false);
    Place place = place(path);
    place.directory.children.remove(place.name);
  }

  @Override
  public void removeAll(String path) {
    if (find(path, false) != null) {
      Place place = place(path);
      place.directory.children.remove(place.name);
    }
  }

  @Override
  public void chown(String path, long uid, long gid) {
    Node node = need(path, false);
    node.uid = uid;
    node.gid = gid;
    if (node.type == Type.FILE) {
      node.mode &= 01777; // as chown(2) does
      node.xattrs.remove("security.capability");
    }
  }

  @Override
  public void resize(String path, long size) {
    Node file = need(path, false);
    file.content = Arrays.copyOf(file.content, Math.toIntExact(size));
  }

  @Override
  public void chmod(String path, int mode) {
    need(path, true).mode = mode;
  }

  @Override
  public void setModified(String path, Instant time) {
    need(path, false).modified = time;
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    return new TreeMap<>(need(path, false).xattrs);
  }

  @Override
  public void setXattr(String path, String name, byte[] value) {
    need(path, false).xattrs.put(name, value);
  }

  @Override
  public Tree subtree(String path) {
    return new MemoryTree(need(path, true), inodes);
  }

  @Override
  public void close() {}

  private Node add(String path, Type type, int mode) {
    Node node = new Node(type, mode, inodes.incrementAndGet());
    put(path, node);
    return node;
  }

  private void put(String path, Node node) {
    Place place = place(path);
    if (place.name.isEmpty() || place.directory.children.containsKey(place.name)) {
      throw new StapesException(StapesException.Kind.CONFLICT, path, "exists");
    }
    if (place.name.getBytes(StandardCharsets.UTF_8).length > 255) {
      throw StapesException.invalid(path, "name too long");
    }
    place.directory.children.put(place.name, node);
    place.directory.modified = Instant.now();
  }

  /** The directory that a path's last name is in, which need not exist. */
  private Place place(String path) {
    int slash = path.lastIndexOf('/');
    Node directory = need(slash < 0 ? "" : path.substring(0, slash), true);
    if (directory.type != Type.DIRECTORY) {
      throw StapesException.invalid(path, "not a directory");
    }
    return new Place(directory, path.substring(slash + 1));
  }

  private Node need(String path, boolean follow) {
    Node node = find(path, follow);
    if (node == null) {
      throw StapesException.notFound(path);
    }
    return node;
  }

  private @Nullable Node find(String path, boolean follow) {
    Deque<String> names = new ArrayDeque<>(List.of(path.split("/")));
    Deque<Node> above = new ArrayDeque<>();
    Node at = root;
    int followed = 0;
    while (!names.isEmpty()) {
      String name = names.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (at.type != Type.DIRECTORY) {
        throw StapesException.invalid(path, "not a directory");
      }
      if (name.equals("..")) {
        if (above.isEmpty()) {
          throw StapesException.invalid(path, "leaves the tree");
        }
        at = above.pop();
        continue;
      }
      Node next = at.children.get(name);
      if (next == null) {
        return null;
      }
      if (next.type == Type.SYMLINK && (follow || !names.isEmpty())) {
        if (++followed > MOST_LINKS || next.target.startsWith("/")) {
          throw StapesException.invalid(path, "leaves the tree, or a loop of links");
        }
        List<String> parts = new ArrayList<>(List.of(next.target.split("/")));
        for (int i = parts.size() - 1; i >= 0; i--) {
          names.push(parts.get(i));
        }
        continue;
      }
      above.push(at);
      at = next;
    }
    return at;
  }
}
