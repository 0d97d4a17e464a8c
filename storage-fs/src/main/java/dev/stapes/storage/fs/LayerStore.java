package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Xattrs;
import dev.stapes.linux.block.TreeCopy;
import dev.stapes.spi.Undo;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The layers of an overlay pool: {@code layers/<id>/d} has the files, {@code layers/<id>/w} is the
 * work directory that overlayfs wants beside them. Names are short because mount(2) takes one page
 * of them. Owners are those inside of the machines, whichever id map they have: overlayfs gets to
 * see the layers through an idmapped mount.
 */
final class LayerStore {
  static final String DIRECTORY = "layers";

  /** Below a volume of one layer, for an overlay must have something below. */
  static final String NOTHING = "nothing";

  private static final String FILES = "d";
  private static final String WORK = "w";
  private static final Set<OpenFlag> AS_DIRECTORY =
      Set.of(OpenFlag.READ, OpenFlag.DIRECTORY, OpenFlag.NO_FOLLOW);

  /** What overlayfs keeps in attributes of a layer's root is about that layer only. */
  private static final Predicate<String> NOT_OVERLAYS =
      name -> !name.startsWith("trusted.overlay.");

  private final PoolContext pool;
  private final Path root;

  LayerStore(PoolContext pool, Path poolRoot) {
    this.pool = pool;
    this.root = poolRoot.resolve(DIRECTORY);
  }

  static void layOut(PoolContext pool, Path poolRoot) {
    try (FileTree tree =
        FileTree.open(pool.sys(), pool.local(poolRoot), FileTree.Resolution.BENEATH)) {
      tree.mkdir(DIRECTORY, 0711);
      tree.mkdir(DIRECTORY + "/" + NOTHING, 0711);
      tree.mkdir(DIRECTORY + "/" + NOTHING + "/" + FILES, 0755);
    }
  }

  /** The directory of all layers, in the host's mount namespace. */
  Path root() {
    return root;
  }

  /** The files of a layer, from {@link #root}. */
  static Path files(String id) {
    return Path.of(id, FILES);
  }

  /** The work directory of a layer, from {@link #root}. */
  static Path work(String id) {
    return Path.of(id, WORK);
  }

  private <T> T in(Function<FileTree, T> work) {
    try (FileTree tree = FileTree.open(pool.sys(), pool.local(root), FileTree.Resolution.BENEATH)) {
      return work.apply(tree);
    }
  }

  private static Fd open(FileTree tree, String id) {
    return tree.open(files(id).toString(), AS_DIRECTORY, 0);
  }

  /**
   * Makes an empty layer. Until a volume names it, {@link #unreferenced} has it.
   *
   * @param like a layer whose root directory its own is to look like; empty: owned by root
   */
  String make(Optional<String> like) {
    return make(
        (tree, made) ->
            like.ifPresent(
                other -> {
                  try (Fd source = open(tree, other)) {
                    copier().attributes(source, made, source.stat());
                  }
                }));
  }

  /** Makes a layer with the same files as another one, sharing data where the file system can. */
  String copy(String layer) {
    return make(
        (tree, made) -> {
          try (Fd source = open(tree, layer)) {
            new TreeCopy(pool.sys(), name -> true, () -> Thread.currentThread().isInterrupted())
                .run(source, made);
          }
        });
  }

  private TreeCopy copier() {
    return new TreeCopy(pool.sys(), NOT_OVERLAYS, () -> false);
  }

  private interface Filling {
    void fill(FileTree tree, Fd made);
  }

  private String make(Filling filling) {
    UUID random = UUID.randomUUID();
    String id = new BigInteger(random.toString().replace("-", ""), 16).toString(36);
    return in(
        tree -> {
          try {
            tree.mkdir(id, 0700);
            tree.mkdir(work(id).toString(), 0700);
            tree.mkdir(files(id).toString(), 0755);
            try (Fd made = open(tree, id)) {
              filling.fill(tree, made);
            }
            return id;
          } catch (RuntimeException e) {
            Undo.after(e, () -> tree.removeAll(id));
            throw e;
          }
        });
  }

  /** Removes a layer that nothing names. */
  void remove(String id) {
    in(
        tree -> {
          tree.removeAll(id);
          return id;
        });
  }

  /** Whether a layer changes nothing of the one below it. */
  boolean isUntouched(String id, String below) {
    return in(
        tree -> {
          if (!tree.list(files(id).toString()).isEmpty()) {
            return false;
          }
          try (Fd own = open(tree, id);
              Fd other = open(tree, below)) {
            return looksLike(own, other);
          }
        });
  }

  private boolean looksLike(Fd own, Fd other) {
    FileStat one = own.stat();
    FileStat two = other.stat();
    return one.uid() == two.uid()
        && one.gid() == two.gid()
        && one.permissions() == two.permissions()
        && attributes(own).equals(attributes(other));
  }

  private Map<String, String> attributes(Fd directory) {
    Xattrs xattrs = Xattrs.of(pool.sys(), directory);
    Map<String, String> all = new TreeMap<>();
    for (String name : xattrs.list()) {
      if (NOT_OVERLAYS.test(name)) {
        xattrs.get(name).ifPresent(value -> all.put(name, Arrays.toString(value)));
      }
    }
    return all;
  }

  /** The layers that are not among those that are used. */
  List<String> unreferenced(Set<String> used) {
    return in(
        tree ->
            tree.list("").stream()
                .filter(id -> !id.equals(NOTHING) && !used.contains(id))
                .toList());
  }

  /** Opens the directory of all layers for reading. */
  Fd openRoot() {
    return in(tree -> tree.open("", AS_DIRECTORY, 0));
  }

  /** Removes all layers. */
  void removeAll() {
    try (FileTree tree =
        FileTree.open(
            pool.sys(),
            pool.local(Objects.requireNonNull(root.getParent())),
            FileTree.Resolution.BENEATH)) {
      tree.removeAll(DIRECTORY);
    }
  }
}
