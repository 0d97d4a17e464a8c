package dev.stapes.testkit;

import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The mount namespace of a fake host: a table of volumes by path. */
final class FakeMounts implements Mounts {
  private final List<Mount> table = new ArrayList<>();

  /**
   * A mount.
   *
   * @param root the directory of the volume that appears at the target
   */
  private record Mount(Entry entry, FakeTree root) {}

  /** Makes a volume appear at a path. */
  synchronized void expose(
      FakeVolume volume, Path target, String type, Optional<IdMapping> mapping, boolean readOnly) {
    FakeTree root = tree(volume, Tree.Resolution.BENEATH, mapping, readOnly);
    add(new Entry(target, type, target.toString(), readOnly ? "ro" : "rw"), root);
  }

  @Override
  public synchronized void mount(
      String source, Path target, String type, Set<Flag> flags, String options) {
    requireTarget(target);
    FakeVolume volume = FakeVolume.unlimited();
    boolean readOnly = flags.contains(Flag.READ_ONLY);
    FakeTree root = tree(volume, Tree.Resolution.BENEATH, Optional.empty(), readOnly);
    add(new Entry(target, type, source, words(flags, options)), root);
  }

  @Override
  public void bind(Path source, Path target, Set<Flag> flags) {
    bind(source, target, Optional.empty(), flags);
  }

  @Override
  public void bindBelow(Path source, String below, Path target, Set<Flag> flags) {
    try (FakeTree from = open(source, Tree.Resolution.BENEATH, Optional.empty())) {
      for (Path at = Path.of(below); at != null; at = at.getParent()) {
        Tree.Type type =
            from.stat(at.toString())
                .orElseThrow(() -> StapesException.notFound(source + "/" + below))
                .type();
        if (type != Tree.Type.DIRECTORY) {
          throw new StapesException(INVALID, source + "/" + below, "goes through a " + type);
        }
      }
    }
    bind(source.resolve(below), target, Optional.empty(), flags);
  }

  @Override
  public void bindIdmapped(Path source, Path target, IdMapping mapping, Set<Flag> flags) {
    bind(source, target, Optional.of(mapping), flags);
  }

  private synchronized void bind(
      Path source, Path target, Optional<IdMapping> mapping, Set<Flag> flags) {
    requireTarget(target);
    FakeTree from = open(source, Tree.Resolution.BENEATH, Optional.empty());
    FakeTree.View view = from.view();
    FakeTree root =
        from.with(
            new FakeTree.View(
                view.volume(),
                view.resolution(),
                mapping.isPresent() ? mapping : view.mounted(),
                Optional.empty(),
                view.readOnly() || flags.contains(Flag.READ_ONLY)));
    add(new Entry(target, "fake", source.toString(), words(flags, "")), root);
  }

  @Override
  public void detachAbandoned(Path target, String type, String source) {
    // A fake host has one table of mounts, and nobody else has any.
  }

  @Override
  public synchronized void unmount(Path target) {
    for (int i = table.size() - 1; i >= 0; i--) {
      if (table.get(i).entry.target().equals(target)) {
        table.remove(i);
        return;
      }
    }
    throw new StapesException(INVALID, "umount2 " + target, "not a mount point (EINVAL)");
  }

  /** Takes away what {@link #expose} made appear. */
  synchronized void hide(Path target) {
    table.removeIf(mount -> mount.entry.target().equals(target));
  }

  @Override
  public synchronized List<Entry> below(Path path) {
    return table.stream().map(Mount::entry).filter(e -> e.target().startsWith(path)).toList();
  }

  @Override
  public Path local(Path path) {
    return path;
  }

  /** Opens a directory of what is mounted. */
  synchronized FakeTree open(Path directory, Tree.Resolution resolution, Optional<IdMapping> seen) {
    return find(directory, resolution, seen)
        .orElseThrow(
            () ->
                new StapesException(
                    NOT_FOUND, directory.toString(), "nothing is mounted there on this fake host"));
  }

  /** The same; empty where nothing is mounted. */
  synchronized Optional<FakeTree> find(
      Path directory, Tree.Resolution resolution, Optional<IdMapping> seen) {
    Mount mount = over(directory);
    if (mount == null) {
      return Optional.empty();
    }
    FakeTree.View view = mount.root.view();
    FakeTree root =
        mount.root.with(
            new FakeTree.View(view.volume(), resolution, view.mounted(), seen, view.readOnly()));
    Path rest = mount.entry.target().relativize(directory);
    return Optional.of(rest.toString().isEmpty() ? root : root.below(rest.toString()));
  }

  synchronized void clear() {
    table.clear();
  }

  private void add(Entry entry, FakeTree root) {
    table.add(new Mount(entry, root));
  }

  private @Nullable Mount over(Path directory) {
    Mount best = null;
    for (Mount mount : table) {
      boolean deeper =
          best == null || mount.entry.target().getNameCount() >= best.entry.target().getNameCount();
      if (directory.startsWith(mount.entry.target()) && deeper) {
        best = mount;
      }
    }
    return best;
  }

  /** A target is a real directory or file, or one of what is mounted. */
  private void requireTarget(Path target) {
    Mount mount = over(target);
    boolean there =
        mount == null
            ? Files.exists(target)
            : mount.root.stat(mount.entry.target().relativize(target).toString()).isPresent();
    if (!there) {
      throw new StapesException(NOT_FOUND, "mount " + target, "no such mount point (ENOENT)");
    }
  }

  private static FakeTree tree(
      FakeVolume volume,
      Tree.Resolution resolution,
      Optional<IdMapping> mapping,
      boolean readOnly) {
    return new FakeTree(new FakeTree.View(volume, resolution, mapping, Optional.empty(), readOnly));
  }

  private static String words(Set<Flag> flags, String options) {
    List<String> words = new ArrayList<>();
    EnumSet<Flag> plain = EnumSet.noneOf(Flag.class);
    plain.addAll(flags);
    words.add(plain.remove(Flag.READ_ONLY) ? "ro" : "rw");
    plain.remove(Flag.RECURSIVE);
    plain.forEach(flag -> words.add(flag.name().toLowerCase(java.util.Locale.ROOT)));
    String text = String.join(",", words);
    return options.isEmpty() ? text : text + "," + options;
  }
}
