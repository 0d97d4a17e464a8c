package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Writes a directory as a unified image archive. Names are sorted, so that equal trees with equal
 * times give equal bytes; long runs of zeros are holes in it. Left out: sockets, what is below
 * {@code dev}, extended attributes that mean something to the host only, and what the caller does
 * not want. Used once.
 */
final class RootfsPacker {
  private static final String ROOTFS = "rootfs";

  private final Tree tree;
  private final Optional<Instant> timestamp;
  private final Predicate<String> wanted;
  private final Progress progress;
  private final Scope scope;
  private final Map<Long, String> firsts = new HashMap<>();
  private long bytes;

  /**
   * What the tree is.
   *
   * @param name of its root in the archive
   * @param complete whether all of it goes in, also what is below {@code dev}
   */
  record Scope(String name, boolean complete) {}

  /**
   * Prepares to pack a root file system.
   *
   * @param tree the root file system
   * @param timestamp the time of everything in the archive; empty: its own
   * @param wanted whether a path such as {@code etc/passwd} goes in, with what is below
   */
  RootfsPacker(
      Tree tree, Optional<Instant> timestamp, Predicate<String> wanted, Progress progress) {
    this(tree, timestamp, wanted, progress, new Scope(ROOTFS, false));
  }

  /** Prepares to pack any tree, with its own times. */
  RootfsPacker(Tree tree, Progress progress, Scope scope) {
    this(tree, Optional.empty(), path -> true, progress, scope);
  }

  private RootfsPacker(
      Tree tree,
      Optional<Instant> timestamp,
      Predicate<String> wanted,
      Progress progress,
      Scope scope) {
    this.scope = scope;
    this.tree = tree;
    this.timestamp = timestamp;
    this.wanted = wanted;
    this.progress = progress;
  }

  /**
   * Packs.
   *
   * @param compressed whether in zstd
   * @throws StapesException CONFLICT where a file shrank meanwhile; INVALID for what would be
   *     refused when it is unpacked; INTERRUPTED; what the tree says
   */
  void pack(Path archive, boolean compressed, ImageMetadata metadata) {
    ArchiveFile.write(
        archive, compressed, metadata, timestamp.orElse(metadata.createdAt()), this::add);
  }

  /** Adds all of it to an archive, within the limits that it is unpacked with. */
  void add(TarWriter tar) throws IOException {
    tar.limit(ArchiveLimits.USUAL);
    addTo(tar);
  }

  /** Adds all of it to whatever takes it. */
  void addTo(EntrySink tar) throws IOException {
    Tree.Stat root = tree.stat("/").orElseThrow(() -> StapesException.notFound("root file system"));
    tar.add(entry("", root, TarEntry.Kind.DIRECTORY, 0, ""));
    children("", tar);
  }

  private void children(String directory, EntrySink tar) throws IOException {
    for (String name : tree.list(directory.isEmpty() ? "/" : directory)) {
      String path = directory.isEmpty() ? name : directory + "/" + name;
      if (!wanted.test(path) || (directory.equals("dev") && !scope.complete())) {
        continue;
      }
      checkInterrupt();
      Optional<Tree.Stat> stat = tree.stat(path);
      if (stat.isPresent()) { // else it was removed meanwhile
        add(path, stat.get(), tar);
      }
    }
  }

  private void add(String path, Tree.Stat stat, EntrySink tar) throws IOException {
    if (stat.type() == Tree.Type.DIRECTORY) {
      tar.add(entry(path, stat, TarEntry.Kind.DIRECTORY, 0, ""));
      children(path, tar);
      return;
    }
    if (stat.links() > 1 && stat.type() != Tree.Type.SOCKET) {
      String first = firsts.putIfAbsent(stat.inode(), path);
      if (first != null) {
        tar.add(
            new TarEntry(
                name(path),
                TarEntry.Kind.HARDLINK,
                stat.mode(),
                stat.uid(),
                stat.gid(),
                0,
                time(stat),
                name(first),
                0,
                0,
                new TreeMap<>()));
        return;
      }
    }
    switch (stat.type()) {
      case FILE -> file(path, stat, tar);
      case SYMLINK -> tar.add(entry(path, stat, TarEntry.Kind.SYMLINK, 0, tree.readlink(path)));
      case FIFO -> tar.add(entry(path, stat, TarEntry.Kind.FIFO, 0, ""));
      case CHARACTER_DEVICE -> tar.add(entry(path, stat, TarEntry.Kind.CHARACTER_DEVICE, 0, ""));
      case BLOCK_DEVICE -> tar.add(entry(path, stat, TarEntry.Kind.BLOCK_DEVICE, 0, ""));
      case SOCKET, DIRECTORY -> {} // a socket is of use to its process only
    }
  }

  private void file(String path, Tree.Stat stat, EntrySink tar) throws IOException {
    TarEntry entry = entry(path, stat, TarEntry.Kind.FILE, stat.size(), "");
    Optional<SparseMap> holes = Optional.empty();
    if (stat.size() >= Holes.SHORTEST) {
      try (InputStream content = new Watched(tree.read(path))) {
        holes = Holes.find(content);
      }
    }
    try (InputStream content = new Watched(tree.read(path))) {
      if (holes.isPresent() && holes.get().size() == stat.size()) {
        tar.add(entry, holes.get(), content);
      } else {
        tar.add(entry, content);
      }
    } catch (EOFException e) {
      throw new StapesException(
          StapesException.Kind.CONFLICT, path, "shrank while it was packed: " + e.getMessage(), e);
    }
    bytes += stat.size();
    progress.update("pack", bytes, -1);
  }

  /** A file, whose reading an interrupt ends: it may be a large one. */
  private static final class Watched extends FilterInputStream {
    Watched(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      checkInterrupt();
      return in.read(into, offset, length);
    }
  }

  private TarEntry entry(String path, Tree.Stat stat, TarEntry.Kind kind, long size, String link) {
    TreeMap<String, byte[]> attributes = new TreeMap<>(tree.xattrs(path.isEmpty() ? "/" : path));
    attributes.keySet().removeIf(name -> !EntryWriter.isKept(name));
    return new TarEntry(
        name(path),
        kind,
        stat.mode(),
        stat.uid(),
        stat.gid(),
        size,
        time(stat),
        link,
        stat.deviceMajor(),
        stat.deviceMinor(),
        attributes);
  }

  private Instant time(Tree.Stat stat) {
    return timestamp.orElse(stat.modifiedAt());
  }

  private String name(String path) {
    return path.isEmpty() ? scope.name() : scope.name() + "/" + path;
  }

  private static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, "image archive", "packing was interrupted");
    }
  }
}
